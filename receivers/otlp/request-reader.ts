import { tagOf } from '../../src/otlp/wire.js';
import { WireCursor } from '../../src/otlp/wire-cursor.js';
import { wireTypes } from '../../src/protobuf.js';
import { Span } from './byte-cache.js';
import type { HistogramReader } from './histogram-reader.js';
import type { MetricNode, ResourceNode, ScopeNode } from './live-series.js';
import type { PointReader } from './point-reader.js';
import type { Reason, Rejections } from './rejections.js';
import type { SeriesRegistry } from './series-registry.js';

// ExportMetricsServiceRequest of opentelemetry/proto/collector/metrics/v1/metrics_service.proto.

const { lengthDelimited, varint } = wireTypes;
const resourceMetricsTag = tagOf(1, lengthDelimited);
const resourceTag = tagOf(1, lengthDelimited);
const scopeMetricsTag = tagOf(2, lengthDelimited);
const scopeTag = tagOf(1, lengthDelimited);
const scopeNameTag = tagOf(1, lengthDelimited);
const metricTag = tagOf(2, lengthDelimited);
const nameTag = tagOf(1, lengthDelimited);
const descriptionTag = tagOf(2, lengthDelimited);
const unitTag = tagOf(3, lengthDelimited);
const gaugeTag = tagOf(5, lengthDelimited);
const sumTag = tagOf(7, lengthDelimited);
const pointTag = tagOf(1, lengthDelimited);
const temporalityTag = tagOf(2, varint);
const monotonicTag = tagOf(3, varint);

/** AggregationTemporality. */
const delta = 1;
const cumulative = 2;

const histogramTag = tagOf(9, lengthDelimited);
const exponentialTag = tagOf(10, lengthDelimited);
const summaryTag = tagOf(11, lengthDelimited);
/** Fields that hold points. */
const kindTags: ReadonlySet<number> = new Set([gaugeTag, sumTag, histogramTag, exponentialTag, summaryTag]);

/** Points between two moments at which others may run. */
const pointsAtATime = 2000;

/**
 * Reads requests. Resources, scopes, metrics and attributes are decoded the first time that their bytes are seen; of what
 * comes again only instants and values are read.
 */
export class RequestReader {
  readonly #registry: SeriesRegistry;
  readonly #points: PointReader;
  readonly #histograms: HistogramReader;
  readonly #cursor = new WireCursor();
  readonly #span = new Span();
  #unread = pointsAtATime;

  constructor(registry: SeriesRegistry, points: PointReader, histograms: HistogramReader) {
    this.#registry = registry;
    this.#points = points;
    this.#histograms = histograms;
  }

