import type { ProcessorFactory } from '../../src/component/component.js';
import { ascends } from '../../src/model/check-histograms.js';
import { Aggregation } from './aggregation.js';
import { schema, type AggregationConfig, type Config } from './config.js';
import { isHistogramKind, listNames, parseFunction } from './functions.js';

/** Replaces the readings of some metrics by a row per window. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  namedMetrics: ({ aggregations }) =>
    aggregations.flatMap(({ metrics, functions }) =>
      metrics.flatMap((name) => functions.flatMap((text) => listNames(name, text))),
    ),
  check: (config) => [
    ...config.aggregations.flatMap(checkAggregation),
    ...checkMetrics(config),
    ...checkOriginals(config),
  ],
  create: (config, context, next) => new Aggregation(config, context, next),
};

function checkAggregation(
  { metrics, functions, bounds }: AggregationConfig,
  index: number,
): readonly string[] {
  const path = `aggregations[${index}]`;
  const problems: string[] = [];
  if (metrics.length === 0) problems.push(`${path}.metrics: expected at least one, found none`);
  if (functions.length === 0) problems.push(`${path}.functions: expected at least one, found none`);
  for (const [i, text] of functions.entries()) {
    if (parseFunction(text) === undefined && !isHistogramKind(text)) {
      problems.push(
        `${path}.functions: expected last, sum, mean, min, max, histogram, exponential_histogram or a quantile from p0 to p100, found "${text}"`,
      );
    } else if (functions.indexOf(text) < i) {
      problems.push(`${path}.functions: expected each once, found "${text}" twice`);
    }
  }
  if (bounds !== null && !ascends(Float64Array.from(bounds)))
    problems.push(`${path}.bounds: expected numbers that ascend, found ${JSON.stringify(bounds)}`);
  if (bounds !== null && !functions.includes('histogram'))
    problems.push(`${path}.functions: expected histogram because bounds is set, found none`);
  return problems;
}

function checkMetrics({ aggregations }: Config): readonly string[] {
  const names = aggregations.flatMap(({ metrics }) => metrics);
  const repeated = names.filter((name, i) => names.indexOf(name) < i);
  return [...new Set(repeated)].map(
    (name) => `aggregations: expected each metric once, found "${name}" twice; use a second processor for it`,
  );
}

/** Without suffix, originals and results would be two series with the same name. */
function checkOriginals({ keep_original: keepsOriginal, aggregations }: Config): readonly string[] {
  const isTwice = keepsOriginal && aggregations.some(({ functions }) => functions.includes('last'));
  return isTwice
    ? ['keep_original: expected false with the function "last", which keeps the names of metrics, found true']
    : [];
}
