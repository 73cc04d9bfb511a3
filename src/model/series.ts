import { elementAt } from '../element.js';
import { createPlans, findOrAdd } from './plan.js';

/** A value that OpenTelemetry allows for an attribute, as far as this collector needs it. */
export type AttributeValue = string | number | boolean;

/** Attribute names and values. Never changed once a series or a resource holds them. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * gauge: a value at an instant. counter: a cumulative sum that never decreases. updowncounter: a sum that may
 * decrease.
 */
export type MetricKind = 'gauge' | 'counter' | 'updowncounter';

interface DescribedMetric {
  /** According to the semantic conventions if they define it, for example `hw.energy`. */
  readonly name: string;
  /** UCUM, case sensitive, without prefixes: `J`, `W`, `s`, `By`, `1`, `{process}`. */
  readonly unit: string;
  readonly description: string;
}

/** What is measured. One object per metric of a component, shared by all its series. */
export interface Metric extends DescribedMetric {
  readonly kind: MetricKind;
  /** The exported type. In a table, the value is a double in either case. */
  readonly valueType: 'int' | 'double';
  /** Counters: set for exporters that can send deltas. In a table, the counter is always cumulative. */
  readonly delta?: DeltaOutput;
}

/** The first delta of a counter. All others are its growth between two points. */
export interface DeltaOutput {
  /**
   * keep: its count since its start. drop: none, it counts from its first point. auto: keep if it started after
   * `since`, otherwise drop.
   */
  readonly initial: 'auto' | 'keep' | 'drop';
  /** For `auto`: Unix time in nanoseconds. */
  readonly since: bigint;
}

/** histogram: buckets with given bounds. exponential_histogram: buckets whose bounds grow by a constant factor. */
export type HistogramKind = 'histogram' | 'exponential_histogram';

/** A metric of a histogram table; its unit is that of the values that are counted in buckets. */
export interface HistogramMetric extends DescribedMetric {
  readonly kind: HistogramKind;
}

/** The measured entity: the machine, a process, a container. Created once and shared by all its series. */
export interface Resource {
  readonly attributes: Attributes;
}

/** One metric of one resource with one attribute set. Created once by its receiver, identified by reference. */
export interface Series<AMetric = Metric> {
  readonly metric: AMetric;
  readonly resource: Resource;
  readonly attributes: Attributes;
  /** Counters and histograms: Unix time in nanoseconds at which the count was 0. Others: when the series started. */
  readonly start: bigint;
}

/** A series of a histogram table. The type keeps it out of number tables. */
export type HistogramSeries = Series<HistogramMetric>;

/** The kinds of metrics in messages, with their article. */
export const kindNames: Readonly<Record<MetricKind | HistogramKind, string>> = {
  gauge: 'a gauge',
  counter: 'a counter',
  updowncounter: 'an up-down counter',
  histogram: 'a histogram',
  exponential_histogram: 'an exponential histogram',
};

/** A series of either kind of table. */
export type AnySeries = Series<Metric | HistogramMetric>;

/** Equal for two attribute sets exactly when they are equal in any order, and the same in every process. */
export function attributesKey(attributes: Attributes): string {
  const entries = sortEntries(attributes);
  return JSON.stringify(entries.every(isJson) ? entries : entries.map(wrapNonFinite));
}

type Entry = readonly [name: string, value: AttributeValue];

/** An entry as it is in JSON. */
type JsonEntry = readonly [name: string, value: AttributeValue | readonly [nonFinite: string]];

