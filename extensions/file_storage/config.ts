import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  directory: {
    doc: 'Folder for the requests of all exporters that name this extension. One agent at a time may use it.',
    format: 'path',
    default: '/var/lib/joulemetry/file_storage',
  },
  create_directory: {
    doc: 'Whether the folder is created if it does not exist.',
    format: 'boolean',
    default: true,
  },
  fsync: {
    doc: 'Whether stored requests are written to the device at once, so that they also survive a power failure or a crash of the kernel once they are written. In either case, they survive the end of the process.',
    format: 'boolean',
    default: false,
  },
  max_age: {
    doc: 'Requests that have waited longer are dropped instead of sent, and counted. Not set: they are kept.',
    format: 'duration',
    default: null,
    min: 1,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
