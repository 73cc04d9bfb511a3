import type { ContextKind, Device, DeviceRow, Note, ProcessMemory } from '../../src/gpu/protocol.js';
import type { Failure, Feature, Handle } from './feature.js';
import { bindEnergy, bindGpu, bindInstance, bindPcieSampling, hasNvLink } from './features.js';
import { createFieldProbe, fieldIds } from './fields.js';
import { Profiling } from './gpm.js';
import { describeStatus, isLost, isUnsupported, success } from './library.js';
import { ProcessReader } from './process-reader.js';
import type { ThreadOptions } from './thread-options.js';

/** Description of a device without its columns. */
export type Identity = Omit<Device, 'columns' | 'profileColumns'>;

/** Whether a device is a MIG instance, or a GPU that is divided into instances. */
export interface MigRole {
  /** For a GPU: whether it is divided. Its processes are then those of its instances. */
  readonly isDivided?: boolean;
  /** For a MIG instance: the handle of its GPU, and the number of its GPU instance. */
  readonly instance?: { readonly parent: number; readonly gpuInstance: number };
}

type Instance = MigRole['instance'];

const contextKinds: readonly ContextKind[] = ['compute', 'graphics', 'mps'];

/** Reads one device. Its features are probed once, when the reader is created. */
export class DeviceReader {
  readonly device: Device;
  readonly notes: readonly Note[];
  readonly #features: readonly Feature[];
  readonly #profiling: Profiling | undefined;
  readonly #processes: ProcessReader | undefined;
  #lostBy: string | undefined;
  #successes = 0;
  #lastStatus = success;
  #problems: string[] = [];

