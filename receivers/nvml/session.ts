import { readdirSync } from 'node:fs';
import { describeError } from '../../src/errors.js';
import { createLostRow, DeviceReader, type Identity, type MigRole } from './device-reader.js';
import { NvmlError, NvmlLibrary, success } from './library.js';
import type { Device, DeviceRow, Note, Reading, ThreadOptions } from './protocol.js';

/** GPUs and MIG instances that came or went are looked for so often. */
const lookAgainAfterMs = 10_000;
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

// nvmlGpuVirtualizationMode_t: the device is a slice of a GPU that belongs to the hypervisor.
const virtualGpu = 2;

/** The library, loaded and initialized, with every device that can be read. */
class OpenNvml {
  readonly readers: readonly DeviceReader[];
  readonly notes: Note[] = [];
  /** Why GPUs are not among the readers that are there. */
  readonly unreadable: string[] = [];
  readonly #library: NvmlLibrary;
  readonly #options: ThreadOptions;
  readonly #signature: string;
  readonly #driverVersion: string;

  /** @throws Error when the library cannot be loaded, or knows no GPU */
  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#library = new NvmlLibrary(options.library);
    try {
      this.#library.check('initialize NVML', this.#library.find('nvmlInit_v2', '')());
    } catch (error) {
      this.#library.unload();
      throw error;
    }
    try {
      this.#driverVersion = this.#readDriverVersion();
      this.readers = this.#openDevices();
      this.#signature = this.#describeDevices();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether GPUs or MIG instances came or went. */
  hasChanged(): boolean {
    return this.#describeDevices() !== this.#signature;
  }

  close(): void {
    this.readers?.forEach((reader) => reader.close(reader.lostBy === undefined));
    this.#library.find('nvmlShutdown', '')();
    this.#library.unload();
  }

  #openDevices(): readonly DeviceReader[] {
    return this.#listHandles().flatMap((handle) => {
      if (typeof handle !== 'number') {
        this.unreadable.push(handle.message);
        return [];
      }
      return this.#openGpu(handle);
    });
  }

  #openGpu(device: number): readonly DeviceReader[] {
    const identity = this.#identify(device);
    if (this.#library.readNumber('nvmlDeviceGetVirtualizationMode', device) === virtualGpu) {
      this.unreadable.push(
        `Cannot read "${identity.name}" (${identity.id}): expected a GPU, found a vGPU, whose energy, power and clocks are those of ` +
          'the GPU of the hypervisor; run the collector there',
      );
      return [];
    }
    const instances = this.#listInstances(device);
    const gpu = this.#openReader(identity, device, { isDivided: instances.length > 0 });
    return [gpu, ...instances.map((instance) => this.#openInstance(instance, device, identity))];
  }

  #openInstance(handle: number, parent: number, gpu: Identity): DeviceReader {
    const name = this.#library.readText('nvmlDeviceGetName', handle) ?? '';
    const [, profile = name] = /MIG (.+)$/.exec(name) ?? [];
    const identity = {
      ...gpu,
      id: this.#library.readText('nvmlDeviceGetUUID', handle) ?? `${gpu.id}/instance`,
      name: profile === '' ? 'MIG' : profile,
      parent: gpu.id,
      maxWatts: NaN,
      temperatureLimits: {},
    };
    const gpuInstance = this.#library.readNumber('nvmlDeviceGetGpuInstanceId', handle) ?? 0;
    return this.#openReader(identity, handle, { instance: { parent, gpuInstance } });
  }

  #openReader(identity: Identity, device: number, role: MigRole): DeviceReader {
    const reader = new DeviceReader(identity, { library: this.#library, device }, this.#options, role);
    this.notes.push(...reader.notes);
    return reader;
  }

  #identify(device: number): Identity {
    const library = this.#library;
    return {
      id:
        library.readText('nvmlDeviceGetUUID', device) ??
        `gpu-${library.readNumber('nvmlDeviceGetIndex', device)}`,
      name: library.readText('nvmlDeviceGetName', device) ?? 'NVIDIA GPU',
      parent: undefined,
      serialNumber: library.readText('nvmlDeviceGetSerial', device),
      firmwareVersion: library.readText('nvmlDeviceGetVbiosVersion', device),
      driverVersion: this.#driverVersion,
      maxWatts: this.#readMaxWatts(device),
      temperatureLimits: this.#readTemperatureLimits(device),
    };
  }

  #readMaxWatts(device: number): number {
    const { scratch } = this.#library;
    const read = this.#library.find(
      'nvmlDeviceGetPowerManagementLimitConstraints',
      'uintptr_t device, uintptr_t least, uintptr_t most',
    );
    return read(device, scratch.address, scratch.address + 4) === success ? scratch.u32(4) / 1e3 : NaN;
  }

  #readTemperatureLimits(device: number): Readonly<Record<string, number>> {
    const { scratch } = this.#library;
    const read = this.#library.find(
      'nvmlDeviceGetTemperatureThreshold',
      'uintptr_t device, int which, uintptr_t degrees',
    );
    // nvmlTemperatureThresholds_t: 0 is that of the shutdown, 1 that of the slowdown.
    const limits = ['high.critical', 'high.degraded'].flatMap((type, which) =>
      read(device, which, scratch.address) === success ? [[type, scratch.u32()]] : [],
    );
    // Each is a name and a number, as just made.
    return Object.fromEntries(limits) as Record<string, number>;
  }

  #readDriverVersion(): string {
    const { scratch } = this.#library;
    const read = this.#library.find('nvmlSystemGetDriverVersion', 'uintptr_t text, unsigned int length');
    return read(scratch.address, 80) === success ? scratch.text() : 'unknown';
  }

  #listHandles(): readonly (number | NvmlError)[] {
    const { scratch } = this.#library;
    const count = this.#library.find('nvmlDeviceGetCount_v2', 'uintptr_t count')(scratch.address);
    this.#library.check('count the GPUs', count);
    const find = this.#library.find('nvmlDeviceGetHandleByIndex_v2', 'unsigned int index, uintptr_t device');
    return Array.from({ length: Math.min(scratch.u32(), 256) }, (_, index) => {
      const status = find(index, scratch.address);
      return status === success ? scratch.u64() : new NvmlError(`open GPU ${index}`, status);
    });
  }

  /** The handles of the MIG instances of a GPU. */
  #listInstances(device: number): readonly number[] {
    const { scratch } = this.#library;
    const mode = this.#library.find(
      'nvmlDeviceGetMigMode',
      'uintptr_t device, uintptr_t current, uintptr_t pending',
    );
    if (mode(device, scratch.address, scratch.address + 4) !== success || scratch.u32() !== 1) return [];
    const maxCount = this.#library.readNumber('nvmlDeviceGetMaxMigDeviceCount', device) ?? 0;
    const find = this.#library.find(
      'nvmlDeviceGetMigDeviceHandleByIndex',
      'uintptr_t device, unsigned int index, uintptr_t instance',
    );
    return Array.from({ length: Math.min(maxCount, 64) }, (_, index) => index).flatMap((index) =>
      find(device, index, scratch.address) === success ? [scratch.u64()] : [],
    );
  }

  /** Which devices there are, as a text to compare. A GPU that is plugged in shows in procfs first. */
  #describeDevices(): string {
    const handles = this.#listHandles();
    const ids = handles.map((handle) =>
      typeof handle === 'number'
        ? [handle, ...this.#listInstances(handle)].map((one) =>
            this.#library.readText('nvmlDeviceGetUUID', one),
          )
        : handle.status,
    );
    return JSON.stringify([ids, listProcfs(this.#options.procfs)]);
  }
}

function listProcfs(procfs: string): readonly string[] {
  try {
    return readdirSync(`${procfs}/driver/nvidia/gpus`).toSorted();
  } catch {
    // Not there in WSL and in some containers.
    return [];
  }
}

/** Reads all devices periodically, and opens the library again after a loss, a reset or a reload of the driver. */
export class Session {
  readonly #options: ThreadOptions;
  readonly #nowMs: () => number;
  #open: OpenNvml | undefined;
  /** Devices that were there and are lost: they stay until the library is opened without a failure. */
  #lost = new Map<string, Device>();
  #devices: readonly Device[] = [];
  #lookedMs = 0;
  #retryMs = Infinity;
  #waitMs = firstRetryMs;
  #failure: string | undefined;
  /** What was logged of GPUs that cannot be read. */
  #unreadable: readonly string[] = [];

  /** @param nowMs a clock that never runs backwards */
  constructor(options: ThreadOptions, nowMs = () => performance.now()) {
    this.#options = options;
    this.#nowMs = nowMs;
  }

  /**
   * Opens the library for the first time.
   * @throws Error when no device can be read
   */
  open(): Reading {
    const opened = new OpenNvml(this.#options);
    if (opened.readers.length === 0) {
      opened.close();
      throw new Error(opened.unreadable.length > 0 ? opened.unreadable.join('; ') : 'NVML knows no GPU');
    }
    const notes = this.#adopt(opened);
    return { devices: this.#devices, rows: [], notes, failure: undefined };
  }

  read(): Reading {
    const nowMs = this.#nowMs();
    const before = this.#devices;
    const notes: Note[] = [];
    if (nowMs >= this.#retryMs || this.#isOutdated(nowMs)) notes.push(...this.#openAgain());
    const rows = (this.#open?.readers ?? []).map((reader) => this.#readDevice(reader, notes));
    const atNs = process.hrtime.bigint();
    const lost = [...this.#lost.keys()].map((id) => createLostRow(id, atNs));
    const devices = this.#devices === before ? undefined : this.#devices;
    return { devices, rows: [...rows, ...lost], notes, failure: this.#failure };
  }

  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  #readDevice(reader: DeviceReader, notes: Note[]): DeviceRow {
    const { id, name } = reader.device;
    if (reader.lostBy !== undefined) return createLostRow(id, process.hrtime.bigint());
    const row = reader.read();
    // `read` may have found out.
    const lostBy = reader.lostBy as string | undefined;
    if (lostBy !== undefined) {
      notes.push({ level: 'warn', text: `Lost "${name}" (${id}): ${lostBy}` });
      this.#retryLater();
    }
    return row;
  }

  #isOutdated(nowMs: number): boolean {
    if (this.#open === undefined || nowMs - this.#lookedMs < lookAgainAfterMs) return false;
    this.#lookedMs = nowMs;
    return this.#open.hasChanged();
  }

  #openAgain(): readonly Note[] {
    const before = this.#devices;
    this.close();
    try {
      const opened = new OpenNvml(this.#options);
      const notes = this.#adopt(opened, before);
      const isWhole = opened.unreadable.length === 0 && this.#lost.size === 0;
      if (isWhole) this.#waitMs = firstRetryMs;
      else if (this.#lost.size > 0) this.#retryLater();
      return notes;
    } catch (error) {
      const failure = describeError(error);
      const isNew = failure !== this.#failure;
      this.#failure = failure;
      for (const device of before) if (device.parent === undefined) this.#lost.set(device.id, device);
      this.#devices = [...this.#lost.values()];
      this.#retryLater();
      return isNew ? [{ level: 'warn', text: `Continuing without GPUs: ${failure}` }] : [];
    }
  }

  #adopt(opened: OpenNvml, before: readonly Device[] = []): readonly Note[] {
    this.#open = opened;
    this.#failure = undefined;
    this.#retryMs = Infinity;
    this.#lookedMs = this.#nowMs();
    const found = opened.readers.map(({ device }) => device);
    const ids = new Set(found.map(({ id }) => id));
    // Where a GPU cannot be opened, one that is missing may be that one; else it was taken out.
    const missing = opened.unreadable.length > 0 ? before.filter(({ id }) => !ids.has(id)) : [];
    this.#lost = new Map(missing.filter(({ parent }) => parent === undefined).map((one) => [one.id, one]));
    this.#devices = [...found, ...this.#lost.values()];
    return [
      ...opened.notes,
      ...this.#noteUnreadable(opened.unreadable),
      ...found
        .filter(({ id }) => !before.some((one) => one.id === id))
        .map(({ name, id }): Note => ({ level: 'info', text: `Reading "${name}" (${id})` })),
    ];
  }

  #noteUnreadable(unreadable: readonly string[]): readonly Note[] {
    const known = this.#unreadable;
    this.#unreadable = unreadable;
    return unreadable.filter((text) => !known.includes(text)).map((text) => ({ level: 'warn', text }));
  }

  #retryLater(): void {
    this.#retryMs = this.#nowMs() + this.#waitMs;
    this.#waitMs = Math.min(2 * this.#waitMs, maxRetryMs);
  }
}
