import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  files: {
    doc: 'Files to read, in this order. A `*` in a file name matches any characters; matching files are read in the order of their names. `-` is the standard input.',
    format: 'string_list',
    reads: 'recordings',
    default: [],
  },
  format: {
    doc: 'Format of the files: `json` (OTLP JSON lines), `csv`, `parquet` or `sqlite`; `auto` detects it. Compression is always detected.',
    format: ['auto', 'json', 'csv', 'parquet', 'sqlite'],
    default: 'auto',
  },
  speed: {
    doc: 'Speed of the replay. 1: as recorded; 10: ten times as fast; 0: as fast as the pipelines accept the data.',
    format: 'number',
    default: 0,
    min: 0,
  },
  times: {
    doc: 'Timestamps of the points. `recorded`: unchanged. `now`: all are shifted by the same time, so that the first point is now.',
    format: ['recorded', 'now'],
    default: 'recorded',
  },
  at_end: {
    doc: 'What happens after the last file. `exit`: the agent ends, unless other receivers still run. `wait`: it keeps running.',
    format: ['exit', 'wait'],
    default: 'exit',
  },
  progress_interval: {
    doc: 'Time between two log messages about the progress; 0: no messages.',
    format: 'duration',
    default: '10s',
    min: 0,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
