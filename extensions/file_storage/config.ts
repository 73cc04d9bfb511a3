import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  directory: {
    doc: 'Folder in which the requests of all exporters that use this extension are stored. One agent at a time may use it.',
    format: 'path',
    reads: 'folder',
    default: '/var/lib/joulemetry/file_storage',
  },
  create_directory: {
    doc: 'Whether the folder is created if it does not exist.',
    format: 'boolean',
    default: true,
  },
  fsync: {
    doc: 'Whether each stored request is flushed to the disk, so that it also survives a power failure or a crash of the kernel. In any case, stored requests survive the end of the process.',
    format: 'boolean',
    default: false,
  },
  max_age: {
    doc: 'Age from which waiting requests are dropped instead of sent; they are counted. Unset: they are kept.',
    format: 'duration',
    default: null,
    min: 1,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
