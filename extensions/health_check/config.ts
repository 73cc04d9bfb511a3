import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';

export const schema = {
  endpoint: {
    doc: 'Address to listen on, `host:port`. Unset: `localhost:13133`. If that port is in use, a warning is logged and health is not served.',
    format: 'endpoint',
    default: null,
  },
  path: { doc: 'URL path of the health check.', format: 'string', default: '/' },
  status: {
    enabled: {
      doc: 'Whether to serve the states of all components as well, as JSON and as an HTML page.',
      format: 'boolean',
      default: true,
    },
    path: { doc: 'URL path of the states.', format: 'string', default: '/status' },
  },
  component_health: {
    include_recoverable_errors: {
      doc: 'Whether a component that has failed for `recovery_duration`, such as an exporter whose backend is down, makes the collector unhealthy.',
      format: 'boolean',
      default: false,
    },
    recovery_duration: {
      doc: 'How long a component may fail before this makes the collector unhealthy.',
      format: 'duration',
      default: '1m',
    },
  },
  ...webConfigSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
