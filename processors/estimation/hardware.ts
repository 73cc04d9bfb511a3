import { describeEstimate, type PowerModel } from '../../src/energy/power-models.js';
import { ATTR_NETWORK_INTERFACE_NAME, ATTR_SYSTEM_DEVICE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { busyTime, diskIoTime, memoryLimit, networkIo } from '../../src/model/usage-metrics.js';
import type { Config } from './config.js';
import type { Machine, Place } from './machine.js';
import { isVirtualPort } from './virtual-port.js';

/** A piece of hardware, its model, and how its utilization is derived from a reading. */
export interface Hardware {
  /** The key by which its columns in a table are found. */
  readonly key: string;
  readonly attributes: Attributes;
  place(): Place;
  /** Number of units; NaN: unknown so far. */
  units(): number;
  /** The same object as long as it does not change. @param reading the sum of its columns */
  model(reading: number): PowerModel;
  /** The machine whose estimate includes it. */
  readonly whole?: Machine;
  /** Nanoseconds of a unit's use per unit of the reading. */
  readonly nsPerReading: number;
}

const gb = 1024 ** 3;

/** Metrics of hardware utilization. */
export const usageNames: ReadonlySet<string> = new Set([
  busyTime.name,
  memoryLimit.name,
  diskIoTime.name,
  networkIo.name,
]);

/** Finds the hardware whose utilization a series shows. */
export class HardwareFinder {
  readonly #config: Config;
  readonly #drives: readonly { readonly devices: RegExp; readonly model: PowerModel }[];
  readonly #interfaces: RegExp | undefined;

  constructor(config: Config) {
    this.#config = config;
    this.#drives = [config.disk.hdd, config.disk.ssd].flatMap(({ devices, idle_power, max_power }) =>
      devices === null
        ? []
        : [{ devices: new RegExp(devices, 'u'), model: { idleWatts: idle_power, maxWatts: max_power } }],
    );
    const { interfaces } = config.network;
    this.#interfaces = interfaces === null ? undefined : new RegExp(interfaces, 'u');
  }

  /** @returns undefined if the series does not show the utilization of estimated hardware */
  find({ metric, attributes }: Series, machine: Machine): Hardware | undefined {
    switch (metric.name) {
      case busyTime.name:
        return describeCpus(machine);
      case memoryLimit.name:
        return this.#config.memory.power_per_gb > 0 ? this.#describeMemory(machine) : undefined;
      case diskIoTime.name:
        return this.#describeDrive(String(attributes[ATTR_SYSTEM_DEVICE]), machine);
      case networkIo.name:
        return this.#describePort(String(attributes[ATTR_NETWORK_INTERFACE_NAME]), machine);
      default:
        return undefined;
    }
  }

  #describeMemory(machine: Machine): Hardware {
    let bytes = NaN;
    let model: PowerModel = { idleWatts: 0, maxWatts: 0 };
    return {
      key: 'memory',
      attributes: describeEstimate('memory', 'memory', 'Memory'),
      whole: machine,
      place: () => machine.placeOf('memory'),
      units: () => 1,
      model: (reading) => {
        if (reading === bytes) return model;
        bytes = reading;
        const watts = (bytes / gb) * this.#config.memory.power_per_gb;
        model = { idleWatts: watts, maxWatts: watts };
        return model;
      },
      nsPerReading: 0,
    };
  }

  #describeDrive(device: string, machine: Machine): Hardware | undefined {
    const drive = this.#drives.find(({ devices }) => devices.test(device));
    return (
      drive && {
        key: `disk ${device}`,
        attributes: describeEstimate('physical_disk', device, device),
        whole: machine,
        place: () => machine.placeOf('physical_disk'),
        units: () => 1,
        model: () => drive.model,
        nsPerReading: 1e9,
      }
    );
  }

  #describePort(name: string, machine: Machine): Hardware | undefined {
    if (this.#interfaces?.test(name) !== true) return undefined;
    if (machine.isOwn && isVirtualPort(this.#config.sysfs, name)) return undefined;
    const { idle_power: idleWatts, max_power: maxWatts, speed } = this.#config.network;
    const model = { idleWatts, maxWatts };
    return {
      key: `network ${name}`,
      attributes: describeEstimate('network', name, name),
      whole: machine,
      place: () => machine.placeOf('network'),
      // A port receives and transmits at the same time.
      units: () => 2,
      model: () => model,
      nsPerReading: 8e9 / speed,
    };
  }
}

function describeCpus(machine: Machine): Hardware {
  return {
    key: 'cpu',
    attributes: machine.isServer
      ? describeEstimate('host', 'host', 'Host')
      : describeEstimate('cpu', 'cpu', 'CPUs'),
    place: () => machine.cpuPlace,
    units: () => machine.cpus,
    model: () => machine.cpuModel,
    nsPerReading: 1e9,
  };
}
