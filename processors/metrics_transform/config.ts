import type { ConfigOf, Schema } from '../../src/component/schema.js';

const aggregationTypes = ['sum', 'mean', 'min', 'max'] as const;

const valueAction = {
  value: { doc: 'Value to replace.', format: 'string', default: '' },
  new_value: {
    doc: 'New value. `{{version}}` stands for the version of this collector.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

const operation = {
  action: {
    doc: 'What the operation does: `add_label`, `update_label`, `delete_label_value`, `toggle_scalar_data_type`, `experimental_scale_value`, `aggregate_labels` or `aggregate_label_values`.',
    format: [
      'add_label',
      'update_label',
      'delete_label_value',
      'toggle_scalar_data_type',
      'experimental_scale_value',
      'aggregate_labels',
      'aggregate_label_values',
    ],
    default: null,
  },
  label: {
    doc: 'Label to change: for `update_label`, `delete_label_value` and `aggregate_label_values`.',
    format: 'string',
    default: '',
  },
  new_label: {
    doc: 'Name of the label that `add_label` adds, or new name of the label for `update_label`.',
    format: 'string',
    default: '',
  },
  new_value: {
    doc: 'Value of the label that `add_label` adds, or of the values that `aggregate_label_values` aggregates. `{{version}}` stands for the version of this collector.',
    format: 'string',
    default: '',
  },
  label_value: {
    doc: 'For `delete_label_value`: value of the label; series with it are deleted.',
    format: 'string',
    default: '',
  },
  label_set: { doc: 'For `aggregate_labels`: labels to keep.', format: 'string_list', default: null },
  aggregated_values: {
    doc: 'For `aggregate_label_values`: values of the label that are aggregated into `new_value`.',
    format: 'string_list',
    default: null,
  },
  aggregation_type: {
    doc: 'For `aggregate_labels` and `aggregate_label_values`: how series are aggregated. Counters can only be summed.',
    format: aggregationTypes,
    default: null,
  },
  experimental_scale: {
    doc: 'For `experimental_scale_value`: factor by which values are multiplied, greater than 0.',
    format: 'number',
    default: null,
  },
  value_actions: {
    doc: 'For `update_label`: values of the label to replace.',
    format: 'list',
    items: valueAction,
    default: [],
  },
} as const satisfies Schema;

const transform = {
  include: {
    doc: 'Name of the metric, or a regular expression that must match a part of it.',
    format: 'string',
    default: '',
  },
  match_type: {
    doc: 'How names and labels are compared. `strict`: they must be equal to `include` and `experimental_match_labels`. `regexp`: these are regular expressions.',
    format: ['strict', 'regexp'],
    default: 'strict',
  },
  experimental_match_labels: {
    doc: 'Labels that a series must have, with their values. An empty value matches a missing label.',
    format: 'string_map',
    default: {},
  },
  action: {
    doc: 'What is transformed. `update`: the series. `insert`: an additional copy of it. `combine`: all matching metrics, which become one. `group`: the resource of the series.',
    format: ['update', 'insert', 'combine', 'group'],
    default: null,
  },
  new_name: {
    doc: 'New name of the metric. With `regexp`, `$$1` or `$${name}` stand for what a group of `include` matched.',
    format: 'string',
    default: '',
  },
  new_unit: {
    doc: 'New unit, in the notation of UCUM. Values are converted to it, unless there is an operation `experimental_scale_value`.',
    format: 'string',
    default: null,
  },
  new_description: { doc: 'New description of the metric.', format: 'string', default: null },
  group_resource_labels: {
    doc: 'Attributes that `group` adds to the resource.',
    format: 'string_map',
    default: null,
  },
  aggregation_type: {
    doc: 'How series that `combine` makes identical are aggregated. Unset: their sum. Counters can only be summed.',
    format: aggregationTypes,
    default: null,
  },
  submatch_case: {
    doc: 'Case of label values that `combine` takes from named groups of `include`. Unset: unchanged.',
    format: ['lower', 'upper'],
    default: null,
  },
  operations: {
    doc: 'Operations on labels and values, applied in this order.',
    format: 'list',
    items: operation,
    default: [],
  },
} as const satisfies Schema;

export const schema = {
  preset: {
    doc: 'Translates metrics and labels to those of another tool (`alumet`, `kepler` or `scaphandre`) before `transforms` are applied. Unset: no translation.',
    format: ['alumet', 'kepler', 'scaphandre'],
    default: null,
  },
  transforms: {
    doc: 'Transforms of metrics, each applied to the result of the previous one.',
    format: 'list',
    items: transform,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type TransformConfig = Config['transforms'][number];
export type OperationConfig = TransformConfig['operations'][number];
export type AggregationType = (typeof aggregationTypes)[number];
