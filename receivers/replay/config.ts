import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  files: {
    doc: 'Files to read, in this order; `*` in a name stands for several, in the order of their names; `-` is the standard input.',
    format: 'string_list',
    default: [],
  },
  format: {
    doc: 'Format of the files: `json` (OTLP JSON lines), `csv`, `parquet`, `sqlite`, or `auto` to detect it. Compression is always detected.',
    format: ['auto', 'json', 'csv', 'parquet', 'sqlite'],
    default: 'auto',
  },
  speed: {
    doc: 'Speed of the replay: 1 as recorded, 10 ten times as fast, 0 as fast as the pipelines accept the data.',
    format: 'number',
    default: 0,
    min: 0,
  },
  times: {
    doc: 'Timestamps of the points: `recorded` keeps them, `now` moves them so that the first point is now.',
    format: ['recorded', 'now'],
    default: 'recorded',
  },
  at_end: {
    doc: 'After the last file: with `exit` the agent ends once every other receiver has finished, with `wait` it keeps running.',
    format: ['exit', 'wait'],
    default: 'exit',
  },
  progress_interval: {
    doc: 'How often the number of points that have been replayed is logged; 0 for never.',
    format: 'duration',
    default: '10s',
    min: 0,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
