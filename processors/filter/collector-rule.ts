import { checkGoRegexp, createTextTest } from '../../src/component/go-regexp.js';
import { describeError } from '../../src/errors.js';
import type { AnySeries } from '../../src/model/series.js';
import { compileCondition } from './condition.js';
import type { Config } from './config.js';

type Properties = NonNullable<Config['metrics']['include']>;

/** Whether a series is forwarded, according to settings in the Collector's form. */
export function createCollectorTest(config: Config): (series: AnySeries) => boolean {
  const { include, exclude } = config.metrics;
  const isIncluded = include && createPropertiesTest(include);
  const isExcluded = exclude && createPropertiesTest(exclude);
  const dropped = listConditions(config).map(({ text, context }) => compileCondition(text, context));
  return (series) =>
    isIncluded?.(series) !== false &&
    isExcluded?.(series) !== true &&
    !dropped.some((matches) => matches(series));
}

/** Validates settings in the Collector's form. */
export function checkCollectorRules(config: Config): readonly string[] {
  const { include, exclude } = config.metrics;
  return [
    ...(include ? checkProperties(include, 'metrics.include') : []),
    ...(exclude ? checkProperties(exclude, 'metrics.exclude') : []),
    ...listConditions(config).flatMap(checkCondition),
  ];
}

interface WrittenCondition {
  readonly text: string;
  readonly path: string;
  readonly context: 'series' | 'resource';
}

/** Each of them drops the series for which it is true. */
function listConditions({ metrics, metric_conditions: conditions }: Config): readonly WrittenCondition[] {
  const { metric, datapoint, resource } = metrics;
  const lists = { 'metrics.metric': metric, 'metrics.datapoint': datapoint, metric_conditions: conditions };
  return [
    ...resource.map((text, i) => ({ text, path: `metrics.resource[${i}]`, context: 'resource' }) as const),
    ...Object.entries(lists).flatMap(([path, texts]) =>
      texts.map((text, i) => ({ text, path: `${path}[${i}]`, context: 'series' }) as const),
    ),
  ];
}

function checkProperties({ match_type: type, ...given }: Properties, path: string): readonly string[] {
  const texts = [...given.metric_names, ...given.resource_attributes.map(({ value }) => value)];
  if (type === null) return [`${path}.match_type: expected strict or regexp, found none`];
  if (texts.length === 0) return [`${path}: expected metric_names or resource_attributes, found none`];
  return type === 'strict' ? [] : texts.flatMap((text) => checkGoRegexp(text, path));
}

function checkCondition({ text, path, context }: WrittenCondition): readonly string[] {
  try {
    compileCondition(text, context);
    return [];
  } catch (error) {
    return [`${path}: Cannot use the condition ${text}: ${describeError(error)}; ${findRemedy(text)}`];
  }
}

/** Whole series are dropped, so that counters stay complete: no rule can depend on values. */
function findRemedy(condition: string): string {
  return /\bvalue_(?:int|double)\b/u.test(condition)
    ? 'remove it: series are dropped by name and attributes, not points by value'
    : 'write a rule of "exclude" instead';
}

function createPropertiesTest({ match_type: type, ...given }: Properties): (series: AnySeries) => boolean {
  const names = given.metric_names.map((text) => createTextTest(text, type));
  const attributes = given.resource_attributes.map(({ key, value }) => ({
    key,
    matches: createTextTest(value, type),
  }));
  return ({ metric, resource }) =>
    (names.length === 0 || names.some((matches) => matches(metric.name))) &&
    attributes.every(
      ({ key, matches }) =>
        Object.hasOwn(resource.attributes, key) && matches(String(resource.attributes[key])),
    );
}
