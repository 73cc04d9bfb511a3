import type { Metric } from '../../src/model/series.js';

export const ATTR_WORK_UNIT = 'work.unit';
export const ATTR_WORK_ENERGY_METRIC = 'work.energy.metric';
export const ATTR_WORK_METHOD = 'work.method';

export const workEnergy: Metric = {
  name: 'work.energy',
  unit: 'J',
  description: 'Energy of a workload by the kind of work that it was used for',
  kind: 'counter',
  valueType: 'double',
};

export const energyPerUnit: Metric = {
  name: 'work.energy.per_unit',
  unit: 'J',
  description: 'Energy of one unit of work',
  kind: 'gauge',
  valueType: 'double',
};

export const workResidual: Metric = {
  name: 'work.residual',
  unit: '1',
  description:
    'Root mean square difference between the energy of windows and the energy that their work explains, as a share of the energy of windows',
  kind: 'gauge',
  valueType: 'double',
};

export const carbonPerUnit: Metric = {
  name: 'work.carbon.per_unit',
  unit: 'g',
  description: 'Software Carbon Intensity (ISO/IEC 21031) of one unit of work, in CO2 equivalent',
  kind: 'gauge',
  valueType: 'double',
};
