import { checkGoRegexp } from '../../src/component/go-regexp.js';
import type { AggregationType, Config, OperationConfig, TransformConfig } from './config.js';

/** Finds problems that concern a transform as a whole. */
export function checkTransforms({ transforms }: Config): readonly string[] {
  return transforms.flatMap((transform, i) => {
    const path = `transforms[${i}]`;
    return [
      ...checkMatch(transform, path),
      ...checkAction(transform, path),
      ...transform.operations.flatMap((one, at) => checkOperation(one, `${path}.operations[${at}]`)),
      ...checkAggregations(transform, path),
    ];
  });
}

/** The aggregations of a transform, in order. */
export function listAggregations({
  action,
  operations,
  ...own
}: TransformConfig): readonly AggregationType[] {
  const ofOperations = operations.flatMap(({ aggregation_type: type }) => type ?? []);
  if (action !== 'combine') return ofOperations;
  // Without an explicit type, combined series are aggregated like in its operations.
  if (own.aggregation_type === null) return ofOperations.length === 0 ? ['sum'] : ofOperations;
  return [own.aggregation_type, ...ofOperations];
}

function checkMatch(transform: TransformConfig, path: string): readonly string[] {
  const { include, match_type: type, experimental_match_labels: labels } = transform;
  if (include === '') return [`${path}.include: expected the name of a metric, found none`];
  if (type === 'strict') return [];
  return [
    ...checkGoRegexp(include, `${path}.include`),
    ...Object.entries(labels).flatMap(([label, text]) =>
      checkGoRegexp(text, `${path}.experimental_match_labels.${label}`),
    ),
  ];
}

function checkAction(transform: TransformConfig, path: string): readonly string[] {
  const { action, new_name: newName, group_resource_labels: labels } = transform;
  if (action === null) return [`${path}.action: expected update, insert, combine or group, found none`];
  if ((action === 'insert' || action === 'combine') && newName === '') {
    return [`${path}.new_name: expected the name of the metric that "${action}" adds, found none`];
  }
  if (action === 'group' && labels === null) {
    return [`${path}.group_resource_labels: expected attributes of the resource for "group", found none`];
  }
  if (action === 'group' && transform.operations.length > 0) {
    return [`${path}.operations: expected none with "group", found some; write a second transform for them`];
  }
  return [];
}

/** The required settings of each operation. */
const required: Readonly<Record<string, readonly (keyof OperationConfig)[]>> = {
  add_label: ['new_label', 'new_value'],
  update_label: ['label'],
  delete_label_value: ['label', 'label_value'],
  toggle_scalar_data_type: [],
  experimental_scale_value: ['experimental_scale'],
  aggregate_labels: ['label_set', 'aggregation_type'],
  aggregate_label_values: ['label', 'aggregated_values', 'new_value', 'aggregation_type'],
};

function checkOperation(operation: OperationConfig, path: string): readonly string[] {
  const { action, experimental_scale: scale } = operation;
  if (action === null) return [`${path}.action: expected an operation, found none`];
  const missing = (required[action] ?? []).filter((key) => isUnset(operation[key]));
  const problems = missing.map((key) => `${path}.${key}: expected a value for "${action}", found none`);
  if (scale !== null && !(scale > 0)) {
    problems.push(`${path}.experimental_scale: expected more than 0, found ${scale}`);
  }
  return problems;
}

function isUnset(value: OperationConfig[keyof OperationConfig]): boolean {
  return value === null || value === '';
}

/** Series are aggregated once per transform: a sum of sums is one sum, but a mean of means is not a mean. */
function checkAggregations(transform: TransformConfig, path: string): readonly string[] {
  const types = listAggregations(transform);
  const [first] = types;
  const isMixed = types.some((type) => type !== first) || (first === 'mean' && types.length > 1);
  const problems = isMixed
    ? [
        `${path}: expected one way to aggregate, found ${types.join(', ')}; write a second transform, of the new name, for the next`,
      ]
    : [];
  const last = transform.operations.findLastIndex(({ action }) => action === 'toggle_scalar_data_type');
  if (
    first === 'mean' &&
    last > transform.operations.findIndex(({ aggregation_type: type }) => type !== null)
  ) {
    problems.push(
      `${path}.operations[${last}]: expected no toggle_scalar_data_type after a mean, which is a double, found one; write a second transform for it`,
    );
  }
  return problems;
}
