import type { ProcessorFactory } from '../../src/component/component.js';
import { checkGoRegexp, createTextTest } from '../../src/component/go-regexp.js';
import { createMappingProcessor } from '../../src/component/mapping-processor.js';
import type { AnySeries, Metric } from '../../src/model/series.js';
import { schema, type Config, type MatchConfig } from './config.js';

/** Marks counters for the OTLP exporters to send as deltas. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  replacedSettings: {
    max_stale: 'use "max_staleness"',
    metrics: 'use "include", with "metrics" and "match_type"',
  },
  check: ({ include, exclude }) => [...checkMatch(include, 'include'), ...checkMatch(exclude, 'exclude')],
  create(config, context, next) {
    const isChosen = createTest(config);
    const delta = { initial: config.initial_value, since: context.clock.wallNs() };
    const metrics = new WeakMap<Metric, Metric>();
    const map = <S extends AnySeries>(series: S): S => {
      const { metric } = series;
      if (metric.kind !== 'counter' || !isChosen(metric.name)) return series;
      const marked = metrics.get(metric) ?? { ...metric, delta };
      metrics.set(metric, marked);
      return { ...series, metric: marked };
    };
    return createMappingProcessor(map, context, next);
  },
};

function createTest({ include, exclude }: Config): (metricName: string) => boolean {
  const isIncluded = include ? createMatch(include) : () => true;
  const isExcluded = exclude ? createMatch(exclude) : () => false;
  return (name) => isIncluded(name) && !isExcluded(name);
}

/** As in the Collector: without names, every metric of the kinds. */
function createMatch({ metrics, match_type: matchType }: MatchConfig): (metricName: string) => boolean {
  if (metrics.length === 0) return () => true;
  const tests = metrics.map((text) => createTextTest(text, matchType));
  return (name) => tests.some((matches) => matches(name));
}

function checkMatch(match: MatchConfig | null, path: string): readonly string[] {
  if (match === null) return [];
  const { metrics, match_type: matchType, metric_types: types } = match;
  const problems: string[] = [];
  if (metrics.length === 0 && types.length === 0)
    problems.push(`${path}: expected metrics or metric_types, found neither`);
  if (metrics.length > 0 && matchType === null)
    problems.push(`${path}.match_type: expected strict or regexp, found none`);
  for (const type of types) if (type !== 'sum') problems.push(describeType(type, path));
  if (matchType === 'regexp')
    problems.push(...metrics.flatMap((text) => checkGoRegexp(text, `${path}.metrics`)));
  return problems;
}

function describeType(type: string, path: string): string {
  const reason = type === 'histogram' ? '; histograms are always cumulative here' : '';
  return `${path}.metric_types: expected sum, found "${type}"${reason}`;
}
