import { describeError } from '../errors.js';
import type { HistogramRow } from '../model/histogram-table.js';
import { findOrAdd } from '../model/plan.js';
import type { HistogramSeries, Metric, Resource, Series } from '../model/series.js';
import { endDelayNs } from '../model/table.js';
import type { PointStream, Sink } from './decoder.js';
import { checkRow } from './histogram-columns.js';
import { gapMark, scopeName } from './json-lines-plan.js';
import { JsonLinesScanner, type Instants, type LinePoint } from './json-lines-scanner.js';
import {
  areHistograms,
  attributesOf,
  hasNoValue,
  instantOf,
  isObject,
  objectsOf,
  parseObject,
  pointsOf,
  textOf,
  valueOf,
  type HistogramPoints,
  type JsonObject,
  type MetricPoints,
} from './otlp-json.js';
import { readJsonHistogram } from './otlp-json-histogram.js';

interface Gaps {
  /** Where points without a value are gaps: the type of the values. */
  readonly gapType: unknown;
}

/** The points of a resource and scope. */
interface Block {
  readonly resource: Resource;
  /** Delay between the last row of a series and the point that ends it; set in files of joulemetry. */
  readonly endDelay: bigint;
}

/** A histogram in a line, not yet a row of a table. */
interface HistogramPoint {
  readonly record: HistogramSeries;
  readonly at: bigint;
  readonly row: HistogramRow;
  readonly isEnd: boolean;
}

/** Reads OTLP JSON lines of this project and of the Collector's file exporter. */
export class JsonLinesDecoder {
  readonly #sink: Sink;
  readonly #stream: PointStream;
  /** Attributes that were read before, by their text. */
  readonly #attributes = new Map<string, Series['attributes']>();
  /** Resources with exactly these attributes. */
  readonly #resources = new WeakMap<Series['attributes'], Resource>();
  readonly #instants = new InstantReader();
  /** Those of the line, in order. */
  #histograms: HistogramPoint[] = [];
  readonly #scanner = new JsonLinesScanner({
    resource: (pairs) => this.#resourceOf(pairs),
    attributes: (pairs) => this.#attributesOf(pairs),
    metric: (described, kind, isInt) => this.#metricOf(described, kind, isInt),
    series: (record) => this.#stream.book.find(record),
  });

  constructor(sink: Sink, stream: PointStream) {
    this.#sink = sink;
    this.#stream = stream;
  }

  /**
   * Reads a line; a malformed one is reported to the sink. Its points never share a table with those of other
   * lines.
   */
  line(text: string): void {
    this.#histograms = [];
    try {
      this.#take(this.#scanner.scan(text) ?? this.#read(parseLine(text)));
    } catch (error) {
      this.#sink.malformed(describeError(error));
    }
  }

  #read(resources: readonly JsonObject[]): Instants {
    const instants: Instants = new Map();
    for (const resource of resources) this.#readResource(resource, instants);
    return instants;
  }

  #take(instants: Instants): void {
    const times = [...instants.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    for (const at of times) this.#forward(at, instants.get(at) ?? []);
    this.#forwardHistograms();
    this.#stream.flush();
  }

  #forwardHistograms(): void {
    const stream = this.#stream;
    // Rows of a series must ascend, and its end must follow the last of them.
    const points = this.#histograms.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    for (const { record, at, row, isEnd } of points) {
      if (isEnd) stream.end(record, at);
      else stream.addHistogram(stream.open(record, at), at, row);
    }
  }

  #forward(at: bigint, points: readonly LinePoint[]): void {
    const stream = this.#stream;
    // A replaced series ends before the row that replaces it.
    for (const point of points) if (!point.isEnd) point.record = stream.open(point.record, at);
    for (const { record, value, isEnd } of points) if (!isEnd) stream.add(record, at, value);
    for (const { record, isEnd } of points) if (isEnd) stream.end(record, at);
  }

  #readResource(block: JsonObject, instants: Instants): void {
    const { resource: described } = block;
    const resource = this.#resourceOf(isObject(described) ? described['attributes'] : undefined);
    for (const scope of objectsOf(block['scopeMetrics'] ?? block['scope_metrics'])) {
      const { scope: named } = scope;
      const isOurs = isObject(named) && named['name'] === scopeName;
      const from = { resource, endDelay: isOurs ? endDelayNs : 0n };
      for (const metric of objectsOf(scope['metrics'])) this.#readMetric(metric, from, instants);
    }
  }

  #readMetric(metric: JsonObject, block: Block, instants: Instants): void {
    const read = pointsOf(metric);
    if (read === undefined) return;
    if ('unsupported' in read) {
      this.#sink.unsupported(read.unsupported, read.count);
    } else if (areHistograms(read)) this.#readHistograms(metric, read, block);
    else this.#readNumbers(metric, read, { ...block, instants });
  }

  #readNumbers(
    metric: JsonObject,
    { points, kind }: MetricPoints,
    { resource, endDelay, instants }: Block & { readonly instants: Instants },
  ): void {
    const gapType = attributesOf(metric['metadata'])[gapMark];
    const described = this.#describeMetric(metric, { kind, points, gapType });
    for (const point of points) {
      const { at, attributes, start } = this.#readPoint(point);
      const value = hasNoValue(point) ? undefined : valueOf(point)?.value;
      const isEnd = value === undefined && gapType === undefined;
      findOrAdd(instants, isEnd && at > endDelay ? at - endDelay : at, () => []).push({
        record: { metric: described, resource, attributes, start },
        value: value ?? NaN,
        isEnd,
      });
    }
  }

  #readHistograms(
    metric: JsonObject,
    { points, kind }: HistogramPoints,
    { resource, endDelay }: Block,
  ): void {
    const hasGaps = attributesOf(metric['metadata'])[gapMark] !== undefined;
    const described = this.#stream.book.metric({ ...textsOf(metric), kind });
    for (const point of points) {
      const { at, attributes, start } = this.#readPoint(point);
      const isEnd = hasNoValue(point) && !hasGaps;
      this.#histograms.push({
        record: { metric: described, resource, attributes, start },
        at: isEnd && at > endDelay ? at - endDelay : at,
        row: checkHistogram(point, described),
        isEnd,
      });
    }
  }

  #readPoint(point: JsonObject): { readonly at: bigint } & Pick<Series, 'attributes' | 'start'> {
    return {
      at: this.#instants.read(point['timeUnixNano'] ?? point['time_unix_nano']),
      attributes: this.#attributesOf(point['attributes']),
      start: this.#instants.read(point['startTimeUnixNano'] ?? point['start_time_unix_nano']),
    };
  }

  #describeMetric(metric: JsonObject, { kind, points, gapType }: MetricPoints & Gaps): Metric {
    const isInt = points.map(valueOf).find((value) => value !== undefined)?.isInt ?? gapType === 'int';
    return this.#metricOf(metric, kind, isInt);
  }

  #metricOf(metric: JsonObject, kind: Metric['kind'], isInt: boolean): Metric {
    return this.#stream.book.metric({ ...textsOf(metric), kind, valueType: isInt ? 'int' : 'double' });
  }

  #resourceOf(pairs: unknown): Resource {
    const attributes = this.#attributesOf(pairs);
    const known = this.#resources.get(attributes);
    if (known) return known;
    const resource = this.#stream.book.resource(attributes);
    this.#resources.set(attributes, resource);
    return resource;
  }

  #attributesOf(pairs: unknown): Series['attributes'] {
    const text = pairsKey(pairs);
    const known = this.#attributes.get(text);
    if (known) return known;
    const attributes = this.#stream.book.attributes(attributesOf(pairs));
    if (this.#attributes.size > 100_000) this.#attributes.clear();
    this.#attributes.set(text, attributes);
    return attributes;
  }
}

