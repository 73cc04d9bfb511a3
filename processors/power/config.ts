import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { energyNames } from '../../src/model/energy-names.js';

export const schema = {
  window: {
    doc: 'Time over which power is averaged, as closely as the readings allow. These windows end at multiples of it on the wall clock.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  metrics: {
    doc: 'Energy counters from which power is computed. Each gives a metric with `.power` in place of `.energy`.',
    format: 'string_list',
    default: energyNames,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
