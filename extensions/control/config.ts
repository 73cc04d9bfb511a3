import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';

export const schema = {
  socket: {
    path: {
      doc: 'Path of the Unix socket. Unset: `control.sock` in `$RUNTIME_DIRECTORY`; if that is not set, in `/run/joulemetry` for root, and in `$XDG_RUNTIME_DIR/joulemetry` for other users. Its folder is created if the parent folder exists.',
      format: 'path',
      reads: 'output',
      default: null,
    },
    mode: {
      doc: 'Permissions of the socket, in octal. Every user who may write to it may control the agent.',
      format: 'string',
      default: '0600',
    },
    owner: {
      doc: 'Owner of the socket, by name or number. Unset: the user as which the agent runs.',
      format: 'string',
      default: null,
    },
    group: {
      doc: 'Group of the socket, by name or number; with `mode: 0660`, its members may control the agent. Unset: the group as which the agent runs.',
      format: 'string',
      default: null,
    },
  },
  http: {
    doc: 'Serves the same requests over HTTP as well. Unset: only on the socket.',
    format: 'group',
    settings: {
      endpoint: {
        doc: 'Address to listen on, `host:port`.',
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
