import { Scratch, type StatusFunction } from '../../src/linux/optional-library.js';
import type { Failure, Handle } from './feature.js';
import { isUnsupported, success, type NvmlLibrary } from './library.js';

/** A GPM metric: its number in nvml.h (`nvmlGpmMetricId_t`), and its conversion to SI units. */
interface GpmMetric {
  readonly id: number;
  readonly column: string;
  readonly factor: number;
  /** Whether it is a rate. It is converted to the increase between two samples. */
  readonly isRate?: boolean;
}

const percent = 1 / 100;
const mebi = 2 ** 20;

const gpmMetrics: readonly GpmMetric[] = [
  { id: 1, column: 'graphics.utilization', factor: percent },
  { id: 2, column: 'sm.utilization', factor: percent },
  { id: 3, column: 'sm.occupancy', factor: percent },
  { id: 4, column: 'pipe.integer', factor: percent },
  { id: 5, column: 'pipe.tensor', factor: percent },
  { id: 6, column: 'pipe.tensor_fp64', factor: percent },
  { id: 7, column: 'pipe.tensor_fp16', factor: percent },
  { id: 9, column: 'pipe.tensor_int8', factor: percent },
  { id: 11, column: 'pipe.fp64', factor: percent },
  { id: 12, column: 'pipe.fp32', factor: percent },
  { id: 13, column: 'pipe.fp16', factor: percent },
  { id: 10, column: 'memory.bandwidth', factor: percent },
  { id: 20, column: 'pcie.growth.transmit', factor: mebi, isRate: true },
  { id: 21, column: 'pcie.growth.receive', factor: mebi, isRate: true },
  { id: 61, column: 'nvlink.growth.transmit', factor: mebi, isRate: true },
  { id: 60, column: 'nvlink.growth.receive', factor: mebi, isRate: true },
];

/**
 * If the time between samples is shorter than the driver's refresh interval of its counters (100 ms), all
 * values are 0 with status success: observed on an H100 with driver 580.
 */
const minSpacingNs = 110_000_000n;

// nvmlGpmMetricsGet_t: version, count, two samples, followed by metrics of 40 bytes each.
const headBytes = 24;
const metricBytes = 40;

export interface ProfilingOptions {
  /** The number of the MIG GPU instance. The handle is then that of its GPU. */
  readonly instance?: number | undefined;
  /** Whether to read a column. */
  isWanted(column: string): boolean;
}

/** The profiling counters of a GPU or a MIG instance: means over the time between two samples. */
export class Profiling {
  readonly columns: readonly string[];
  /** Columns that have had values, and could not be read in the last call, although it succeeded. */
  readonly failures: Failure[] = [];
  readonly #library: NvmlLibrary;
  readonly #takeSample: (sample: number) => number;
  readonly #compare: StatusFunction;
  readonly #request = new Scratch(headBytes + metricBytes * gpmMetrics.length);
  readonly #metrics: readonly GpmMetric[];
  #before: number;
  #after: number;
  #beforeNs: bigint;
  readonly #wasRead = new Uint8Array(gpmMetrics.length);

