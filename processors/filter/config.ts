import type { ConfigOf, ListSetting, Schema } from '../../src/component/schema.js';

const items = {
  match: {
    doc: 'Whether the texts below are compared as they are (exact), or are regular expressions that have to match the whole text.',
    format: ['exact', 'regexp'],
    default: 'exact',
  },
  metric_names: {
    doc: 'Names of metrics, one of which the series has to have.',
    format: 'string_list',
    default: [],
  },
  attributes: {
    doc: 'Attributes that the series has to have, all of them.',
    format: 'string_map',
    default: {},
  },
  resource_attributes: {
    doc: "Attributes that the series' resource has to have, all of them.",
    format: 'string_map',
    default: {},
  },
} as const satisfies ListSetting['items'];

export const schema = {
  include: {
    doc: 'Keeps the series that one of these rules matches; without rules, all.',
    format: 'list',
    items,
    default: [],
  },
  exclude: {
    doc: 'Drops the series that one of these rules matches, included or not.',
    format: 'list',
    items,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
