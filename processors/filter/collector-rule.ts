import { checkGoRegexp, createTextTest } from '../../src/component/go-regexp.js';
import { describeError } from '../../src/errors.js';
import type { AnySeries } from '../../src/model/series.js';
import { compileCondition } from './condition.js';
import type { Config } from './config.js';

type Properties = NonNullable<Config['metrics']['include']>;

/** Whether a series is forwarded, according to settings in the Collector's form. */
export function createCollectorTest({ metrics }: Config): (series: AnySeries) => boolean {
  const { include, exclude } = metrics;
  const isIncluded = include && createPropertiesTest(include);
  const isExcluded = exclude && createPropertiesTest(exclude);
  const dropped = [...metrics.metric, ...metrics.datapoint].map(compileCondition);
  return (series) =>
    isIncluded?.(series) !== false &&
    isExcluded?.(series) !== true &&
    !dropped.some((matches) => matches(series));
}

/** Validates settings in the Collector's form. */
export function checkCollectorRules({ metrics }: Config): readonly string[] {
  const { include, exclude, metric, datapoint } = metrics;
  return [
    ...(include ? checkProperties(include, 'metrics.include') : []),
    ...(exclude ? checkProperties(exclude, 'metrics.exclude') : []),
    ...metric.flatMap((text, i) => checkCondition(text, `metrics.metric[${i}]`)),
    ...datapoint.flatMap((text, i) => checkCondition(text, `metrics.datapoint[${i}]`)),
  ];
}

function checkProperties({ match_type: type, ...given }: Properties, path: string): readonly string[] {
  const texts = [...given.metric_names, ...given.resource_attributes.map(({ value }) => value)];
  if (type === null) return [`${path}.match_type: expected strict or regexp, found none`];
  if (texts.length === 0) return [`${path}: expected metric_names or resource_attributes, found none`];
  return type === 'strict' ? [] : texts.flatMap((text) => checkGoRegexp(text, path));
}

function checkCondition(text: string, path: string): readonly string[] {
  try {
    compileCondition(text);
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
