import { describeError } from '../errors.js';
import { findOrAdd } from '../model/plan.js';
import type { Metric, Resource, Series } from '../model/series.js';
import { endDelayNs } from '../model/table.js';
import type { PointStream, Sink } from './decoder.js';
import { gapMark, scopeName } from './json-lines-plan.js';
import { JsonLinesScanner, type Instants, type LinePoint } from './json-lines-scanner.js';
import {
  attributesOf,
  hasNoValue,
  instantOf,
  isObject,
  objectsOf,
  parseObject,
  pointsOf,
  textOf,
  valueOf,
  type JsonObject,
  type MetricPoints,
} from './otlp-json.js';

interface Gaps {
  /** Where points without a value are gaps: the type that values have. */
  readonly gapType: unknown;
}

/** The points of a resource and scope belong together. */
interface Block {
  readonly resource: Resource;
  /** How long after the last row of a series the point is that ends it: what joulemetry wrote has a delay. */
  readonly endDelay: bigint;
}

/** Reads OTLP JSON lines, ours and those of the Collector's file exporter. */
export class JsonLinesDecoder {
  readonly #sink: Sink;
  readonly #stream: PointStream;
  /** Attributes that were read before, by their text. */
  readonly #attributes = new Map<string, Series['attributes']>();
  /** Resources with these very attributes. */
  readonly #resources = new WeakMap<Series['attributes'], Resource>();
  readonly #instants = new InstantReader();
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

  /** Reads a line; one that is wrong is reported to the sink. Its points never share a table with those of others. */
  line(text: string): void {
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
    this.#stream.flush();
  }

  #forward(at: bigint, points: readonly LinePoint[]): void {
    const stream = this.#stream;
    // A series whose place is taken ends before the row that takes it.
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

  #readMetric(metric: JsonObject, { resource, endDelay }: Block, instants: Instants): void {
    const read = pointsOf(metric);
    if (read === undefined) return;
    if ('unsupported' in read) {
      this.#sink.unsupported(read.unsupported, read.count);
      return;
    }
    const { points, kind } = read;
    const gapType = attributesOf(metric['metadata'])[gapMark];
    const described = this.#describeMetric(metric, { kind, points, gapType });
    for (const point of points) {
      const at = this.#instants.read(point['timeUnixNano'] ?? point['time_unix_nano']);
      const attributes = this.#attributesOf(point['attributes']);
      const start = this.#instants.read(point['startTimeUnixNano'] ?? point['start_time_unix_nano']);
      const value = hasNoValue(point) ? undefined : valueOf(point)?.value;
      const isEnd = value === undefined && gapType === undefined;
      findOrAdd(instants, isEnd && at > endDelay ? at - endDelay : at, () => []).push({
        record: { metric: described, resource, attributes, start },
        value: value ?? NaN,
        isEnd,
      });
    }
  }

  #describeMetric(metric: JsonObject, { kind, points, gapType }: MetricPoints & Gaps): Metric {
    const isInt = points.map(valueOf).find((value) => value !== undefined)?.isInt ?? gapType === 'int';
    return this.#metricOf(metric, kind, isInt);
  }

  #metricOf(metric: JsonObject, kind: Metric['kind'], isInt: boolean): Metric {
    const name = textOf(metric['name']);
    const unit = textOf(metric['unit']);
    const description = textOf(metric['description']);
    return this.#stream.book.metric({ name, unit, description, kind, valueType: isInt ? 'int' : 'double' });
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

/** @throws Error when the line holds no metrics */
function parseLine(text: string): readonly JsonObject[] {
  const line = parseObject(text);
  const resources = line['resourceMetrics'] ?? line['resource_metrics'];
  if (!Array.isArray(resources)) throw new Error('expected a list "resourceMetrics", found none');
  return objectsOf(resources);
}

/** Distinguishes lists of key-value pairs, in a fifth of the time that their JSON takes. */
function pairsKey(pairs: unknown): string {
  if (!Array.isArray(pairs)) return '';
  let key = '';
  for (const pair of pairs as readonly unknown[]) {
    const { key: name, value } = isObject(pair) ? pair : noPair;
    const text = isObject(value) ? value['stringValue'] : undefined;
    // With their lengths, texts cannot be taken for what follows them.
    if (typeof name === 'string' && typeof text === 'string')
      key += `${name.length} ${name}${text.length} ${text}`;
    else key += `:${JSON.stringify(pair)}`;
  }
  return key;
}

const noPair: JsonObject = {};

const maxTexts = 10_000;

/** Reads instants, of which most come again: those of a row, the starts of series. */
class InstantReader {
  readonly #known = new Map<string, bigint>();

  /** @throws Error when it is too late for 64 bits */
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
