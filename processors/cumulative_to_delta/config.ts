import type { ConfigOf, Schema } from '../../src/component/schema.js';

const matchSettings = {
  metrics: { doc: 'Names of metrics.', format: 'string_list', default: [] },
  match_type: {
    doc: 'How names are compared. `strict`: they must be equal. `regexp`: they are regular expressions that must match a part of the name.',
    format: ['strict', 'regexp'],
    default: null,
  },
  metric_types: {
    doc: 'Types of metrics; only `sum` is possible, since histograms stay cumulative.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;

export const schema = {
  include: {
    doc: 'Counters that are sent as deltas. Unset: all.',
    format: 'group',
    settings: matchSettings,
    default: null,
  },
  exclude: {
    doc: 'Counters that stay cumulative, even if `include` matches them. Unset: none.',
    format: 'group',
    settings: matchSettings,
    default: null,
  },
  max_staleness: {
    doc: 'Accepted for compatibility with the Collector, without effect: the last value of a counter is kept until the counter ends.',
    format: 'duration',
    default: '0s',
  },
  initial_value: {
    doc: 'The first delta of a counter. `keep`: its whole count since its start. `drop`: none. `auto`: `keep` for counters that started after the collector, `drop` for others.',
    format: ['auto', 'keep', 'drop'],
    default: 'auto',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type MatchConfig = NonNullable<Config['include']>;
