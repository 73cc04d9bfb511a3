import type { Schema } from '../../src/component/schema.js';

export const schema = {
  keys: {
    doc: 'Attributes of series that become attributes of their resource, where a series has them.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;
