import { webConfigSettings } from '../../src/config/endpoint.js';
import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  endpoint: {
    doc: 'Where the page is served, host:port; an empty host means every interface. Unset: localhost:9464, or nowhere, with a warning, where that port is taken.',
    format: 'endpoint',
    default: null,
  },
  path: {
    doc: "The page's path.",
    format: 'string',
    default: '/metrics',
  },
  ...webConfigSettings,
  identity_labels: {
    doc: 'Resource attributes that become labels of samples: who used something. Those of the machine itself stand in `target_info` only. Where they leave two series alike, the attributes that differ are added.',
    format: 'string_list',
    default: [
      'process.pid',
      'process.executable.name',
      'process.owner',
      'process.linux.cgroup',
      'linux.cgroup.path',
      'container.id',
      'container.name',
      'k8s.namespace.name',
      'k8s.pod.name',
      'k8s.container.name',
      'host.name',
    ],
  },
  ended_for: {
    doc: 'How long a series that ended stays on the page with its last value, and for two scrapes at least.',
    format: 'duration',
    default: '60s',
  },
  created_timestamps: {
    doc: 'Whether OpenMetrics pages say when each counter was 0 (`_created`), so that a Prometheus that reads start timestamps counts a series that a single scrape saw. About twice as many lines.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
