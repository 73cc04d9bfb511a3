import type { ConfigOf, Schema } from '../../src/component/schema.js';

/** What is run, and how. */
const hookSettings = {
  command: {
    doc: 'Program and arguments, run without a shell. The program is a path, or a name found in `PATH`.',
    format: 'string_list',
    default: [],
  },
  shell: { doc: 'A line for `/bin/sh`, in place of `command`.', format: 'string', default: null },
  module: {
    doc: 'An ES module, in place of `command`, whose default export is called on the main thread of the collector.',
    format: 'path',
    default: null,
  },
  timeout: {
    doc: 'How long a hook may run. After that, a command is killed with its process group, and a module is no longer waited for.',
    format: 'duration',
    default: '10s',
    min: 1,
    max: 3_600_000,
  },
  environment: {
    doc: 'Environment variables of a command, in addition to those of the collector. Variables for notifying systemd are not passed.',
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
    doc: 'Hooks that are run one after the other when the collector starts, before components that start later, and so before anything is read.',
    format: 'list',
    items: {
      ...hookSettings,
      required: {
        doc: 'Whether a failure of this hook prevents the start of the collector. Otherwise an error is logged.',
        format: 'boolean',
        default: false,
      },
    },
    default: [],
  },
  shutdown: {
    doc: 'Hooks that are run one after the other when the collector ends, after everything was exported, and also if the start failed after this extension. Together they may take the rest of the 5 seconds of a shutdown, at least 0.2 s.',
    format: 'list',
    items: hookSettings,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** A command or module to run. */
export type Hook = ConfigOf<typeof hookSettings>;
