import { describeError } from '../../src/errors.js';
import type { AnySeries, Attributes } from '../../src/model/series.js';
import type { Config } from './config.js';

type Rule = Config['include'][number];
type TextTest = (text: string) => boolean;

/** Whether a series is forwarded, according to rules. */
export function createSeriesTest({ include, exclude }: Config): (series: AnySeries) => boolean {
  const included = include.map(createRuleTest);
  const excluded = exclude.map(createRuleTest);
  return (series) =>
    (included.length === 0 || included.some((matches) => matches(series))) &&
    !excluded.some((matches) => matches(series));
}

/**
 * Problems of rules.
 * @param path of their list in the component's settings
 */
export function checkRules(rules: readonly Rule[], path: string): readonly string[] {
  return rules.flatMap((rule, i) => {
    const texts = [
      ...rule.metric_names,
      ...Object.values(rule.attributes),
      ...Object.values(rule.resource_attributes),
    ];
    if (texts.length === 0) {
      return [`${path}[${i}]: an empty rule, expected metric_names, attributes or resource_attributes`];
    }
    return rule.match === 'exact' ? [] : texts.flatMap((text) => checkRegexp(text, `${path}[${i}]`));
  });
}

function checkRegexp(text: string, path: string): readonly string[] {
  try {
    // Checked without anchors: within them, "a)|(b" would be valid, and each half would be anchored on one side
    // only.
    RegExp(text, 'u');
    return [];
  } catch (error) {
    return [`${path}: expected regular expressions, found "${text}": ${describeError(error)}`];
  }
}

function createRuleTest(rule: Rule): (series: AnySeries) => boolean {
  const names = rule.metric_names.map((text) => createTextTest(text, rule.match));
  const hasAttributes = createAttributesTest(rule.attributes, rule.match);
  const hasResource = createAttributesTest(rule.resource_attributes, rule.match);
  return ({ metric, attributes, resource }) =>
    (names.length === 0 || names.some((matches) => matches(metric.name))) &&
    hasAttributes(attributes) &&
    hasResource(resource.attributes);
}

function createAttributesTest(
  expected: Readonly<Record<string, string>>,
  match: Rule['match'],
): (attributes: Attributes) => boolean {
  const tests = Object.entries(expected).map(([key, text]) => ({
    key,
    matches: createTextTest(text, match),
  }));
  return (attributes) =>
    tests.every(({ key, matches }) => Object.hasOwn(attributes, key) && matches(String(attributes[key])));
}

function createTextTest(text: string, match: Rule['match']): TextTest {
  if (match === 'exact') return (other) => other === text;
  const regexp = createRegexp(text);
  return (other) => regexp.test(other);
}

/** Anchored, as in Prometheus: a rule for "hw.power" does not match "hw.power.limit". */
function createRegexp(text: string): RegExp {
  return new RegExp(`^(?:${text})$`, 'su');
}
