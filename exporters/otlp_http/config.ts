import type { ConfigOf, Schema } from '../../src/config/schema.js';
import { tlsSettings } from '../../src/http/tls-files.js';
import { otlpSettings } from '../../src/otlp/otlp-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of the backend, to which `/v1/metrics` is added.',
    format: 'url',
    default: 'http://localhost:4318',
  },
  metrics_endpoint: {
    doc: 'Address for metrics, used as it is in the place of `endpoint`.',
    format: 'url',
    default: null,
  },
  timeout: {
    doc: 'How long the answer to a request may take.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  proxy_url: {
    doc: 'Proxy for all requests, `http://` or `https://`, user and password where it wants them; unset: that of HTTPS_PROXY or HTTP_PROXY, by the rules of NO_PROXY.',
    format: 'url',
    default: null,
  },
  tls: tlsSettings,
  ...otlpSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
