import type { ConfigOf, Schema } from '../../src/component/schema.js';

/** What is run, and how. */
const hookSettings = {
  command: {
    doc: 'Program and arguments, run without a shell. The program is a path, or a name found in `PATH`.',
    format: 'string_list',
    default: [],
  },
  shell: { doc: 'Command line for `/bin/sh`, in place of `command`.', format: 'string', default: null },
  module: {
    doc: 'ES module, in place of `command`, whose default export is called on the main thread of the collector.',
    format: 'path',
    reads: 'module',
    isOptional: true,
    default: null,
  },
  timeout: {
    doc: 'Maximum duration of a hook. After that, a command is killed with its process group; a module keeps running, but the collector does not wait for it.',
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
    doc: 'Working directory of a command. Unset: that of the collector.',
    format: 'path',
    reads: 'folder',
    isOptional: true,
    default: null,
  },
} as const satisfies Schema;

export const schema = {
  start: {
    doc: 'Hooks to run one after the other when the collector starts: before the extensions that follow in `service.extensions`, and before anything is read.',
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
    doc: 'Hooks to run one after the other when the collector ends, after all data was exported. They also run if a component that starts later failed to start. Together they may take what is left of the 5 seconds of a shutdown, at least 0.2 s.',
    format: 'list',
    items: hookSettings,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** A command or module to run. */
export type Hook = ConfigOf<typeof hookSettings>;
