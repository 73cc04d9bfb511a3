import { readdirSync } from 'node:fs';
import type { DeviceRow, Note, TemperatureLimit } from '../../src/gpu/protocol.js';
import { DeviceReader, type Identity, type MigRole } from './device-reader.js';
import { isTransient, NvmlError, NvmlLibrary, success } from './library.js';
import { countSms, countUsableSms, findUseColumn, listInstances, MigUsage, type Slice } from './mig.js';
import type { ThreadOptions } from './thread-options.js';

// nvmlGpuVirtualizationMode_t: the device is a part of a GPU that belongs to the hypervisor.
const virtualGpu = 2;

/** What all NVML devices have in common. */
const common: Pick<Identity, 'vendor' | 'interfaces' | 'tasks' | 'hasTaskUtilization'> = {
  vendor: 'NVIDIA',
  interfaces: { energy: 'nvml', power: 'nvml_power' },
  tasks: ['general', 'encoder', 'decoder', 'memory'],
  hasTaskUtilization: true,
};

/** A GPU, and its MIG instances. */
interface GpuReaders {
  readonly gpu: DeviceReader;
  readonly instances: readonly DeviceReader[];
  /** Undefined: it is not divided, or the utilization of its instances is unknown. */
  readonly usage: MigUsage | undefined;
}

/** The loaded and initialized library, with all readable devices. */
export class OpenNvml {
  readonly #gpus: readonly GpuReaders[] = [];
  readonly notes: Note[] = [];
  /** Why GPUs have no reader. */
  readonly unreadable: string[] = [];
  /** Whether such a GPU may be readable later: it is lost, or needs a reset. */
  mayRecover = false;
  readonly #library: NvmlLibrary;
  readonly #options: ThreadOptions;
  readonly #signature: string;
  readonly #driverVersion: string;

  /** @throws Error if the library cannot be loaded, or finds no GPU */
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
      this.#gpus = this.#openDevices();
      this.#signature = this.#describeDevices();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Every GPU, each followed by its instances. */
  get readers(): readonly DeviceReader[] {
    return this.#gpus.flatMap(({ gpu, instances }) => [gpu, ...instances]);
  }

  /** Reads every device. Instances are read before their GPU, whose energy then covers their windows. */
  read(readDevice: (reader: DeviceReader, hasProfile: boolean) => DeviceRow): readonly DeviceRow[] {
    return this.#gpus.flatMap(({ gpu, instances, usage }) => {
      const read = (reader: DeviceReader) => readDevice(reader, reader.isProfileDue);
      const { rows, total } = usage?.read(readDevice) ?? { rows: instances.map(read), total: undefined };
      const row = read(gpu);
      return [...rows, total === undefined ? row : { ...row, usage: total }];
    });
  }

  /** Whether GPUs or MIG instances were added or removed, or the driver no longer lists any. */
  hasChanged(): boolean {
    try {
      return this.#describeDevices() !== this.#signature;
    } catch (error) {
      if (error instanceof NvmlError) return true;
      throw error;
    }
  }

  /** Continues the windows of processes of the GPUs that were read before, so that none of their time is missed. */
  continueFrom(before: OpenNvml): void {
    for (const { gpu, usage } of this.#gpus) {
      const known = before.#gpus.find((one) => one.gpu.device.id === gpu.device.id);
      if (known === undefined || known.gpu.lostBy !== undefined) continue;
      gpu.continueFrom(known.gpu);
      if (known.usage) usage?.continueFrom(known.usage);
    }
  }

  close(): void {
    for (const reader of this.readers) reader.close(reader.lostBy === undefined);
    this.#library.find('nvmlShutdown', '')();
    this.#library.unload();
  }

  #openDevices(): readonly GpuReaders[] {
    return this.#listHandles().flatMap((handle, index) => {
      if (typeof handle === 'number') return this.#openGpu(handle, index);
      this.#refuse(handle);
      return [];
    });
  }

  #refuse({ message, status }: NvmlError): void {
    this.unreadable.push(message);
    this.mayRecover ||= isTransient(status);
  }

  #openGpu(device: number, index: number): readonly GpuReaders[] {
    // Without a UUID, a lost GPU would look like another one.
    const uuid = this.#library.tryText('nvmlDeviceGetUUID', device);
    if (typeof uuid === 'number' && isTransient(uuid)) {
      this.#refuse(new NvmlError(`identify GPU ${index}`, uuid));
      return [];
    }
    const identity = this.#identify(device, typeof uuid === 'string' ? uuid : `gpu-${index}`);
    if (this.#library.readNumber('nvmlDeviceGetVirtualizationMode', device) === virtualGpu) {
      this.unreadable.push(
        `Cannot read "${identity.name}" (${identity.id}): expected a GPU, found a vGPU, whose energy, power and clocks are those of ` +
          'the GPU of the hypervisor; run the collector there',
      );
      return [];
    }
    const handles = listInstances(this.#library, device);
    const gpu = this.#openReader(identity, device, { isDivided: handles.length > 0 });
    if (gpu.lostBy !== undefined) {
      this.unreadable.push(`Cannot read "${identity.name}" (${identity.id}): ${gpu.lostBy}`);
      this.mayRecover = true;
      return [];
    }
    const slices = handles.map((handle) => this.#openInstance(handle, device, identity));
    const instances = slices.map(({ reader }) => reader);
    const isKnown = slices.every(({ reader, smCount }) => findUseColumn(reader) >= 0 && smCount > 0);
    const usage =
      this.#options.hasProcesses && slices.length > 0 && isKnown
        ? new MigUsage(slices, countUsableSms(this.#library, device))
        : undefined;
    return [{ gpu, instances, usage }];
  }

  #openInstance(handle: number, parent: number, gpu: Identity): Slice {
    const name = this.#library.readText('nvmlDeviceGetName', handle) ?? '';
    const id = this.#library.readText('nvmlDeviceGetUUID', handle) ?? `${gpu.id}/instance`;
    const [, profile = name] = /MIG (.+)$/.exec(name) ?? [];
    const identity = {
      ...gpu,
      id,
      domain: `gpu/${id}`,
      name: profile === '' ? 'MIG' : profile,
      parent: gpu.id,
      isInstance: true,
      tasks: ['general'] as const,
      hasTaskUtilization: false,
      maxWatts: NaN,
      temperatureLimits: [],
    };
    const gpuInstance = this.#library.readNumber('nvmlDeviceGetGpuInstanceId', handle) ?? 0;
    const reader = this.#openReader(identity, handle, { instance: { parent, gpuInstance } });
    return { reader, gpuInstance, ...countSms(this.#library, handle) };
  }

  #openReader(identity: Identity, device: number, role: MigRole): DeviceReader {
    const reader = new DeviceReader(identity, { library: this.#library, device }, this.#options, role);
    this.notes.push(...reader.notes);
    return reader;
  }

  #identify(device: number, id: string): Identity {
    const library = this.#library;
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
    // nvmlTemperatureThresholds_t: 0 is the shutdown temperature, 1 the slowdown temperature.
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

  /** Lists the existing devices as a text to compare. A newly added GPU appears in procfs first. */
  #describeDevices(): string {
    const handles = this.#listHandles();
    const ids = handles.map((handle) =>
      typeof handle === 'number'
        ? [handle, ...listInstances(this.#library, handle)].map((one) =>
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
    // Missing in WSL and in some containers.
    return [];
  }
}
