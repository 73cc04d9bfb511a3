import type { AnySeries, Metric } from '../model/series.js';

type NamedMetric = Pick<Metric, 'name' | 'unit' | 'kind'>;
/** The same of a metric of either kind of table. */
type DescribedMetric = Pick<AnySeries['metric'], 'name' | 'unit' | 'kind'>;

/** What a metric is called in an exposition. */
export interface FamilyName {
  /** The name of its samples. */
  readonly sample: string;
  /** Its name in OpenMetrics: that of the samples without a counter's `_total`. */
  readonly family: string;
  /** The unit that the family's name ends with; '' where it ends with none. */
  readonly unit: string;
}

// Units by UCUM and their names in Prometheus, as OpenTelemetry's Go translator has them
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

/** The UCUM unit of a word that Prometheus has for one, `joules`; a word that is none is an annotation; '' for ''. */
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

/** What a page of Prometheus calls the counters of a histogram or a summary. A name of OpenTelemetry has dots. */
const histogramCounter = /^[a-zA-Z_:][a-zA-Z0-9_:]*_(?:bucket|count|sum)$/;

/**
 * The names of a metric on a page. They are those of `translateMetric`, with two exceptions. Prometheus reserves `_count` for
 * histograms: what is counted takes its place, in the plural. `process.thread.count` in {thread} becomes `process_threads`.
 * Counters of a histogram that was scraped keep their names: `request_seconds_bucket` gets no `_total`.
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

/** A label's name: what Prometheus does not allow becomes an underscore. */
export function translateLabel(name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  if (/^\d/.test(plain)) return `key_${plain}`;
  return plain.startsWith('_') ? `key${plain}` : plain;
}

/** The unit and the unit that it is divided by. Annotations in braces are none. */
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

/** A name that begins as Prometheus wants it, also where nothing of the metric's name can stand in it. */
function withRightStart(name: string): string {
  return /^(?:\d|$)/.test(name) ? `_${name}` : name;
}

function findSuffix(family: string, unit: string): string {
  return unit !== '' && family.endsWith(`_${unit}`) ? unit : '';
}

/** A value as Go's ParseFloat takes it. Whole numbers up to 2^53 and beyond have no exponent. */
export function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