function sortEntries(attributes: Attributes): readonly Entry[] {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** JSON has no NaN and no infinity: it writes null for both. */
function isJson([, value]: Entry): boolean {
  return typeof value !== 'number' || Number.isFinite(value);
}

/** A list cannot be equal to any text. */
function wrapNonFinite(entry: Entry): JsonEntry {
  return isJson(entry) ? entry : [entry[0], [String(entry[1])]];
}

/** Lists of the names of attributes. Most resources have one of a few, which their keys refer to. */
const shapes: (readonly string[])[] = [];
const shapeIndexes = new Map<string, number>();
/** Other programs determine names, too. */
const maxShapes = 4096;

/** Texts of values that many resources have, as those of a program: their keys refer to them. */
const commonTexts: string[] = [];
/** The indexes of these, by the name of the attribute and by text. */
const commonIndexes = new Map<string, Map<string, number>>();
/** A shorter text takes no more than a reference to it. */
const minCommon = 8;
/** Values of one name that differ from resource to resource, as ids do, leave room for those of other names. */
const maxCommonOfName = 256;
const maxCommon = 4096;

/**
 * Equal for two resources of this thread exactly when their attributes are equal. Computed once per resource. Without
 * the names of the attributes and most of their values, since every process has such a key: some 60 characters rather
 * than 570.
 */
export const resourceKey = createPlans(({ attributes }: Resource): string => {
  const entries = sortEntries(attributes);
  const shape = entries.every(isJson) ? findShape(entries.map(([name]) => name)) : undefined;
  if (shape === undefined) return attributesKey(attributes);
  // Joined, since V8 keeps the parts of a text that is made by additions.
  return [shape, ...entries.map(encodeValue), ''].join(']');
});

/** The same text for the same value of the same name, at any time: none is forgotten, and none is added once it is full. */
function encodeValue([name, value]: Entry): string {
  const text = JSON.stringify(value);
  if (typeof value !== 'string' || text.length < minCommon) return text;
  const ofName = commonIndexes.get(name);
  const known = ofName?.get(text);
  if (known !== undefined) return `#${known}`;
  if (commonTexts.length >= maxCommon || (ofName?.size ?? 0) >= maxCommonOfName) return text;
  findOrAdd(commonIndexes, name, () => new Map<string, number>()).set(text, commonTexts.length);
  return `#${commonTexts.push(text) - 1}`;
}

/** @returns undefined: there are too many */
function findShape(names: readonly string[]): number | undefined {
  const text = JSON.stringify(names);
  const known = shapeIndexes.get(text);
  if (known !== undefined || shapes.length >= maxShapes) return known;
  shapeIndexes.set(text, shapes.length);
  return shapes.push(names) - 1;
}

/**
 * Orders keys of resources by name and value of the first attribute, then of the second one and so on, in every process
 * alike. Names that a container gets late, after its id, do not move its processes among those of others.
 */
export function compareResourceKeys(one: string, other: string): number {
  if (one === other) return 0;
  const [left, right] = [readShape(one), readShape(other)];
  if (left.names === right.names) return compareValues(left.key, right.key, left.names.length);
  const differing = findDifferingName(left.names, right.names);
  const order = compareValues(left.key, right.key, differing);
  if (order !== 0) return order;
  const [name, otherName] = [left.names[differing], right.names[differing]];
  if (name === undefined) return -1;
  return otherName === undefined || name > otherName ? 1 : -1;
}

function findDifferingName(names: readonly string[], otherNames: readonly string[]): number {
  let i = 0;
  while (i < names.length && names[i] === otherNames[i]) i += 1;
  return i;
}

/** Orders two keys by their first values, as many as given. 0: these are equal. */
function compareValues(key: string, otherKey: string, count: number): number {
  let [at, otherAt] = [key.indexOf(']') + 1, otherKey.indexOf(']') + 1];
  for (let i = 0; i < count; i += 1) {
    const [end, otherEnd] = [findEnd(key, at), findEnd(otherKey, otherAt)];
    const value = expandValue(key.slice(at, end));
    const otherValue = expandValue(otherKey.slice(otherAt, otherEnd));
    if (value !== otherValue) return value < otherValue ? -1 : 1;
    [at, otherAt] = [end, otherEnd];
  }
  return 0;
}

/** The text of a value in a key, with its bracket, so that none is the beginning of another. */
function expandValue(encoded: string): string {
  return encoded.startsWith('#') ? `${elementAt(commonTexts, Number(encoded.slice(1, -1)))}]` : encoded;
}

/** @returns the place after the bracket that follows the value at a place */
function findEnd(key: string, at: number): number {
  if (!key.startsWith('"', at)) return key.indexOf(']', at) + 1;
  let quote = key.indexOf('"]', at + 1);
  while (isEscaped(key, quote)) quote = key.indexOf('"]', quote + 1);
  return quote + 2;
}

/** Whether an odd number of backslashes is before a place. */
function isEscaped(key: string, at: number): boolean {
  let first = at;
  while (key.startsWith('\\', first - 1)) first -= 1;
  return (at - first) % 2 === 1;
}

interface ShapedKey {
  readonly names: readonly string[];
  /** `N]value]value]` */
  readonly key: string;
}

function readShape(key: string): ShapedKey {
  if (!key.startsWith('[')) return { names: elementAt(shapes, Number(key.slice(0, key.indexOf(']')))), key };
  const entries = JSON.parse(key) as readonly JsonEntry[]; // by attributesKey
  const values = entries.map(([, value]) => (typeof value === 'object' ? value[0] : JSON.stringify(value)));
  return { names: entries.map(([name]) => name), key: ['', ...values, ''].join(']') };
}

/** Equal for two series exactly when metric name, resource and attributes are equal. Computed once. */
export const seriesKey = createPlans(
  (series: AnySeries) =>
    `${series.metric.name}\n${attributesKey(series.attributes)}\n${resourceKey(series.resource)}`,
);

const publishers = new WeakMap<AnySeries, string>();

/**
 * The receiver that a series comes from. Recorded only where another receiver may publish the same series, to
 * save memory.
 */
export function publisherOf(series: AnySeries): string | undefined {
  return publishers.get(series);
}

/** Records the receiver that a series comes from. */
export function setPublisher(series: AnySeries, receiverId: string): void {
  publishers.set(series, receiverId);
}

/** Sets the publisher of a derived series to that of its origin, if known. */
export function inheritPublisher(derived: AnySeries, from: AnySeries): void {
  const publisher = publishers.get(from);
  if (publisher !== undefined && derived !== from) publishers.set(derived, publisher);
}

/** A new series with some fields changed, for a processor that changes values or names. */
export function deriveSeries(from: Series, changes: Partial<Series> = {}): Series {
  const derived = { ...from, ...changes };
  inheritPublisher(derived, from);
  return derived;
}