  private constructor(
    handle: Handle,
    wanted: readonly GpmMetric[],
    { samples, takeSample }: { samples: readonly [number, number]; takeSample(sample: number): number },
  ) {
    this.#library = handle.library;
    [this.#before, this.#after] = samples;
    this.#takeSample = takeSample;
    this.#compare = handle.library.find('nvmlGpmMetricsGet', 'uintptr_t request');
    this.#beforeNs = process.hrtime.bigint();
    this.#metrics = wanted;
    this.#metrics = this.#probe();
    this.columns = this.#metrics.map(({ column }) => column);
  }

  /** @returns undefined if the device has no such counters */
  static open(handle: Handle, { instance, isWanted }: ProfilingOptions): Profiling | undefined {
    const { library, device } = handle;
    if (!isSupported(handle)) return undefined;
    const whole = library.find('nvmlGpmSampleGet', 'uintptr_t device, uintptr_t sample');
    const part = library.find(
      'nvmlGpmMigSampleGet',
      'uintptr_t device, unsigned int instance, uintptr_t sample',
    );
    const samples = allocateSamples(library);
    if (samples === undefined) return undefined;
    const takeSample = (sample: number) =>
      instance === undefined ? whole(device, sample) : part(device, instance, sample);
    const wanted = gpmMetrics.filter(({ column }) => isWanted(column));
    const opened = new Profiling(handle, wanted, { samples, takeSample });
    if (opened.columns.length > 0) return opened;
    opened.close();
    return undefined;
  }

  /** Whether enough time has passed since the last sample. */
  get isDue(): boolean {
    return process.hrtime.bigint() - this.#beforeNs >= minSpacingNs;
  }

  /**
   * Reads the means since the last sample.
   * @returns the return code of NVML; `values` are valid if it is `success`
   */
  read(values: Float64Array): number {
    this.failures.length = 0;
    const nowNs = process.hrtime.bigint();
    const sampled = this.#takeSample(this.#after);
    if (sampled !== success) return sampled;
    const spacingSeconds = Number(nowNs - this.#beforeNs) / 1e9;
    const compared = this.#compareSamples();
    [this.#before, this.#after, this.#beforeNs] = [this.#after, this.#before, nowNs];
    for (const [i, { factor, isRate }] of this.#metrics.entries()) {
      values[i] = this.#valueOf(i) * factor * (isRate === true ? spacingSeconds : 1);
    }
    if (compared === success) this.#noteFailures();
    return compared;
  }

  #noteFailures(): void {
    for (const [i, { column }] of this.#metrics.entries()) {
      const status = this.#statusOf(i);
      if (status === success) this.#wasRead[i] = 1;
      else if (this.#wasRead[i] === 1) this.failures.push([column, status]);
    }
  }

  close(): void {
    const free = this.#library.find('nvmlGpmSampleFree', 'uintptr_t sample');
    free(this.#before);
    free(this.#after);
  }

  /**
   * Finds the metrics that the device supports. The values are not used, because the samples are too close
   * together.
   */
  #probe(): readonly GpmMetric[] {
    const isRead = this.#takeSample(this.#before) === success && this.#takeSample(this.#after) === success;
    if (!isRead || this.#compareSamples() !== success) return [];
    return this.#metrics.filter((_, i) => !isUnsupported(this.#statusOf(i)));
  }

  #compareSamples(): number {
    const { view, address } = this.#request;
    view.setUint32(0, 1, true);
    view.setUint32(4, this.#metrics.length, true);
    view.setBigUint64(8, BigInt(this.#before), true);
    view.setBigUint64(16, BigInt(this.#after), true);
    for (const [i, { id }] of this.#metrics.entries()) {
      view.setUint32(headBytes + i * metricBytes, id, true);
      view.setInt32(headBytes + i * metricBytes + 4, 999, true);
    }
    return this.#compare(address);
  }

  #statusOf(i: number): number {
    return this.#request.view.getInt32(headBytes + i * metricBytes + 4, true);
  }

  #valueOf(i: number): number {
    return this.#statusOf(i) === success
      ? this.#request.view.getFloat64(headBytes + i * metricBytes + 8, true)
      : NaN;
  }
}

function isSupported({ library, device }: Handle): boolean {
  const { scratch } = library;
  scratch.view.setUint32(0, 1, true);
  scratch.view.setUint32(4, 0, true);
  const query = library.find('nvmlGpmQueryDeviceSupport', 'uintptr_t device, uintptr_t support');
  return query(device, scratch.address) === success && scratch.u32(4) === 1;
}

function allocateSamples(library: NvmlLibrary): readonly [number, number] | undefined {
  const { scratch } = library;
  const allocate = library.find('nvmlGpmSampleAlloc', 'uintptr_t sample');
  if (allocate(scratch.address) !== success) return undefined;
  const first = scratch.u64();
  if (allocate(scratch.address) === success) return [first, scratch.u64()];
  library.find('nvmlGpmSampleFree', 'uintptr_t sample')(first);
  return undefined;
}
