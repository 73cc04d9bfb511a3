import type { Schema } from '../../src/component/schema.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { hostEnergy, hwEnergy } from '../../src/model/shared-metrics.js';

export const schema = {
  error: {
    doc: 'Maximum difference between any reading and the straight line between the forwarded points around it, in the unit of the counter.',
    format: 'number',
    default: 0.2,
    min: 0,
  },
  heartbeat: {
    doc: 'Maximum time between two forwarded points, which is also the maximum delay of a point.',
    format: 'duration',
    default: '10s',
    min: 1,
  },
  metrics: {
    doc: 'Counters to thin out. Everything else is forwarded unchanged.',
    format: 'string_list',
    default: [hwEnergy.name, raplEnergy.name, hostEnergy.name],
  },
} as const satisfies Schema;