function textsOf(metric: JsonObject): Pick<Metric, 'name' | 'unit' | 'description'> {
  return {
    name: textOf(metric['name']),
    unit: textOf(metric['unit']),
    description: textOf(metric['description']),
  };
}

/** @throws Error if a point is not a valid histogram */
function checkHistogram(point: JsonObject, { kind, name }: HistogramSeries['metric']): HistogramRow {
  const row = readJsonHistogram(point, kind);
  try {
    return checkRow(row);
  } catch (error) {
    throw new Error(`Cannot read histogram "${name}": ${describeError(error)}`, { cause: error });
  }
}

/** @throws Error if the line has no metrics */
function parseLine(text: string): readonly JsonObject[] {
  const line = parseObject(text);
  const resources = line['resourceMetrics'] ?? line['resource_metrics'];
  if (!Array.isArray(resources)) throw new Error('expected a list "resourceMetrics", found none');
  return objectsOf(resources);
}

/** A key for a list of key-value pairs, in a fifth of the time of its JSON. */
function pairsKey(pairs: unknown): string {
  if (!Array.isArray(pairs)) return '';
  let key = '';
  for (const pair of pairs as readonly unknown[]) {
    const { key: name, value } = isObject(pair) ? pair : noPair;
    const text = isObject(value) ? value['stringValue'] : undefined;
    // The lengths make the concatenation unambiguous.
    if (typeof name === 'string' && typeof text === 'string')
      key += `${name.length} ${name}${text.length} ${text}`;
    else key += `:${JSON.stringify(pair)}`;
  }
  return key;
}

const noPair: JsonObject = {};

const maxTexts = 10_000;

/** Parses instants, most of which repeat: those of a row, starts of series. */
class InstantReader {
  readonly #known = new Map<string, bigint>();

  /** @throws Error if it exceeds 64 bits */
  read(value: unknown): bigint {
    if (typeof value !== 'string') return instantOf(value);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const read = instantOf(value);
    if (this.#known.size >= maxTexts) this.#known.clear();
    this.#known.set(value, read);
    return read;
  }
}
