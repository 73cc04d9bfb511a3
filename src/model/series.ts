import { createPlans } from './plan.js';

/** A value that OpenTelemetry lets an attribute have, as far as this collector needs it. */
export type AttributeValue = string | number | boolean;

/** Attribute names and values. Never changed once a series or a resource holds them. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * gauge: a value of its instant. counter: a cumulative sum that never falls. updowncounter: a sum that may
 * fall.
 */
export type MetricKind = 'gauge' | 'counter' | 'updowncounter';

interface DescribedMetric {
  /** By the semantic conventions where they know it, say `hw.energy`. */
  readonly name: string;
  /** UCUM, case sensitive, without prefixes: `J`, `W`, `s`, `By`, `1`, `{process}`. */
  readonly unit: string;
  readonly description: string;
}

/** What is measured. One object per metric of a component, shared by all its series. */
export interface Metric extends DescribedMetric {
  readonly kind: MetricKind;
  /** How the value travels. In a table it is a double in either case. */
  readonly valueType: 'int' | 'double';
  /** Counters: set where exporters that know deltas send those. A table holds the counter as it is, cumulative. */
  readonly delta?: DeltaOutput;
}

/** What the first delta of a counter is. All others are its growth between two points. */
export interface DeltaOutput {
  /**
   * keep: what it has counted since its start. drop: none, it counts from its first point. auto: keep where it started
   * since an instant, otherwise drop.
   */
  readonly initial: 'auto' | 'keep' | 'drop';
  /** For `auto`: Unix time in nanoseconds. */
  readonly since: bigint;
}

/** histogram: buckets with given bounds. exponential_histogram: buckets whose bounds grow by one factor. */
export type HistogramKind = 'histogram' | 'exponential_histogram';

/** A metric of a histogram table; its unit is that of the values that are counted in buckets. */
export interface HistogramMetric extends DescribedMetric {
  readonly kind: HistogramKind;
}

/** Who is measured: the machine, a process, a container. Made once and shared by all its series. */
export interface Resource {
  readonly attributes: Attributes;
}

/** One metric of one resource with one attribute set. Made once by its receiver, known by identity. */
export interface Series<AMetric = Metric> {
  readonly metric: AMetric;
  readonly resource: Resource;
  readonly attributes: Attributes;
  /** Counters and histograms: Unix time in nanoseconds at which the count was 0. Others: when the series began. */
  readonly start: bigint;
}

/** A series of a histogram table. The compiler keeps it out of tables of numbers. */
export type HistogramSeries = Series<HistogramMetric>;

/** A series of either kind of table. */
export type AnySeries = Series<Metric | HistogramMetric>;

/** A string that two attribute sets share exactly when they are equal, whatever their order. */
export function attributesKey(attributes: Attributes): string {
  const entries = Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries.every(isJson) ? entries : entries.map(wrapNonFinite));
}

type Entry = readonly [name: string, value: AttributeValue];

/** JSON has no NaN and no infinity: it writes null for each. */
function isJson([, value]: Entry): boolean {
  return typeof value !== 'number' || Number.isFinite(value);
}

/** No text is equal to a list. */
function wrapNonFinite(entry: Entry): readonly [string, AttributeValue | readonly string[]] {
  return isJson(entry) ? entry : [entry[0], [String(entry[1])]];
}

/** A string that two resources share exactly when their attributes are equal. Built once per resource. */
export const resourceKey = createPlans((resource: Resource) => attributesKey(resource.attributes));

/** A string that two series share exactly when metric name, resource and attributes are equal. Built once. */
export const seriesKey = createPlans(
  (series: AnySeries) =>
    `${series.metric.name}\n${attributesKey(series.attributes)}\n${resourceKey(series.resource)}`,
);

const publishers = new WeakMap<AnySeries, string>();

/**
 * The receiver that a series comes from. Known only where another receiver may publish the same series: everywhere
 * else it does not matter, and costs no memory.
 */
export function publisherOf(series: AnySeries): string | undefined {
  return publishers.get(series);
}

/** Records the receiver that a series comes from. */
export function setPublisher(series: AnySeries, receiverId: string): void {
  publishers.set(series, receiverId);
}

/** Gives a series the publisher of the one that it is derived from, if that is known. */
export function inheritPublisher(derived: AnySeries, from: AnySeries): void {
  const publisher = publishers.get(from);
  if (publisher !== undefined && derived !== from) publishers.set(derived, publisher);
}

/** A new series with some fields of another one changed, for a processor whose values or names differ from what came. */
export function deriveSeries(from: Series, changes: Partial<Series> = {}): Series {
  const derived = { ...from, ...changes };
  inheritPublisher(derived, from);
  return derived;
}
