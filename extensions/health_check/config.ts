import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';

export const schema = {
  endpoint: {
    doc: 'Where to listen; not set means localhost:13133, or no endpoint when that port is in use.',
    format: 'endpoint',
    default: null,
  },
  path: { doc: 'The path of the health check.', format: 'string', default: '/' },
  status: {
    enabled: {
      doc: 'Whether the states of all components are served as well, as JSON and as an HTML page.',
      format: 'boolean',
      default: true,
    },
    path: { doc: 'The path of these states.', format: 'string', default: '/status' },
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
