import type { ConfigOf, Schema } from '../../src/component/schema.js';
import {
  checkPowers,
  diskModels,
  memoryWattsPerGb,
  networkModel,
  serverNames,
} from '../../src/energy/power-models.js';

const { hdd, ssd } = diskModels;

export const schema = {
  cpu: {
    processor: {
      doc: 'Micro-architecture of the processors, which selects idle and maximum power from the table of whole servers in the README. Ignored if `tdp` or both powers are set.',
      format: serverNames,
      default: 'average',
    },
    tdp: {
      doc: 'Thermal design power of the processors, in watts. Their power is then 0 W when idle and `tdp` at full use.',
      format: 'number',
      default: null,
      min: 0,
    },
    tdp_cpus: {
      doc: 'Number of logical CPUs that together use `tdp`. A virtual machine with 8 of 64 CPUs has an eighth of this power. Unset: all CPUs of this machine.',
      format: 'int',
      default: null,
      min: 1,
    },
    idle_power: {
      doc: 'Power of all processors when nothing runs, in watts; set it together with `max_power`.',
      format: 'number',
      default: null,
      min: 0,
    },
    max_power: {
      doc: 'Power of all processors at full use, in watts; set it together with `idle_power`.',
      format: 'number',
      default: null,
      min: 0,
    },
    max_frequency: {
      doc: 'Frequency at which the processors reach their maximum power, in Hz. The power above idle is multiplied by (frequency / `max_frequency`) to the power of `frequency_exponent`. Unset: the frequency is ignored.',
      format: 'number',
      default: null,
      min: 1,
    },
    frequency_exponent: {
      doc: 'Exponent by which the power above idle depends on the frequency. 1: in proportion to it; up to 3 if the voltage changes with the frequency.',
      format: 'number',
      default: 1,
      min: 0,
      max: 3,
    },
  },
  memory: {
    power_per_gb: {
      doc: 'Power of a gigabyte (1024^3 bytes) of memory, in watts. 0: memory is not estimated.',
      format: 'number',
      default: memoryWattsPerGb,
      min: 0,
    },
  },
  disk: {
    hdd: {
      devices: {
        doc: 'Names of the block devices that are hard disks, such as `^sd[a-z]+$`. Unset: none.',
        format: 'regexp',
        default: null,
      },
      idle_power: {
        doc: 'Power of a hard disk that does nothing, in watts.',
        format: 'number',
        default: hdd.idleWatts,
        min: 0,
      },
      max_power: {
        doc: 'Power of a hard disk that is always busy, in watts.',
        format: 'number',
        default: hdd.maxWatts,
        min: 0,
      },
    },
    ssd: {
      devices: {
        doc: 'Names of the block devices that are solid state drives. Unset: none. A device that matches both settings is a hard disk.',
        format: 'regexp',
        default: '^nvme[0-9]+n[0-9]+$',
      },
      idle_power: {
        doc: 'Power of a solid state drive that does nothing, in watts.',
        format: 'number',
        default: ssd.idleWatts,
        min: 0,
      },
      max_power: {
        doc: 'Power of a solid state drive that is always busy, in watts.',
        format: 'number',
        default: ssd.maxWatts,
        min: 0,
      },
    },
  },
  network: {
    interfaces: {
      doc: 'Names of the network interfaces with hardware of their own. Unset: none. On this machine, interfaces that are virtual according to sysfs are left out.',
      format: 'regexp',
      default: '^(en|eth|ib)[a-z0-9]+$',
    },
    idle_power: {
      doc: 'Power of a port without traffic, in watts.',
      format: 'number',
      default: networkModel.idleWatts,
      min: 0,
    },
    max_power: {
      doc: 'Power of a port that receives and transmits at full speed, in watts.',
      format: 'number',
      default: networkModel.maxWatts,
      min: 0,
    },
    speed: {
      doc: 'Speed of a port in each direction, in bit/s.',
      format: 'number',
      default: 10e9,
      min: 1,
    },
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** Validates settings that depend on each other. */
export function checkConfig({ cpu, disk, network }: Config): readonly string[] {
  return [
    ...checkCpu(cpu),
    ...checkPowers(disk.hdd, 'disk.hdd.'),
    ...checkPowers(disk.ssd, 'disk.ssd.'),
    ...checkPowers(network, 'network.'),
  ];
}

function checkCpu(cpu: Config['cpu']): readonly string[] {
  if (cpu.tdp_cpus !== null && cpu.tdp === null)
    return ['cpu.tdp: expected a power because cpu.tdp_cpus is set, found none'];
  const { idle_power: idle, max_power: max } = cpu;
  if (cpu.tdp !== null && (idle !== null || max !== null))
    return ['cpu.tdp: expected neither idle_power nor max_power beside it, found one of them'];
  return checkPowers(cpu, 'cpu.');
}
