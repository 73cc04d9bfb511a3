import { readdirSync } from 'node:fs';
import type { Note, TemperatureLimit } from '../../src/gpu/protocol.js';
import { DeviceReader, type Identity, type MigRole } from './device-reader.js';
import { NvmlError, NvmlLibrary, success } from './library.js';
import type { ThreadOptions } from './thread-options.js';

// nvmlGpuVirtualizationMode_t: the device is a slice of a GPU that belongs to the hypervisor.
const virtualGpu = 2;

/** What every device of NVML has. */
const common: Pick<Identity, 'vendor' | 'interfaces' | 'tasks' | 'hasTaskUtilization'> = {
  vendor: 'NVIDIA',
  interfaces: { energy: 'nvml', power: 'nvml_power' },
  tasks: ['general', 'encoder', 'decoder', 'memory'],
  hasTaskUtilization: true,
};

/** The library, loaded and initialized, with every device that can be read. */
export class OpenNvml {
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
    const id = this.#library.readText('nvmlDeviceGetUUID', handle) ?? `${gpu.id}/instance`;
    const [, profile = name] = /MIG (.+)$/.exec(name) ?? [];
    const identity = {
      ...gpu,
      id,
      domain: `gpu/${id}`,
      name: profile === '' ? 'MIG' : profile,
      parent: gpu.id,
      maxWatts: NaN,
      temperatureLimits: [],
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
    const id =
      library.readText('nvmlDeviceGetUUID', device) ??
      `gpu-${library.readNumber('nvmlDeviceGetIndex', device)}`;
    return {
      ...common,
      id,
      domain: `gpu/${id}`,
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

  #readTemperatureLimits(device: number): readonly TemperatureLimit[] {
    const { scratch } = this.#library;
    const read = this.#library.find(
      'nvmlDeviceGetTemperatureThreshold',
      'uintptr_t device, int which, uintptr_t degrees',
    );
    // nvmlTemperatureThresholds_t: 0 is that of the shutdown, 1 that of the slowdown.
    return ['high.critical', 'high.degraded'].flatMap((type, which) =>
      read(device, which, scratch.address) === success
        ? [{ sensor: 'gpu', type, degrees: scratch.u32() }]
        : [],
    );
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
