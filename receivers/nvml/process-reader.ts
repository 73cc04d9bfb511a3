import type {
  ContextKind,
  DeviceRow,
  ProcessMemory,
  ProcessSample,
  ProcessUsage,
} from '../../src/gpu/protocol.js';
import { readClocks, wallOffsetNs, type ClockReading } from '../../src/linux/clocks.js';
import { Scratch, type StatusFunction } from '../../src/linux/optional-library.js';
import type { Failure, Handle } from './feature.js';
import { insufficientSize, isUnsupported, notFound, success } from './library.js';

// nvmlProcessUtilizationSample_t and nvmlProcessInfo_t of nvml.h.
const sampleBytes = 32;
const contextBytes = 24;
/** Maximum time between samples: nvml.h at nvmlDeviceGetUtilizationRates. */
const maxPeriodUs = 1_000_000n;
/** The wall clock is disciplined in smaller steps; a larger one was set. */
const stepNs = 50_000_000n;

const contextSymbols: readonly (readonly [ContextKind, string])[] = [
  ['compute', 'nvmlDeviceGetComputeRunningProcesses'],
  ['graphics', 'nvmlDeviceGetGraphicsRunningProcesses'],
  ['mps', 'nvmlDeviceGetMPSComputeRunningProcesses'],
];

// For messages.
const usageName = 'utilization of processes';
const nameContexts = (kind: ContextKind) => `${kind} processes`;

/** What is known of the processes of a device; undefined: not this time. */
type Processes = Pick<DeviceRow, 'usage' | 'memory'>;

/** Reads the processes that use a device, their utilization, and their memory. */
export class ProcessReader {
  /** What the driver does not report, and why. */
  readonly missing: readonly Failure[];
  /** What could not be read the last time. */
  failures: Failure[] = [];
  readonly #device: number;
  readonly #readClocks: () => ClockReading;
  readonly #usage: StatusFunction;
  readonly #contexts: readonly (readonly [ContextKind, StatusFunction])[];
  #buffer = new Scratch(64 * sampleBytes);
  /** The time of the newest sample on the wall clock, which the driver uses; 0: there was none. */
  #seenUs = 0n;
  #offsetNs = 0n;
  readonly #hasUsage: boolean;

