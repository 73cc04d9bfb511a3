import type { HistogramKind, HistogramMetric, Metric } from '../../src/model/series.js';

export type FunctionName = 'last' | 'sum' | 'mean' | 'min' | 'max' | 'quantile';

const histogramKinds: readonly string[] = ['histogram', 'exponential_histogram'] satisfies HistogramKind[];

/** Whether a function yields histograms. */
export function isHistogramKind(text: string): text is HistogramKind {
  return histogramKinds.includes(text);
}

/** An aggregation function of a window's readings. */
export interface WindowFunction {
  readonly name: FunctionName;
  /** As configured; also the suffix of the metric. */
  readonly text: string;
  /** For a quantile, from 0 to 1. */
  readonly quantile: number;
}

const plain: ReadonlySet<string> = new Set<FunctionName>(['last', 'sum', 'mean', 'min', 'max']);

/** @returns undefined if there is no such function */
export function parseFunction(text: string): WindowFunction | undefined {
  if (plain.has(text)) return { name: text as FunctionName, text, quantile: NaN };
  const percent = Number(/^p(?<percent>\d{1,3}(?:\.\d{1,6})?)$/u.exec(text)?.groups?.['percent'] ?? NaN);
  return percent <= 100 ? { name: 'quantile', text, quantile: percent / 100 } : undefined;
}

/** The names of the metrics that a function may yield for a metric of any kind. */
export function listNames(metricName: string, text: string): readonly string[] {
  if (text === 'last') return [metricName];
  return text === 'sum' ? [`${metricName}.sum`] : [`${metricName}.${text}`, `${metricName}.rate.${text}`];
}

/** The histograms of a metric. Counters are aggregated by their rate. */
export function createHistogramMetric(from: Metric, kind: HistogramKind): HistogramMetric {
  const isRate = from.kind === 'counter';
  return {
    name: `${from.name}${isRate ? '.rate' : ''}.${kind}`,
    unit: isRate ? rateUnit(from.unit) : from.unit,
    description: `${kind === 'histogram' ? 'Histogram' : 'Exponential histogram'} of ${isRate ? 'the rate of ' : ''}${from.name}`,
    kind,
  };
}

/**
 * The metric that a function yields. For a counter, `last` yields the counter itself and `sum` its growth within the
 * window; all other functions apply to its rate.
 */
export function createFunctionMetric(from: Metric, { name, text }: WindowFunction): Metric {
  if (name === 'last') return from;
  const isRate = from.kind === 'counter' && name !== 'sum';
  const isFraction = isRate || name === 'mean' || name === 'quantile';
  return {
    name: `${from.name}${isRate ? '.rate' : ''}.${text}`,
    unit: isRate ? rateUnit(from.unit) : from.unit,
    description: describe(from, { name, text }, isRate),
    kind: 'gauge',
    valueType: isFraction ? 'double' : from.valueType,
  };
}

function describe(
  from: Metric,
  { name, text }: Pick<WindowFunction, 'name' | 'text'>,
  isRate: boolean,
): string {
  if (name === 'sum' && from.kind === 'counter') return `Growth of ${from.name} within a window`;
  const what = name === 'quantile' ? `${text.slice(1)}th percentile` : names[name];
  return `${what} of ${isRate ? 'the rate of ' : ''}${from.name} within a window`;
}

const names: Readonly<Record<FunctionName, string>> = {
  last: 'Last value',
  sum: 'Sum',
  mean: 'Mean',
  min: 'Minimum',
  max: 'Maximum',
  quantile: 'Quantile',
};

function rateUnit(unit: string): string {
  if (unit === 'J') return 'W';
  return unit === 's' ? '1' : `${unit}/s`;
}
