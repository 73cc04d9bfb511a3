import type { Schema } from '../../src/component/schema.js';

const ignored = 'Accepted for configurations of the Collector, without effect';

export const schema = {
  max_stale: {
    doc: `${ignored}: the sums of deltas are kept by the receiver otlp.`,
    format: 'duration',
    default: '5m',
  },
  max_streams: {
    doc: `${ignored}: the receiver otlp has its own limit.`,
    format: 'int',
    default: Number.MAX_SAFE_INTEGER,
    min: 0,
  },
} as const satisfies Schema;
