import type { ConfigOf, Schema } from '../../src/component/schema.js';

const aggregationTypes = ['sum', 'mean', 'min', 'max'] as const;

const valueAction = {
  value: { doc: 'Value of the label to replace.', format: 'string', default: '' },
  new_value: {
    doc: 'What replaces it; `{{version}}` is the version of this collector.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

const operation = {
  action: {
    doc: 'The operation: `add_label`, `update_label`, `delete_label_value`, `toggle_scalar_data_type`, `experimental_scale_value`, `aggregate_labels` or `aggregate_label_values`.',
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
    doc: 'The label to update, to delete by its value, or whose values are aggregated.',
    format: 'string',
    default: '',
  },
  new_label: { doc: 'Name of the label to add, or new name of the label.', format: 'string', default: '' },
  new_value: {
    doc: 'Value of the label to add, or of the aggregated ones; `{{version}}` is the version of this collector.',
    format: 'string',
    default: '',
  },
  label_value: { doc: 'Value of the label whose series are deleted.', format: 'string', default: '' },
  label_set: { doc: 'Labels that `aggregate_labels` keeps.', format: 'string_list', default: null },
  aggregated_values: {
    doc: 'Values of the label that are aggregated into one.',
    format: 'string_list',
    default: null,
  },
  aggregation_type: {
    doc: 'How series are aggregated. Counters can only be summed.',
    format: aggregationTypes,
    default: null,
  },
  experimental_scale: { doc: 'Factor of the values, more than 0.', format: 'number', default: null },
  value_actions: {
    doc: 'Values of the label and what replaces them.',
    format: 'list',
    items: valueAction,
    default: [],
  },
} as const satisfies Schema;

const transform = {
  include: {
    doc: 'Name of the metric, or a regular expression that is found in it.',
    format: 'string',
    default: '',
  },
  match_type: {
    doc: 'Whether `include` and `experimental_match_labels` are compared as they are (strict), or are regular expressions.',
    format: ['strict', 'regexp'],
    default: 'strict',
  },
  experimental_match_labels: {
    doc: 'Labels that a series must have, all of them. An empty text matches a missing label.',
    format: 'string_map',
    default: {},
  },
  action: {
    doc: 'What is transformed: the series (`update`), an additional copy of it (`insert`), all matching metrics as one (`combine`), or its resource (`group`).',
    format: ['update', 'insert', 'combine', 'group'],
    default: null,
  },
  new_name: {
    doc: 'New name of the metric. With regexp, `$$1` or `$${name}` stand for what a group of `include` matched.',
    format: 'string',
    default: '',
  },
  new_unit: {
    doc: 'New unit, in UCUM: values are converted. With `experimental_scale_value`, the unit is only renamed.',
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
    doc: 'How series that become identical by `combine` are aggregated; unset: their sum. Counters can only be summed.',
    format: aggregationTypes,
    default: null,
  },
  submatch_case: {
    doc: 'Case of label values that `combine` takes from named groups of `include`; unset: as they are.',
    format: ['lower', 'upper'],
    default: null,
  },
  operations: {
    doc: 'Operations on the labels and values, in this order.',
    format: 'list',
    items: operation,
    default: [],
  },
} as const satisfies Schema;

export const schema = {
  preset: {
    doc: 'Translates metrics and labels to those of another tool before the transforms: `alumet`, `kepler` or `scaphandre`.',
    format: ['alumet', 'kepler', 'scaphandre'],
    default: null,
  },
  transforms: {
    doc: 'Transformations of metrics, each applied to the result of the previous one.',
    format: 'list',
    items: transform,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type TransformConfig = Config['transforms'][number];
export type OperationConfig = TransformConfig['operations'][number];
export type AggregationType = (typeof aggregationTypes)[number];
