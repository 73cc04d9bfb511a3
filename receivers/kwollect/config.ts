import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkClientConfig, clientSettings } from '../../src/http/client.js';
import { checkMeters, meterIntervalSetting, meterItemSettings } from '../../src/scraping/meter-receiver.js';
import { findQuantity } from './points.js';

const endpointSettings = {
  endpoint: {
    doc: 'Address of a site, to which `/metrics` is appended.',
    format: 'url',
    default: 'https://api.grid5000.fr/stable/sites/lyon',
  },
  nodes: { doc: 'Nodes whose metrics are read, at least one.', format: 'string_list', default: [] },
  metrics: {
    doc: 'Metrics to read. The end of a name shows what it measures: power (`_watt`), temperature (`_celsius`), voltage (`_volt`) or current (`_ampere`, `_amp`).',
    format: 'string_list',
    default: ['wattmetre_power_watt'],
  },
  measures: meterItemSettings.measures,
} as const satisfies Schema;

export const schema = {
  collection_interval: { ...meterIntervalSetting, default: '10s' },
  endpoints: {
    doc: 'Sites to read. One that does not answer does not delay the others.',
    format: 'list',
    items: endpointSettings,
    default: [],
  },
  delay: {
    doc: 'How old points are when they are requested. Points that reach the site with a longer delay are missed.',
    format: 'duration',
    default: '15s',
    max: 3_600_000,
  },
  max_gap: {
    doc: 'Maximum time between two points of a meter over which its power is integrated to energy.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  ...clientSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type Endpoint = Config['endpoints'][number];

/** Validates settings that depend on each other. */
export function checkConfig(config: Config): string[] {
  return [
    ...checkMeters(config.endpoints),
    ...config.endpoints.flatMap((endpoint, i) => checkEndpoint(endpoint, `endpoints.${i}`)),
    ...checkClientConfig(config),
  ];
}

function checkEndpoint({ nodes, metrics, measures }: Endpoint, path: string): string[] {
  const problems = metrics
    .filter((metric) => findQuantity(metric) === undefined)
    .map(
      (metric) =>
        `${path}.metrics: expected names that end in _watt, _celsius, _volt, _ampere or _amp, found "${metric}"`,
    );
  if (nodes.length === 0) problems.push(`${path}.nodes: expected at least one node, found none`);
  const meters = metrics.filter((metric) => metric.endsWith('_watt')).length;
  if (measures === 'host' && (nodes.length > 1 || meters !== 1)) {
    problems.push(
      `${path}.measures: expected one node and one metric of power for host, found ${nodes.length} and ${meters}`,
    );
  }
  return problems;
}
