import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';
import { identityLabelsSetting } from '../../src/prometheus/identity-labels.js';

export const schema = {
  endpoint: {
    doc: 'Address to listen on, `host:port`; `:9464` means every interface. Unset: `localhost:9464`. If that port is in use, a warning is logged and the page is not served.',
    format: 'endpoint',
    default: null,
  },
  path: {
    doc: 'URL path of the page.',
    format: 'string',
    default: '/metrics',
  },
  ...webConfigSettings,
  identity_labels: identityLabelsSetting,
  ended_for: {
    doc: 'How long a counter that has ended stays on the page with its last value, but for at least two scrapes. Other series that have ended leave the page with the next reading of their metric.',
    format: 'duration',
    default: '60s',
  },
  created_timestamps: {
    doc: 'Whether OpenMetrics pages contain the time at which each counter was 0 (`_created`). If Prometheus reads these timestamps, it also counts a series that is in only one scrape. The page has about twice as many lines.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
