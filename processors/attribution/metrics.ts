import { floorPower } from '../../src/model/shared-metrics.js';
import type { Metric } from '../../src/model/series.js';

/** Input, matched by name: see `src/model/shared-metrics.ts`. */
export const modelFloorName = floorPower.name;
export const cpuCountName = 'system.cpu.logical.count';

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
