import type { ConfigOf, Schema } from '../../src/component/schema.js';

/** What is run, and how. */
const hookSettings = {
  command: {
    doc: 'Program and arguments, which no shell sees. The program is a path, or a name found in `PATH`.',
    format: 'string_list',
    default: [],
  },
  shell: { doc: 'A line for `/bin/sh`, in place of `command`.', format: 'string', default: null },
  module: {
    doc: 'An ES module, in place of `command`, whose default export is called in the collector itself.',
    format: 'path',
    default: null,
  },
  timeout: {
    doc: 'How long it may run. Then a command is killed with its process group; the result of a module is not waited for any longer.',
    format: 'duration',
    default: '10s',
    min: 1,
    max: 3_600_000,
  },
  environment: {
    doc: 'Environment variables of a command, over those that the collector has. It does not get those by which systemd is notified.',
    format: 'string_map',
    default: {},
    sensitive: true,
  },
  working_directory: {
    doc: "Where a command runs. Unset: the collector's working directory.",
    format: 'path',
    default: null,
  },
} as const satisfies Schema;

export const schema = {
  start: {
    doc: 'Run one after the other when the collector starts, before components that start later, and so before anything is read.',
    format: 'list',
    items: {
      ...hookSettings,
      required: {
        doc: 'Whether the collector does not start when this fails. Otherwise an error is logged.',
        format: 'boolean',
        default: false,
      },
    },
    default: [],
  },
  shutdown: {
    doc: 'Run one after the other when the collector ends, after everything was exported, and also after a start that failed later. All together have what is left of the 5 seconds of a shutdown, at least 0.2 s.',
    format: 'list',
    items: hookSettings,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** One thing to run. */
export type Hook = ConfigOf<typeof hookSettings>;
