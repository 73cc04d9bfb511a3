import type { Schema } from '../../src/component/schema.js';

export const schema = {
  interval: {
    doc: 'Time between two points of a series. Intervals end at multiples of it on the wall clock.',
    format: 'duration',
    default: '60s',
    min: 1,
  },
  pass_through: {
    gauge: { doc: 'Forwards every point of gauges.', format: 'boolean', default: false },
    summary: {
      doc: 'Accepted for configurations of the Collector, without effect.',
      format: 'boolean',
      default: false,
    },
  },
} as const satisfies Schema;