  /**
   * Reads a request. The caller may let others run whenever this yields, but not read another one.
   * @throws RangeError when the bytes are no such message
   */
  *read(bytes: Uint8Array, rejections: Rejections): Generator<void> {
    const cursor = this.#cursor;
    cursor.open(bytes);
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag === resourceMetricsTag) yield* this.#readResource(cursor.readEnd(), rejections);
      else cursor.skip(tag);
    }
  }

  *#readResource(end: number, rejections: Rejections): Generator<void> {
    const cursor = this.#cursor;
    const outer = cursor.end;
    cursor.end = end;
    const from = cursor.at;
    this.#find(resourceTag);
    const resource = this.#registry.findResource(this.#span);
    cursor.at = from;
    while (cursor.at < end) {
      const tag = cursor.readTag();
      if (tag === scopeMetricsTag) yield* this.#readScope(cursor.readEnd(), resource, rejections);
      else cursor.skip(tag);
    }
    cursor.end = outer;
  }

  *#readScope(end: number, resource: ResourceNode, rejections: Rejections): Generator<void> {
    const cursor = this.#cursor;
    const outer = cursor.end;
    cursor.end = end;
    const from = cursor.at;
    this.#find(scopeTag);
    const scope = this.#findScope(resource);
    cursor.at = from;
    while (cursor.at < end) {
      const tag = cursor.readTag();
      if (tag === metricTag) yield* this.#readMetric(cursor.readEnd(), scope, rejections);
      else cursor.skip(tag);
    }
    cursor.end = outer;
  }

  /** Takes the content of a field of the current message, which usually comes first, into the span. */
  #find(wanted: number): void {
    const cursor = this.#cursor;
    this.#span.clear();
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag !== wanted) cursor.skip(tag);
      else {
        const to = cursor.readEnd();
        // Of a field that is there twice, protobuf joins the contents.
        this.#span.add(cursor.view, cursor.at, to);
        cursor.at = to;
      }
    }
  }

  #findScope(resource: ResourceNode): ScopeNode {
    const span = this.#span;
    const known = this.#registry.scopeNodes.find(resource, span);
    if (known) return known.value;
    const cursor = new WireCursor();
    cursor.open(span.copy());
    let name = '';
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag === scopeNameTag) name = readText(cursor);
      else cursor.skip(tag);
    }
    return this.#registry.addScope(resource, span, name);
  }

  *#readMetric(end: number, scope: ScopeNode, rejections: Rejections): Generator<void> {
    const cursor = this.#cursor;
    const outer = cursor.end;
    cursor.end = end;
    const span = this.#span;
    span.clear();
    let [kind, from, to] = [0, 0, 0];
    while (cursor.at < end) {
      const fieldAt = cursor.at;
      const tag = cursor.readTag();
      if (tag === nameTag || tag === descriptionTag || tag === unitTag) {
        cursor.at = cursor.readEnd();
        span.add(cursor.view, fieldAt, cursor.at);
      } else if (tag === gaugeTag || kindTags.has(tag)) {
        [kind, to] = [tag, cursor.readEnd()];
        from = cursor.at;
        cursor.at = to;
      } else cursor.skip(tag);
    }
    if (kind !== 0) {
      cursor.at = from;
      cursor.end = to;
      yield* this.#readKind(kind, scope, rejections);
    }
    cursor.at = end;
    cursor.end = outer;
  }

  *#readKind(kind: number, scope: ScopeNode, rejections: Rejections): Generator<void> {
    const cursor = this.#cursor;
    const from = cursor.at;
    const { points, temporality, isMonotonic } = this.#survey();
    const reason = findReason(kind, temporality);
    if (reason !== undefined) {
      rejections.add(reason, points, readMetricTexts(this.#span).name);
      return;
    }
    this.#span.kind = kind === gaugeTag ? 0 : (kind << 4) + temporality * 2 + (isMonotonic ? 1 : 0);
    const node = this.#findMetric(
      scope,
      kindOf(kind, isMonotonic),
      kind !== gaugeTag && temporality === delta,
    );
    const reader = kind === histogramTag || kind === exponentialTag ? this.#histograms : this.#points;
    cursor.at = from;
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag !== pointTag) cursor.skip(tag);
      else {
        this.#readPoint(reader, node, rejections);
        this.#unread -= 1;
        if (this.#unread === 0) {
          this.#unread = pointsAtATime;
          yield;
        }
      }
    }
  }

  #readPoint(reader: PointReader | HistogramReader, node: MetricNode, rejections: Rejections): void {
    const cursor = this.#cursor;
    const outer = cursor.end;
    cursor.end = cursor.readEnd();
    const reason = reader.read(cursor, node);
    cursor.end = outer;
    if (reason !== undefined) rejections.add(reason, 1, node.name);
  }

  /** What of a gauge, sum or histogram is not a point. It may come after the points. */
  #survey() {
    const cursor = this.#cursor;
    let [points, temporality, isMonotonic] = [0, 0, false];
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag === pointTag) {
        points += 1;
        cursor.at = cursor.readEnd();
      } else if (tag === temporalityTag) temporality = cursor.readVarint();
      else if (tag === monotonicTag) isMonotonic = cursor.readVarint() !== 0;
      else cursor.skip(tag);
    }
    return { points, temporality, isMonotonic };
  }

  #findMetric(parent: ScopeNode, kind: MetricNode['kind'], isDelta: boolean): MetricNode {
    const known = this.#registry.metricNodes.find(parent, this.#span);
    if (known) return known.value;
    return this.#registry.addMetric(this.#span, { parent, ...readMetricTexts(this.#span), kind, isDelta });
  }
}

/** Why points of a kind are not taken, if so. */
function findReason(kind: number, temporality: number): Reason | undefined {
  if (kind === summaryTag) return 'summary';
  const isKnown = kind === gaugeTag || temporality === delta || temporality === cumulative;
  return isKnown ? undefined : 'temporality';
}

function kindOf(kind: number, isMonotonic: boolean): MetricNode['kind'] {
  if (kind === histogramTag) return 'histogram';
  if (kind === exponentialTag) return 'exponential_histogram';
  if (kind === gaugeTag) return 'gauge';
  return isMonotonic ? 'counter' : 'updowncounter';
}

function readMetricTexts(span: Span) {
  const cursor = new WireCursor();
  cursor.open(span.copy());
  const texts = { name: '', description: '', unit: '' };
  while (cursor.at < cursor.end) {
    const tag = cursor.readTag();
    const text = readText(cursor);
    if (tag === nameTag) texts.name = text;
    else if (tag === descriptionTag) texts.description = text;
    else texts.unit = text;
  }
  return texts;
}

function readText(cursor: WireCursor): string {
  const to = cursor.readEnd();
  const text = cursor.textAt(cursor.at, to);
  cursor.at = to;
  return text;
}
