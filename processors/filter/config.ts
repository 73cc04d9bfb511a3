import type { ConfigOf, ListSetting, Schema } from '../../src/component/schema.js';

const items = {
  match: {
    doc: 'How the values of this rule are compared. `exact`: they must be equal. `regexp`: they are regular expressions that must match the whole text.',
    format: ['exact', 'regexp'],
    default: 'exact',
  },
  metric_names: {
    doc: 'Names of metrics, one of which the series must have.',
    format: 'string_list',
    default: [],
  },
  attributes: {
    doc: 'Attributes that the series must have, with their values.',
    format: 'string_map',
    default: {},
  },
  resource_attributes: {
    doc: 'Attributes that the resource of the series must have, with their values.',
    format: 'string_map',
    default: {},
  },
} as const satisfies ListSetting['items'];

const resourceAttribute = {
  key: { doc: 'Name of the attribute.', format: 'string', default: '' },
  value: {
    doc: 'Value of the attribute, or a regular expression that must match a part of it.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

const properties = {
  match_type: {
    doc: 'How the values of this rule are compared. `strict`: they must be equal. `regexp`: they are regular expressions that must match a part of the text.',
    format: ['strict', 'regexp'],
    default: null,
  },
  metric_names: {
    doc: 'Names of metrics, one of which the series must have.',
    format: 'string_list',
    default: [],
  },
  resource_attributes: {
    doc: 'Attributes that the resource of the series must have, with their values.',
    format: 'list',
    items: resourceAttribute,
    default: [],
  },
} as const satisfies Schema;

const describeConditions = (example: string) =>
  `Conditions in the syntax of the Collector, such as \`${example}\`. A series for which one of them is true is dropped.`;

export const schema = {
  include: {
    doc: 'Rules for series to keep: those that match one of them. Empty: all series are kept.',
    format: 'list',
    items,
    default: [],
  },
  exclude: {
    doc: 'Rules for series to drop: those that match one of them, even if they match a rule of `include`.',
    format: 'list',
    items,
    default: [],
  },
  error_mode: {
    doc: 'Accepted for compatibility with the Collector, without effect: conditions cannot fail.',
    format: ['ignore', 'silent', 'propagate'],
    default: 'propagate',
  },
  metrics: {
    include: {
      doc: 'Series to keep, in the syntax of the Collector. Unset: all.',
      format: 'group',
      settings: properties,
      default: null,
    },
    exclude: {
      doc: 'Series to drop, in the syntax of the Collector. Unset: none.',
      format: 'group',
      settings: properties,
      default: null,
    },
    metric: { doc: describeConditions('name == "a"'), format: 'string_list', default: [] },
    datapoint: { doc: describeConditions('attributes["a"] == "b"'), format: 'string_list', default: [] },
    resource: {
      doc: `${describeConditions('attributes["a"] == "b"')} The attributes are those of its resource.`,
      format: 'string_list',
      default: [],
    },
  },
  metric_conditions: {
    doc: `${describeConditions('metric.name == "a" and datapoint.attributes["b"] == "c"')} Groups with \`conditions\` and an \`error_mode\` are accepted.`,
    format: 'condition_list',
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
