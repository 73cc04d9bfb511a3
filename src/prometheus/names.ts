import type { AnySeries, Metric } from '../model/series.js';

type NamedMetric = Pick<Metric, 'name' | 'unit' | 'kind'>;
/** The same for metrics of both kinds of tables. */
type DescribedMetric = Pick<AnySeries['metric'], 'name' | 'unit' | 'kind'>;

/** The name of a metric in an exposition. */
export interface FamilyName {
  /** The name of its samples. */
  readonly sample: string;
  /** Its name in OpenMetrics: that of the samples without a counter's `_total`. */
  readonly family: string;
  /** The unit at the end of the family's name; '' if there is none. */
  readonly unit: string;
}

// Units by UCUM and their names in Prometheus, as in OpenTelemetry's Go translator
// (github.com/prometheus/otlptranslator): UnderscoreEscapingWithSuffixes.
const units: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tebibytes',
  kBy: 'kilobytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};

const unitsPer: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/** The UCUM unit for a unit word of Prometheus, `joules`; an unknown word becomes an annotation; '' for ''. */
export function findUnit(word: string): string {
  if (word === '' || word === 'ratio') return word && '1';
  const [unit] = Object.entries(units).find(([, name]) => name === word) ?? [`{${word}}`];
  return unit;
}

/** The names of a metric: `hw.energy` in J, a counter, has samples `hw_energy_joules_total`. */
export function translateMetric({ name, unit, kind }: NamedMetric): FamilyName {
  const [main, per] = splitUnit(unit);
  const tokens = name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== '');
  const isRatio = unit === '1' && kind === 'gauge';
  const words = isRatio ? moveToEnd(tokens, 'ratio') : tokens;
  const bare = kind === 'counter' ? words.filter((token) => token !== 'total') : words;
  const suffixes = [main, per].filter((suffix) => suffix !== '');
  const missing = suffixes.filter(
    (suffix) => !words.includes(suffix) && !bare.join('_').endsWith(`_${suffix}`),
  );
  const family = withRightStart([...bare, ...missing].join('_'));
  return {
    family,
    sample: kind === 'counter' ? `${family}_total` : family,
    unit: findSuffix(family, isRatio ? 'ratio' : suffixes.join('_')),
  };
}

/** Whether two metrics may share a name. */
export function isSameMetric(a: DescribedMetric, b: DescribedMetric): boolean {
  return a === b || (a.name === b.name && a.unit === b.unit && a.kind === b.kind);
}

/** For messages. */
export function describeMetric({ name, kind, unit }: DescribedMetric): string {
  return `the ${kind} "${name}" in "${unit}"`;
}

/** The names of a histogram's or summary's counters on a Prometheus page. OpenTelemetry names have dots instead. */
const histogramCounter = /^[a-zA-Z_:][a-zA-Z0-9_:]*_(?:bucket|count|sum)$/;

/**
 * The names of a metric on a page. They follow `translateMetric`, with two exceptions. Prometheus reserves
 * `_count` for histograms: it is replaced by the counted thing, in the plural. `process.thread.count` in
 * {thread} becomes `process_threads`. Counters of a scraped histogram keep their names:
 * `request_seconds_bucket` gets no `_total`.
 */
export function nameFamily(metric: NamedMetric): FamilyName {
  const { name, kind } = metric;
  if (kind === 'counter' && histogramCounter.test(name)) return { sample: name, family: name, unit: '' };
  const [, start, counted] = /^(.+)\.count \{(\w+)\}$/.exec(`${metric.name} ${metric.unit}`) ?? [];
  if (start === undefined || counted === undefined || metric.kind === 'counter')
    return translateMetric(metric);
  const rest = start.endsWith(`.${counted}`) ? start.slice(0, -counted.length - 1) : start;
  return translateMetric({ ...metric, name: `${rest}.${counted}${counted.endsWith('s') ? 'es' : 's'}` });
}

/** A label name: characters that Prometheus does not allow become underscores. */
export function translateLabel(name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  if (/^\d/.test(plain)) return `key_${plain}`;
  return plain.startsWith('_') ? `key${plain}` : plain;
}

/** The unit and its divisor. Annotations in braces are ignored. */
function splitUnit(unit: string): readonly [main: string, per: string] {
  const [main = '', per = ''] = unit.split(/\/(.*)/s).map((part) => part.trim());
  const divisor = translateUnit(per, unitsPer);
  return [translateUnit(main, units), divisor && `per_${divisor}`];
}

function translateUnit(unit: string, names: Readonly<Record<string, string>>): string {
  if (/[{}]/.test(unit)) return '';
  const name = (Object.hasOwn(names, unit) ? names[unit] : undefined) ?? unit;
  return name.replaceAll(/[^a-zA-Z0-9:]+/g, '_').replaceAll(/^_|_$/g, '');
}

function moveToEnd(tokens: readonly string[], word: string): readonly string[] {
  return [...tokens.filter((token) => token !== word), word];
}

/** A name with a valid first character, even if nothing of the metric's name is valid. */
function withRightStart(name: string): string {
  return /^(?:\d|$)/.test(name) ? `_${name}` : name;
}

function findSuffix(family: string, unit: string): string {
  return unit !== '' && family.endsWith(`_${unit}`) ? unit : '';
}

/** A value for Go's ParseFloat. Whole numbers have no exponent up to 2^53 and beyond. */
export function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