  /**
   * @param hasUsage whether the device reports the utilization of processes, which MIG instances do not
   * @param clocks the clocks of the machine
   */
  constructor({ library, device }: Handle, hasUsage: boolean, clocks = readClocks) {
    this.#device = device;
    this.#readClocks = clocks;
    this.#usage = library.find(
      'nvmlDeviceGetProcessUtilization',
      'uintptr_t device, uintptr_t samples, uintptr_t count, unsigned long long since',
    );
    const { scratch } = library;
    const missing: Failure[] = [];
    if (hasUsage) missing.push(...this.#findUnsupported());
    this.#hasUsage = hasUsage && missing.length === 0;
    this.#contexts = contextSymbols.flatMap(([kind, symbol]) => {
      const parameters = 'uintptr_t device, uintptr_t count, uintptr_t contexts';
      const calls = ['_v3', '_v2'].map((version) => library.find(`${symbol}${version}`, parameters));
      let status = success;
      const found = calls.find((call) => {
        scratch.view.setUint32(0, 0, true);
        status = call(device, scratch.address, 0);
        return !isUnsupported(status);
      });
      if (found !== undefined) return [[kind, found] as const];
      missing.push([nameContexts(kind), status]);
      return [];
    });
    this.missing = missing;
  }

  /** Asks for samples as the first reading does. @returns why the device does not report them */
  #findUnsupported(): readonly Failure[] {
    const offsetNs = wallOffsetNs(this.#readClocks());
    this.#readSamples((process.hrtime.bigint() + offsetNs) / 1000n);
    return this.failures.splice(0).filter(([, status]) => isUnsupported(status));
  }

  /** Continues the window of a reader of the same device, which is not read any more. */
  continueFrom(before: ProcessReader): void {
    this.#seenUs = before.#seenUs;
    this.#offsetNs = before.#offsetNs;
  }

  read(): Processes {
    this.failures = [];
    return { usage: this.#readUsage(), memory: this.#readContexts() };
  }

  /**
   * Reads the samples since the last call. They do not include idle processes. The first call starts the
   * window, and returns an empty one.
   * @returns undefined if the device does not report utilization, or has no sample since the last call
   */
  #readUsage(): ProcessUsage | undefined {
    if (!this.#hasUsage) return undefined;
    const offsetNs = wallOffsetNs(this.#readClocks());
    this.#followClock(offsetNs);
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
    const [samples, newestUs] = this.#takeSamples(count, nowUs + maxPeriodUs);
    // Without samples the device was idle, at least until the time of the newest possible sample.
    const toUs = samples.length > 0 ? newestUs : nowUs - 2n * maxPeriodUs;
    if (toUs <= fromUs) return undefined;
    this.#seenUs = toUs;
    // The driver has samples of all processes.
    return { fromNs: fromUs * 1000n - offsetNs, toNs: toUs * 1000n - offsetNs, samples, unseen: 0 };
  }

  /** The window goes on when the wall clock is set: it is as long as on a monotonic clock. */
  #followClock(offsetNs: bigint): void {
    const changeNs = offsetNs - this.#offsetNs;
    this.#offsetNs = offsetNs;
    const isStep = changeNs > stepNs || changeNs < -stepNs;
    if (isStep && this.#seenUs > 0n) this.#seenUs += changeNs / 1000n;
  }

  /**
   * Lists processes with contexts. The driver lists an MPS client twice; it is only returned as `mps`.
   * @returns undefined if one of the lists could not be read
   */
  #readContexts(): readonly ProcessMemory[] | undefined {
    const found: ProcessMemory[] = [];
    for (const [context, call] of this.#contexts) {
      const read = (list: number, length: number) => call(this.#device, length, list);
      const count = this.#fill(nameContexts(context), contextBytes, read);
      if (count === undefined) return undefined;
      for (let i = 0; i < count; i++) found.push(this.#contextAt(i, context));
    }
    const clients = new Set(found.filter(({ context }) => context === 'mps').map(({ pid }) => pid));
    return found.filter(({ context, pid }) => context !== 'compute' || !clients.has(pid));
  }

  #readSamples(sinceUs: bigint): number | undefined {
    // Until 2255, a time in microseconds is exact as a double.
    const since = Number(sinceUs);
    const read = (samples: number, length: number) => this.#usage(this.#device, samples, length, since);
    return this.#fill(usageName, sampleBytes, read);
  }

  /**
   * Calls a function that fills the buffer behind its first 8 bytes, which contain the number of entries. If
   * the buffer is too small, it is enlarged.
   */
  #fill(
    what: string,
    entryBytes: number,
    call: (entries: number, count: number) => number,
  ): number | undefined {
    let status = insufficientSize;
    for (let again = 0; again < 4 && status === insufficientSize; again++) {
      const buffer = this.#buffer;
      buffer.view.setUint32(0, Math.floor((buffer.length - 8) / entryBytes), true);
      status = call(buffer.address + 8, buffer.address);
      const count = buffer.u32();
      if (status === success) return Math.min(count, Math.floor((buffer.length - 8) / entryBytes));
      if (status === notFound) return 0;
      if (status === insufficientSize)
        this.#buffer = new Scratch(8 + Math.max(2 * buffer.length, (count + 16) * entryBytes));
    }
    this.failures.push([what, status]);
    return undefined;
  }

  /** @param latestUs samples from before the clock was set back may be later: they are not used */
  #takeSamples(count: number, latestUs: bigint): readonly [readonly ProcessSample[], bigint] {
    const samples = new Map<number, ProcessSample>();
    const stampsUs = new Map<number, bigint>();
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
      const { pid, shares } = sample;
      // Some drivers return entries without a process, or percentages far above 100.
      if (timestampUs <= this.#seenUs || timestampUs > latestUs) continue;
      if (Object.values(shares).some((share) => share > 100)) continue;
      if (timestampUs > newestUs) newestUs = timestampUs;
      // One process is in one entry; of several, the newest is used, so that no time is counted twice.
      if (timestampUs <= (stampsUs.get(pid) ?? 0n)) continue;
      stampsUs.set(pid, timestampUs);
      samples.set(pid, sample);
    }
    return [[...samples.values()], newestUs];
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
