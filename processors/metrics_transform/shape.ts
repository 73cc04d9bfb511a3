import type { Reduction } from '../../src/model/mapped-series.js';
import type { Attributes, AttributeValue, Metric, Resource, Series } from '../../src/model/series.js';
import { readVersion } from '../../src/version.js';
import type { OperationConfig, TransformConfig } from './config.js';
import { expandTemplate, type Match } from './match.js';
import { findUnitFactor } from './units.js';

/** The result of a conversion of a series. */
export interface Shape {
  readonly metric: Metric;
  readonly resource: Resource;
  readonly attributes: Attributes;
  /** Factor of the values. */
  readonly factor: number;
  /** Whether the values are the growth of the series since its last reading. */
  readonly isGrowth?: boolean;
  /** How several series are combined that become the same one; undefined: by the default of SeriesMap. */
  readonly reduction: Reduction | undefined;
}

/** The outputs of a series, in the order of their columns; only itself if no transform applies. */
export type ShapesOf = (series: Series) => readonly Shape[];

/** Why a shape was not changed. */
export class ImpossibleTransform extends Error {
  override readonly name = 'ImpossibleTransform';
}

/**
 * The shape after a transform that applies to it.
 * @returns undefined if it is deleted
 * @throws ImpossibleTransform when it is not possible
 */
export function reshape(shape: Shape, config: TransformConfig, match: Match): Shape | undefined {
  if (config.action === 'group') return { ...shape, resource: extendResource(shape.resource, config) };
  const renamed = describeMetric(shape, config, match);
  const combined = config.action === 'combine' ? combine(renamed, config, match) : renamed;
  return config.operations.reduce<Shape | undefined>(
    (last, operation) => last && operate(last, operation),
    combined,
  );
}

const extended = new WeakMap<TransformConfig, WeakMap<Resource, Resource>>();

/** One object per resource. */
function extendResource(resource: Resource, config: TransformConfig): Resource {
  const known = extended.get(config) ?? new WeakMap<Resource, Resource>();
  extended.set(config, known);
  const other = known.get(resource) ?? {
    attributes: { ...resource.attributes, ...config.group_resource_labels },
  };
  known.set(resource, other);
  return other;
}

function describeMetric(shape: Shape, config: TransformConfig, match: Match): Shape {
  const { new_name: newName, new_unit: unit, new_description: description } = config;
  const name = newName === '' ? shape.metric.name : expandTemplate(newName, match);
  const changed = { ...shape.metric, name, description: description ?? shape.metric.description };
  const named = { ...shape, metric: changed };
  return unit === null ? named : convert(named, unit, isScaled(config));
}

function isScaled({ operations }: TransformConfig): boolean {
  return operations.some(({ action }) => action === 'experimental_scale_value');
}

function convert(shape: Shape, unit: string, isOnlyRenamed: boolean): Shape {
  const factor = isOnlyRenamed ? 1 : findUnitFactor(shape.metric.unit, unit);
  if (factor === undefined) {
    throw new ImpossibleTransform(
      `Cannot convert "${shape.metric.name}" to the unit "${unit}": expected a unit of the same kind, found "${shape.metric.unit}"; add "experimental_scale_value" with the factor`,
    );
  }
  return scale({ ...shape, metric: { ...shape.metric, unit } }, factor);
}

/** Integers remain integers only with an integer factor. */
function scale(shape: Shape, factor: number): Shape {
  const { metric } = shape;
  const valueType = Number.isInteger(factor) ? metric.valueType : 'double';
  return { ...shape, factor: shape.factor * factor, metric: { ...metric, valueType } };
}

function combine(shape: Shape, config: TransformConfig, { groups, names }: Match): Shape {
  const labels = names.map((name, i) => [name, changeCase(groups[i + 1] ?? '', config)] as const);
  const attributes = { ...shape.attributes, ...Object.fromEntries(labels) };
  return reduce({ ...shape, attributes }, config.aggregation_type ?? 'sum');
}

function changeCase(text: string, { submatch_case: to }: TransformConfig): string {
  if (to === null) return text;
  return to === 'lower' ? text.toLowerCase() : text.toUpperCase();
}

function reduce(shape: Shape, type: OperationConfig['aggregation_type']): Shape {
  const { kind, name } = shape.metric;
  if (type === null) return shape;
  if (kind === 'counter' && type !== 'sum') {
    throw new ImpossibleTransform(
      `Cannot aggregate the counter "${name}" by ${type}: expected "sum", as counts have no other that means something, found "${type}"; its series are forwarded unchanged`,
    );
  }
  const valueType = type === 'mean' ? 'double' : shape.metric.valueType;
  return { ...shape, reduction: type, metric: { ...shape.metric, valueType } };
}

function operate(shape: Shape, operation: OperationConfig): Shape | undefined {
  const { action, label } = operation;
  switch (action) {
    case null:
      return shape;
    case 'add_label':
      return withLabel(shape, operation.new_label, fillVersion(operation.new_value));
    case 'update_label':
      return updateLabel(shape, operation);
    case 'delete_label_value':
      return textOf(shape, label) === operation.label_value ? undefined : shape;
    case 'toggle_scalar_data_type':
      return toggle(shape);
    case 'experimental_scale_value':
      return scale(shape, operation.experimental_scale ?? 1);
    case 'aggregate_labels':
      return keepLabels(shape, operation);
    case 'aggregate_label_values':
      return aggregateValues(shape, operation);
  }
}

function toggle(shape: Shape): Shape {
  const valueType = shape.metric.valueType === 'int' ? 'double' : 'int';
  return { ...shape, metric: { ...shape.metric, valueType } };
}

function updateLabel(
  shape: Shape,
  { label, new_label: newLabel, value_actions: actions }: OperationConfig,
): Shape {
  const { [label]: old, ...others } = shape.attributes;
  if (old === undefined) return shape;
  const action = actions.find(({ value }) => value === String(old));
  const value = action ? fillVersion(action.new_value) : old;
  return newLabel === '' || newLabel === label
    ? withLabel(shape, label, value)
    : { ...shape, attributes: { ...others, [newLabel]: value } };
}

function keepLabels(shape: Shape, { label_set: kept, aggregation_type: type }: OperationConfig): Shape {
  const attributes = Object.fromEntries(
    Object.entries(shape.attributes).filter(([name]) => kept?.includes(name)),
  );
  return reduce({ ...shape, attributes }, type);
}

function aggregateValues(shape: Shape, operation: OperationConfig): Shape {
  const { label, aggregated_values: values, new_value: value, aggregation_type: type } = operation;
  const text = textOf(shape, label);
  const isAggregated = text !== undefined && values?.includes(text) === true;
  return reduce(isAggregated ? withLabel(shape, label, fillVersion(value)) : shape, type);
}

function withLabel(shape: Shape, label: string, value: AttributeValue): Shape {
  return { ...shape, attributes: { ...shape.attributes, [label]: value } };
}

function textOf({ attributes }: Shape, label: string): string | undefined {
  return Object.hasOwn(attributes, label) ? String(attributes[label]) : undefined;
}

function fillVersion(text: string): string {
  return text.includes('{{version}}') ? text.replaceAll('{{version}}', readVersion()) : text;
}
