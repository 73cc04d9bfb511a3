import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';
import { identityLabelsSetting } from '../../src/prometheus/identity-labels.js';

export const schema = {
  endpoint: {
    doc: 'Where the page is served, host:port; an empty host means every interface. Unset: localhost:9464, or nowhere, with a warning, if that port is in use.',
    format: 'endpoint',
    default: null,
  },
  path: {
    doc: "The page's path.",
    format: 'string',
    default: '/metrics',
  },
  ...webConfigSettings,
  identity_labels: identityLabelsSetting,
  ended_for: {
    doc: 'How long an ended counter stays on the page with its last value; at least two scrapes. Other series leave it with the next reading of their metric.',
    format: 'duration',
    default: '60s',
  },
  created_timestamps: {
    doc: 'Whether OpenMetrics pages contain the time at which each counter was 0 (`_created`). A Prometheus that reads start timestamps then also counts a series that is in only one scrape. The page has about twice as many lines.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
