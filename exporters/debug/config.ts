import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  verbosity: {
    doc: 'How much is written. `basic`: a line for each table. `normal`: a line for each value. `detailed`: also resources and start times.',
    format: ['basic', 'normal', 'detailed'],
    default: 'basic',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