  constructor(
    identity: Identity,
    handle: Handle,
    options: ThreadOptions,
    { instance, isDivided = false }: MigRole,
  ) {
    this.#profiling = options.hasProfiling ? openProfiling(handle, instance) : undefined;
    const bound = bindAll(handle, options, instance, this.#profiling?.columns ?? []);
    const missing: Failure[] = [];
    this.#features = bound.filter((feature) => this.#probe(feature, missing));
    this.#processes =
      options.hasProcesses && !isDivided ? new ProcessReader(handle, instance === undefined) : undefined;
    missing.push(...(this.#processes?.missing ?? []));
    this.device = {
      ...identity,
      columns: this.#listColumns(),
      profileColumns: this.#profiling?.columns ?? [],
    };
    const reasons = missing.map(([what, status]) => `${what} (${describeStatus(status)})`);
    const text = `${identity.name} (${identity.id}) lacks ${reasons.join(', ')}`;
    this.notes = missing.length > 0 ? [{ level: 'debug', text }] : [];
  }

  /** Why the device is lost; undefined: it is not. A lost device is not read again. */
  get lostBy(): string | undefined {
    return this.#lostBy;
  }

  /** Why values are missing in the last row that the first row had. */
  get problems(): readonly string[] {
    return this.#lostBy === undefined ? this.#problems : [describeLost(this.device)];
  }

  /** Whether its profiling counters can be read again. */
  get isProfileDue(): boolean {
    return this.#profiling?.isDue === true;
  }

  /** @param hasProfile whether to read the profiling counters */
  read(hasProfile: boolean): DeviceRow {
    const { id, columns } = this.device;
    const values = new Float64Array(columns.length).fill(NaN);
    this.#successes = 0;
    this.#problems = [];
    const beforeNs = process.hrtime.bigint();
    const [energy, ...others] = this.#features;
    let at = energy === undefined ? 0 : this.#readFeature(energy, values, 0);
    // The energy is measured at some time during the call.
    const atNs = (beforeNs + process.hrtime.bigint()) / 2n;
    for (const feature of others) at = this.#readFeature(feature, values, at);
    const profile = hasProfile ? this.#readProfile() : undefined;
    // For a removed device, NVML reports every argument as invalid.
    if (this.#features.length > 0 && this.#successes === 0) this.#lostBy ??= describeStatus(this.#lastStatus);
    if (this.#lostBy !== undefined) return createLostRow(id, atNs);
    const { usage, memory } = this.#processes?.read() ?? {};
    if (memory) countContexts(memory, values, at);
    for (const failure of this.#processes?.failures ?? []) this.#addProblem(failure);
    return { id, atNs, values, profile, usage, memory };
  }

  /** Continues the windows of a reader of the same device, which is not read any more. */
  continueFrom(before: DeviceReader): void {
    if (before.#processes) this.#processes?.continueFrom(before.#processes);
  }

  /** @param isInUse whether the library can still be called for the device */
  close(isInUse: boolean): void {
    if (isInUse) this.#profiling?.close();
  }

  #listColumns(): readonly string[] {
    return [
      ...this.#features.flatMap(({ columns }) => columns),
      ...(this.#processes ? contextKinds.map((kind) => `processes.${kind}`) : []),
    ];
  }

  #readFeature(feature: Feature, values: Float64Array, at: number): number {
    // Each further call for a lost device may block for seconds.
    if (this.#lostBy !== undefined) return at + feature.columns.length;
    const status = feature.read(values, at);
    this.#note(status);
    if (status !== success) this.#addProblem([feature.name, status]);
    for (const failure of feature.failures ?? []) this.#addProblem(failure);
    return at + feature.columns.length;
  }

  #addProblem([what, status]: Failure): void {
    const { name, id } = this.device;
    this.#problems.push(`Cannot read ${what} of "${name}" (${id}): ${describeStatus(status)}`);
    if (isLost(status)) this.#lostBy ??= describeStatus(status);
  }

  /** @returns undefined if there are none; NaN: they could not be read */
  #readProfile(): Float64Array | undefined {
    if (this.#profiling === undefined || this.#lostBy !== undefined) return undefined;
    const values = new Float64Array(this.#profiling.columns.length);
    const status = this.#profiling.read(values);
    this.#note(status);
    for (const failure of this.#profiling.failures) this.#addProblem(failure);
    if (status === success) return values;
    this.#addProblem(['profiling counters', status]);
    return values.fill(NaN);
  }

  /** Whether a device has a feature. If reading fails for another reason, it is tried again at each reading. */
  #probe(feature: Feature, missing: Failure[]): boolean {
    // Each call for a lost device may block for seconds.
    if (this.#lostBy !== undefined) return false;
    const status = feature.read(new Float64Array(feature.columns.length), 0);
    if (isLost(status)) this.#lostBy = describeStatus(status);
    if (!isUnsupported(status)) return true;
    missing.push([feature.name, status]);
    return false;
  }

  #note(status: number): void {
    if (isLost(status)) this.#lostBy = describeStatus(status);
    if (status === success) this.#successes++;
    else this.#lastStatus = status;
  }
}

/** For the log, while a device is lost. */
export function describeLost({ name, id }: Device): string {
  return `"${name}" (${id}) is lost`;
}

export function createLostRow(id: string, atNs: bigint): DeviceRow {
  return { id, atNs, values: undefined, profile: undefined, usage: undefined, memory: undefined };
}

function openProfiling(handle: Handle, instance: Instance): Profiling | undefined {
  // NVLink traffic is not profiled if a field has it, or if there is no link.
  const isLink = hasNvLink(handle) && !createFieldProbe(handle)(fieldIds.nvlinkTransmit);
  const isWanted = (column: string) => isLink || !column.startsWith('nvlink.');
  const device = instance?.parent ?? handle.device;
  return Profiling.open({ ...handle, device }, { instance: instance?.gpuInstance, isWanted });
}

function bindAll(
  handle: Handle,
  options: ThreadOptions,
  instance: Instance,
  profiled: readonly string[],
): readonly Feature[] {
  if (instance !== undefined) return bindInstance(handle);
  const isProfiled = (prefix: string) => profiled.some((column) => column.startsWith(prefix));
  const hasField = createFieldProbe(handle);
  const sampling = options.hasPcieSampling && !isProfiled('pcie.') ? bindPcieSampling(handle) : [];
  return [bindEnergy(handle), ...bindGpu(handle, hasField), ...sampling];
}

function countContexts(memory: readonly ProcessMemory[], values: Float64Array, at: number): void {
  contextKinds.forEach((kind, index) => {
    values[at + index] = memory.filter(({ context }) => context === kind).length;
  });
}
