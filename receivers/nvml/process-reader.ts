import type { ContextKind, ProcessMemory, ProcessSample, ProcessUsage } from '../../src/gpu/protocol.js';
import { readClocks, wallOffsetNs } from '../../src/linux/clocks.js';
import { Scratch, type StatusFunction } from '../../src/linux/optional-library.js';
import type { Handle } from './feature.js';
import { insufficientSize, isUnsupported, notFound, success } from './library.js';

// nvmlProcessUtilizationSample_t and nvmlProcessInfo_t of nvml.h.
const sampleBytes = 32;
const contextBytes = 24;
/** Maximum time between samples: nvml.h at nvmlDeviceGetUtilizationRates. */
const maxPeriodUs = 1_000_000n;

const contextSymbols: readonly (readonly [ContextKind, string])[] = [
  ['compute', 'nvmlDeviceGetComputeRunningProcesses'],
  ['graphics', 'nvmlDeviceGetGraphicsRunningProcesses'],
  ['mps', 'nvmlDeviceGetMPSComputeRunningProcesses'],
];

/** Reads the processes that use a device, their utilization, and their memory. */
export class ProcessReader {
  readonly #device: number;
  readonly #usage: StatusFunction;
  readonly #contexts: readonly (readonly [ContextKind, StatusFunction])[];
  #buffer = new Scratch(64 * sampleBytes);
  #seenUs = 0n;
  #hasUsage: boolean;

  /** @param hasUsage whether the device reports the utilization of processes, which MIG instances do not */
  constructor({ library, device }: Handle, hasUsage: boolean) {
    this.#device = device;
    this.#hasUsage = hasUsage;
    this.#usage = library.find(
      'nvmlDeviceGetProcessUtilization',
      'uintptr_t device, uintptr_t samples, uintptr_t count, unsigned long long since',
    );
    this.#contexts = contextSymbols.flatMap(([kind, symbol]) => {
      const parameters = 'uintptr_t device, uintptr_t count, uintptr_t contexts';
      const calls = ['_v3', '_v2'].map((version) => library.find(`${symbol}${version}`, parameters));
      const found = calls.find((call) => {
        library.scratch.view.setUint32(0, 0, true);
        return !isUnsupported(call(device, library.scratch.address, 0));
      });
      return found ? [[kind, found] as const] : [];
    });
  }

  /**
   * Reads the samples since the last call. They do not include idle processes. The first call starts the
   * window, and returns an empty one.
   * @returns undefined if the device does not report utilization, or has no sample since the last call
   */
  readUsage(): ProcessUsage | undefined {
    if (!this.#hasUsage) return undefined;
    const offsetNs = wallOffsetNs(readClocks());
    const nowUs = (process.hrtime.bigint() + offsetNs) / 1000n;
    const fromUs = this.#seenUs;
    const isFirst = fromUs === 0n;
    const count = this.#readSamples(isFirst ? nowUs : fromUs);
    if (count === undefined) return undefined;
    if (isFirst) {
      this.#seenUs = nowUs;
      const nowNs = nowUs * 1000n - offsetNs;
      return { fromNs: nowNs, toNs: nowNs, samples: [], unseen: 0 };
    }
    const [samples, newestUs] = this.#takeSamples(count);
    // Without samples the device was idle, at least until the time of the newest possible sample.
    const toUs = samples.length > 0 ? newestUs : nowUs - 2n * maxPeriodUs;
    if (toUs <= fromUs) return undefined;
    this.#seenUs = toUs;
    // The driver has samples of all processes.
    return { fromNs: fromUs * 1000n - offsetNs, toNs: toUs * 1000n - offsetNs, samples, unseen: 0 };
  }

  /**
   * Lists processes with contexts. The driver lists an MPS client twice; it is only returned as `mps`.
   * @returns undefined if one of the lists could not be read
   */
  readContexts(): readonly ProcessMemory[] | undefined {
    const found: ProcessMemory[] = [];
    for (const [context, call] of this.#contexts) {
      const count = this.#fill(contextBytes, (list, length) => call(this.#device, length, list));
      if (count === undefined) return undefined;
      for (let i = 0; i < count; i++) found.push(this.#contextAt(i, context));
    }
    const clients = new Set(found.filter(({ context }) => context === 'mps').map(({ pid }) => pid));
    return found.filter(({ context, pid }) => context !== 'compute' || !clients.has(pid));
  }

  #readSamples(sinceUs: bigint): number | undefined {
    // Until 2255, a time in microseconds is exact as a double.
    const since = Number(sinceUs);
    return this.#fill(sampleBytes, (samples, length) => this.#usage(this.#device, samples, length, since));
  }

  /**
   * Calls a function that fills the buffer behind its first 8 bytes, which contain the number of entries. If
   * the buffer is too small, it is enlarged.
   */
  #fill(entryBytes: number, call: (entries: number, count: number) => number): number | undefined {
    for (let again = 0; again < 4; again++) {
      const buffer = this.#buffer;
      buffer.view.setUint32(0, Math.floor((buffer.length - 8) / entryBytes), true);
      const status = call(buffer.address + 8, buffer.address);
      const count = buffer.u32();
      if (status === success) return Math.min(count, Math.floor((buffer.length - 8) / entryBytes));
      if (status === notFound) return 0;
      if (status !== insufficientSize) {
        if (isUnsupported(status) && entryBytes === sampleBytes) this.#hasUsage = false;
        return undefined;
      }
      this.#buffer = new Scratch(8 + Math.max(2 * buffer.length, (count + 16) * entryBytes));
    }
    return undefined;
  }

  #takeSamples(count: number): readonly [ProcessSample[], bigint] {
    const samples: ProcessSample[] = [];
    let newestUs = 0n;
    const { view } = this.#buffer;
    for (let at = 8; at < 8 + count * sampleBytes; at += sampleBytes) {
      const timestampUs = view.getBigUint64(at + 8, true);
      const sample: ProcessSample = {
        pid: view.getUint32(at, true),
        shares: {
          general: view.getUint32(at + 16, true),
          memory: view.getUint32(at + 20, true),
          encoder: view.getUint32(at + 24, true),
          decoder: view.getUint32(at + 28, true),
        },
      };
      // Some drivers return entries without a process, or percentages far above 100.
      if (timestampUs <= this.#seenUs || Object.values(sample.shares).some((share) => share > 100)) continue;
      if (timestampUs > newestUs) newestUs = timestampUs;
      samples.push(sample);
    }
    return [samples, newestUs];
  }

  #contextAt(index: number, context: ContextKind): ProcessMemory {
    const { view } = this.#buffer;
    const at = 8 + index * contextBytes;
    const bytes = Number(view.getBigUint64(at + 8, true));
    // NVML_VALUE_NOT_AVAILABLE is not a safe integer.
    return {
      pid: view.getUint32(at, true),
      context,
      bytes: Number.isSafeInteger(bytes) ? bytes : NaN,
    };
  }
}
