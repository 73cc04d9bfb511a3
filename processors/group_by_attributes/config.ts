import type { Schema } from '../../src/component/schema.js';

export const schema = {
  keys: {
    doc: 'Attributes of series that are moved to their resource.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;
