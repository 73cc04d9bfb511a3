import type { Schema } from '../../src/component/schema.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { hostEnergy, hwEnergy } from '../../src/model/shared-metrics.js';

export const schema = {
  error: {
    doc: 'How far the curve through the points that are left may be from any reading, in the unit of the counter.',
    format: 'number',
    default: 0.2,
    min: 0,
  },
  heartbeat: {
    doc: 'Longest time between two points that are left: so late may the last of them be.',
    format: 'duration',
    default: '10s',
    min: 1,
  },
  metrics: {
    doc: 'Counters to thin out; everything else is forwarded as it is.',
    format: 'string_list',
    default: [hwEnergy.name, raplEnergy.name, hostEnergy.name],
  },
} as const satisfies Schema;
