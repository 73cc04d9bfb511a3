import type { Schema } from '../../src/component/schema.js';

const ignored = 'Accepted for compatibility with the Collector, without effect';

export const schema = {
  max_stale: {
    doc: `${ignored}: the receiver \`otlp\` already adds up deltas.`,
    format: 'duration',
    default: '5m',
  },
  max_streams: {
    doc: `${ignored}: the receiver \`otlp\` has a limit of its own, \`max_series\`.`,
    format: 'int',
    default: Number.MAX_SAFE_INTEGER,
    min: 0,
  },
} as const satisfies Schema;
