import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { tlsSettings } from '../../src/http/tls-files.js';
import { otlpSettings } from '../../src/otlp/otlp-settings.js';

export const schema = {
  endpoint: {
    doc: 'Where the backend is, `host:port`; `http://` before it means without TLS, `https://` with TLS whatever `tls.insecure` says.',
    format: 'target',
    default: 'localhost:4317',
  },
  timeout: {
    doc: 'How long the answer to a request may take.',
    format: 'duration',
    default: '5s',
    min: 1,
  },
  tls: {
    insecure: {
      doc: 'Whether to connect without TLS.',
      format: 'boolean',
      default: false,
    },
    ...tlsSettings,
  },
  ...otlpSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
