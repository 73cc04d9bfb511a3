import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';

export const schema = {
  socket: {
    path: {
      doc: 'Path of the Unix socket. Not set: `control.sock` in `RUNTIME_DIRECTORY`, in `/run/joulemetry` for root, or in `$XDG_RUNTIME_DIR/joulemetry`. Its folder is created where its own folder exists.',
      format: 'path',
      default: null,
    },
    mode: {
      doc: 'Permissions of the socket, in octal: who may write to it may control the agent.',
      format: 'string',
      default: '0600',
    },
    owner: {
      doc: 'User that the socket is to belong to, by name or number. Not set: the one that the agent runs as.',
      format: 'string',
      default: null,
    },
    group: {
      doc: 'Group that the socket is to belong to, by name or number; `mode: 0660` then admits its members. Not set: the one that the agent runs as.',
      format: 'string',
      default: null,
    },
  },
  http: {
    doc: 'Serves the same over HTTP. Only where this is written.',
    format: 'group',
    settings: {
      endpoint: {
        doc: 'Where to listen.',
        format: 'endpoint',
        default: 'localhost:13134',
      },
      token_file: {
        doc: 'File with the token that every request must have (`Authorization: Bearer TOKEN`). One that does not exist is created with a random token, for its owner only. It is read again when it changes.',
        format: 'path',
        default: null,
      },
      ...webConfigSettings,
    },
    default: null,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
