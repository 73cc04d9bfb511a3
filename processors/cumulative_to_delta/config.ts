import type { ConfigOf, Schema } from '../../src/component/schema.js';

const matchSettings = {
  metrics: { doc: 'Names of metrics.', format: 'string_list', default: [] },
  match_type: {
    doc: 'Whether the names are compared as they are (strict), or are regular expressions that must match a part of them.',
    format: ['strict', 'regexp'],
    default: null,
  },
  metric_types: {
    doc: 'Kinds of metrics: `sum`. Histograms stay cumulative.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;

export const schema = {
  include: {
    doc: 'Which counters are sent as deltas; without it, all.',
    format: 'group',
    settings: matchSettings,
    default: null,
  },
  exclude: {
    doc: 'Which counters stay cumulative, included or not.',
    format: 'group',
    settings: matchSettings,
    default: null,
  },
  max_staleness: {
    doc: 'Accepted for configurations of the Collector, without effect: what a counter has sent is known until it ends.',
    format: 'duration',
    default: '0s',
  },
  initial_value: {
    doc: 'The first delta of a counter: its count since its start (`keep`), none (`drop`), or `keep` for counters that started after the collector and `drop` for others (`auto`).',
    format: ['auto', 'keep', 'drop'],
    default: 'auto',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type MatchConfig = NonNullable<Config['include']>;
