import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { clientSettings } from '../../src/http/client.js';
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
  ...clientSettings,
  ...otlpSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
