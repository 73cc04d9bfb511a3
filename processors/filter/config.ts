import type { ConfigOf, ListSetting, Schema } from '../../src/component/schema.js';

const items = {
  match: {
    doc: 'Whether the texts below are compared as they are (exact), or are regular expressions that must match the whole text.',
    format: ['exact', 'regexp'],
    default: 'exact',
  },
  metric_names: {
    doc: 'Names of metrics; the series must have one of them.',
    format: 'string_list',
    default: [],
  },
  attributes: {
    doc: 'Attributes that the series must have, all of them.',
    format: 'string_map',
    default: {},
  },
  resource_attributes: {
    doc: 'Attributes that the resource of the series must have, all of them.',
    format: 'string_map',
    default: {},
  },
} as const satisfies ListSetting['items'];

const resourceAttribute = {
  key: { doc: 'Name of the attribute.', format: 'string', default: '' },
  value: { doc: 'Its value, or a regular expression that is found in it.', format: 'string', default: '' },
} as const satisfies Schema;

const properties = {
  match_type: {
    doc: 'Whether the texts below are compared as they are (strict), or are regular expressions that are found anywhere (regexp).',
    format: ['strict', 'regexp'],
    default: null,
  },
  metric_names: {
    doc: 'Names of metrics; the series must have one of them.',
    format: 'string_list',
    default: [],
  },
  resource_attributes: {
    doc: 'Attributes that the resource of the series must have, all of them.',
    format: 'list',
    items: resourceAttribute,
    default: [],
  },
} as const satisfies Schema;

const conditionsDoc = 'Conditions as in the Collector, one of which drops a series';

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
  error_mode: {
    doc: 'Accepted for configurations of the Collector, without effect: conditions cannot fail.',
    format: ['ignore', 'silent', 'propagate'],
    default: 'propagate',
  },
  metrics: {
    include: {
      doc: 'Keeps series, as in the Collector.',
      format: 'group',
      settings: properties,
      default: null,
    },
    exclude: {
      doc: 'Drops series, as in the Collector.',
      format: 'group',
      settings: properties,
      default: null,
    },
    metric: { doc: `${conditionsDoc}: \`name == "a"\`.`, format: 'string_list', default: [] },
    datapoint: { doc: `${conditionsDoc}: \`attributes["a"] == "b"\`.`, format: 'string_list', default: [] },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
