import { floorPower } from '../../src/model/shared-metrics.js';
import type { Metric } from '../../src/model/series.js';

/** Input, matched by name: see `src/model/shared-metrics.ts`. */
export const modelFloorName = floorPower.name;
export const cpuCountName = 'system.cpu.logical.count';

export const ledgerEnergy: Metric = {
  name: 'ledger.energy',
  unit: 'J',
  description: 'Where the energy of a hardware domain went; the sum over the parts is the energy measured',
  kind: 'counter',
  valueType: 'double',
};

export const processEnergy: Metric = {
  name: 'process.energy',
  unit: 'J',
  description: 'Energy attributed to a process',
  kind: 'counter',
  valueType: 'double',
};

export const programEnergy: Metric = {
  name: 'program.energy',
  unit: 'J',
  description: 'Energy attributed to the processes of a program within its cgroup',
  kind: 'counter',
  valueType: 'double',
};

export const cgroupEnergy: Metric = {
  name: 'linux.cgroup.energy',
  unit: 'J',
  description: 'Energy attributed to the processes of a cgroup, without those of the cgroups below it',
  kind: 'counter',
  valueType: 'double',
};

export const attributionFloor: Metric = {
  name: 'attribution.floor.power',
  unit: 'W',
  description: 'Power of a hardware domain when nothing runs, by which idle energy is told from the rest',
  kind: 'gauge',
  valueType: 'double',
};
