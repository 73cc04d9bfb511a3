import type { Schema } from '../../src/component/schema.js';

const ignored = 'Accepted for compatibility with the Collector, without effect.';

export const schema = {
  timeout: { doc: ignored, format: 'duration', default: '200ms' },
  send_batch_size: { doc: ignored, format: 'int', default: 8192, min: 0 },
  send_batch_max_size: { doc: ignored, format: 'int', default: 0, min: 0 },
  metadata_keys: { doc: ignored, format: 'string_list', default: [] },
  metadata_cardinality_limit: { doc: ignored, format: 'int', default: 1000, min: 0 },
} as const satisfies Schema;
