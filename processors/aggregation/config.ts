import type { ConfigOf, Schema } from '../../src/component/schema.js';

const aggregation = {
  metrics: { doc: 'Names of the metrics to aggregate.', format: 'string_list', default: [] },
  functions: {
    doc: 'What to compute for each window: `last`, `sum`, `mean`, `min`, `max`, quantiles such as `p50` or `p99.9`, `histogram` and `exponential_histogram`.',
    format: 'string_list',
    default: [],
  },
  bounds: {
    doc: 'Bounds of the buckets of `histogram`, ascending; a value equal to a bound is in the bucket below it. Unset: the default bounds of the OpenTelemetry SDKs.',
    format: 'number_list',
    default: null,
  },
  group_by: {
    doc: 'Attributes to keep, of series or of their resources. Series with the same values of these are aggregated into one. Unset: each series is aggregated by itself.',
    format: 'string_list',
    default: null,
  },
} as const satisfies Schema;

export const schema = {
  interval: {
    doc: 'Length of the windows, which end at multiples of it on the wall clock.',
    format: 'duration',
    default: '60s',
    min: 1,
  },
  max_lag: {
    doc: 'How long a window waits for series that have no reading after its end yet. Readings that arrive later are ignored.',
    format: 'duration',
    default: '10s',
    min: 0,
  },
  keep_original: {
    doc: 'Whether the original series are forwarded as well.',
    format: 'boolean',
    default: false,
  },
  max_readings: {
    doc: 'Maximum number of readings in a window from which quantiles are computed. Each takes 8 bytes of memory. A window with more readings has no quantiles.',
    format: 'int',
    default: 100_000,
    min: 1,
  },
  aggregations: {
    doc: 'Aggregations to compute. Metrics that none of them names are forwarded unchanged.',
    format: 'list',
    items: aggregation,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type AggregationConfig = Config['aggregations'][number];
