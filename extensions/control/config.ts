import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';

export const schema = {
  socket: {
    path: {
      doc: 'Path of the Unix socket. Not set: `control.sock` in `RUNTIME_DIRECTORY`, in `/run/joulemetry` for root, or in `$XDG_RUNTIME_DIR/joulemetry`. Its folder is created if the parent folder exists.',
      format: 'path',
      default: null,
    },
    mode: {
      doc: 'Permissions of the socket, in octal: who may write to it may control the agent.',
      format: 'string',
      default: '0600',
    },
    owner: {
      doc: 'Owner of the socket, by name or number. Not set: the user that the agent runs as.',
      format: 'string',
      default: null,
    },
    group: {
      doc: 'Group of the socket, by name or number; `mode: 0660` then admits its members. Not set: the group that the agent runs as.',
      format: 'string',
      default: null,
    },
  },
  http: {
    doc: 'Serves the same requests over HTTP. Off unless this is set.',
    format: 'group',
    settings: {
      endpoint: {
        doc: 'Where to listen.',
        format: 'endpoint',
        default: 'localhost:13134',
      },
      token_file: {
        doc: 'File with the token that every request must have (`Authorization: Bearer TOKEN`). If it does not exist, it is created with a random token and is readable only by its owner. It is read again when it changes.',
        format: 'path',
        default: null,
      },
      ...webConfigSettings,
    },
    default: null,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
