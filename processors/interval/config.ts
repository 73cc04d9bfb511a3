import type { Schema } from '../../src/component/schema.js';

export const schema = {
  interval: {
    doc: 'Time between two points of a series. Intervals end at multiples of it on the wall clock; the last point of each is forwarded.',
    format: 'duration',
    default: '60s',
    min: 1,
  },
  pass_through: {
    gauge: { doc: 'Whether all points of gauges are forwarded.', format: 'boolean', default: false },
    up_down_counter: {
      doc: 'Whether all points of up-down counters are forwarded, as by the Collector. Otherwise they are treated as gauges.',
      format: 'boolean',
      default: true,
    },
    summary: {
      doc: 'Accepted for compatibility with the Collector, without effect.',
      format: 'boolean',
      default: false,
    },
  },
} as const satisfies Schema;
