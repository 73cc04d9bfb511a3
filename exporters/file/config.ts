import type { ConfigOf, Schema } from '../../src/component/schema.js';
import {
  ATTR_HOST_NAME,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_PID,
} from '../../src/model/semantic-conventions.js';

const rotationSettings = {
  max_megabytes: {
    doc: 'Size in MiB at which a new file is started. 0: no limit.',
    format: 'int',
    default: 100,
    min: 0,
  },
  interval: {
    doc: 'Age at which a new file is started. 0: no limit.',
    format: 'duration',
    default: '0',
  },
  max_days: {
    doc: 'Number of days after which backups are deleted. 0: never.',
    format: 'int',
    default: 0,
    min: 0,
  },
  max_backups: {
    doc: 'Maximum number of backups that are kept. 0: no limit.',
    format: 'int',
    default: 100,
    min: 0,
  },
  localtime: {
    doc: 'Whether the names of backups contain local time. Otherwise they contain UTC.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type RotationConfig = ConfigOf<typeof rotationSettings>;

export const schema = {
  path: {
    doc: 'File to write. Its folder must exist.',
    format: 'path',
    reads: 'output',
    default: null,
  },
  format: {
    doc: 'Format of the file. `json`: OTLP JSON lines, as the Collector writes them. `csv`: a column per metric. `parquet`: a row per point.',
    format: ['json', 'csv', 'parquet'],
    default: 'json',
  },
  compression: {
    doc: 'How JSON and CSV are compressed: `none`, `gzip`, or `zstd` with Node 22.15 or later. Parquet has its own compression.',
    format: ['none', 'gzip', 'zstd'],
    default: 'none',
  },
  append: {
    doc: 'Whether an existing file is continued, or becomes a backup if it cannot be continued. Otherwise it is replaced.',
    format: 'boolean',
    default: true,
  },
  flush_interval: {
    doc: 'Maximum time that points wait before they are written. A crash loses at most the points that wait.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  buffer_bytes: {
    doc: 'Maximum size of all tables that wait to be written. Further tables are refused and counted.',
    format: 'byte_size',
    default: '64MiB',
    min: 1,
  },
  attribute_columns: {
    doc: 'For CSV and Parquet: attributes of points and resources that have a column of their own.',
    format: 'string_list',
    default: [ATTR_HOST_NAME, ATTR_HW_TYPE, ATTR_HW_ID, ATTR_PROCESS_PID, ATTR_PROCESS_EXECUTABLE_NAME],
  },
  rotation: {
    doc: 'When the file becomes a backup and a new one is started. Unset: never.',
    format: 'group',
    default: null,
    settings: rotationSettings,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** A configuration with a file to write. */
export type FileConfig = Config & { readonly path: string };
