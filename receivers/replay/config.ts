import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  files: {
    doc: 'Files to read, in this order; `*` in a name stands for several, in the order of their names; `-` is the standard input.',
    format: 'string_list',
    default: [],
  },
  format: {
    doc: 'What the files are: `json` OTLP JSON lines, `csv`, `parquet`, or `auto` to look into them. Compression shows by itself.',
    format: ['auto', 'json', 'csv', 'parquet'],
    default: 'auto',
  },
  speed: {
    doc: 'How fast time goes by: 1 as it was recorded, 10 ten times as fast, 0 as fast as the pipelines take it.',
    format: 'number',
    default: 0,
    min: 0,
  },
  times: {
    doc: 'Which instants points have: `recorded` their own, `now` moved so that the first one is now.',
    format: ['recorded', 'now'],
    default: 'recorded',
  },
  at_end: {
    doc: 'What happens after the last file: `exit` the agent ends, once every other receiver is done, too, or `wait` it stays.',
    format: ['exit', 'wait'],
    default: 'exit',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
