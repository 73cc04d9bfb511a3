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
/** Fields with points. */
const kindTags: ReadonlySet<number> = new Set([gaugeTag, sumTag, histogramTag, exponentialTag, summaryTag]);

/** Number of points after which other work can run. */
const pointsAtATime = 2000;

/**
 * Reads requests. Resources, scopes, metrics and attributes are decoded when their bytes are first seen; when
 * they are repeated, only timestamps and values are decoded.
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
   * Reads a request. Whenever this yields, the caller may run other work, but must not read another request.
   * @throws RangeError if the bytes are not a valid message
   */
  *read(bytes: Uint8Array, rejections: Rejections): Generator<void> {
    const cursor = this.#cursor;
    cursor.open(bytes);
    // Nested generators would allocate several objects for each resource.
    while (this.#enter(resourceMetricsTag)) {
      const resourceEnd = cursor.end;
      const resource = this.#readResource();
      while (this.#enter(scopeMetricsTag)) {
        const scopeEnd = cursor.end;
        const scope = this.#readScope(resource);
        while (this.#enter(metricTag)) {
          const metricEnd = cursor.end;
          const node = this.#readMetric(scope, rejections);
          while (this.#readPoints(node, rejections)) yield;
          this.#leave(metricEnd, scopeEnd);
        }
        this.#leave(scopeEnd, resourceEnd);
      }
      this.#leave(resourceEnd, bytes.length);
    }
  }

  /** Enters the next field of the current message with this tag. @returns false if there is none */
  #enter(wanted: number): boolean {
    const cursor = this.#cursor;
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag !== wanted) cursor.skip(tag);
      else {
        cursor.end = cursor.readEnd();
        return true;
      }
    }
    return false;
  }

  /** Returns from a message to the enclosing one. */
  #leave(end: number, outerEnd: number): void {
    this.#cursor.at = end;
    this.#cursor.end = outerEnd;
  }

  /** Reads the resource of the current message, and moves back to the position before. */
  #readResource(): ResourceNode {
    const from = this.#cursor.at;
    this.#find(resourceTag);
    this.#cursor.at = from;
    return this.#registry.findResource(this.#span);
  }

  #readScope(resource: ResourceNode): ScopeNode {
    const from = this.#cursor.at;
    this.#find(scopeTag);
    this.#cursor.at = from;
    return this.#findScope(resource);
  }

  /** Copies the content of a field of the current message, which usually comes first, to the span. */
  #find(wanted: number): void {
    const cursor = this.#cursor;
    this.#span.clear();
    while (cursor.at < cursor.end) {
      const tag = cursor.readTag();
      if (tag !== wanted) cursor.skip(tag);
      else {
        const to = cursor.readEnd();
        // If a message field is repeated, protobuf merges the contents.
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

  /** @returns undefined if its points are rejected; otherwise the cursor is at its points */
  #readMetric(scope: ScopeNode, rejections: Rejections): MetricNode | undefined {
    const cursor = this.#cursor;
    const span = this.#span;
    span.clear();
    let [kind, from, to] = [0, 0, 0];
    while (cursor.at < cursor.end) {
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
    this.#leave(from, to);
    return kind === 0 ? undefined : this.#readKind(kind, scope, rejections);
  }

  #readKind(kind: number, scope: ScopeNode, rejections: Rejections): MetricNode | undefined {
    const from = this.#cursor.at;
    const { points, temporality, isMonotonic } = this.#survey();
    this.#cursor.at = from;
    const reason = findReason(kind, temporality);
    if (reason !== undefined) {
      rejections.add(reason, points, readMetricTexts(this.#span).name);
      return undefined;
    }
    this.#span.kind = kind === gaugeTag ? 0 : (kind << 4) + temporality * 2 + (isMonotonic ? 1 : 0);
    const isDelta = kind !== gaugeTag && temporality === delta;
    return this.#findMetric(scope, kindOf(kind, isMonotonic), isDelta);
  }

  /**
   * Reads points of the current message, unless its metric is rejected.
   * @returns whether other work must run before the next points are read
   */
  #readPoints(node: MetricNode | undefined, rejections: Rejections): boolean {
    if (node === undefined) return false;
    const isHistogram = node.kind === 'histogram' || node.kind === 'exponential_histogram';
    const reader = isHistogram ? this.#histograms : this.#points;
    const { end } = this.#cursor;
    while (this.#enter(pointTag)) {
      const reason = reader.read(this.#cursor, node);
      this.#cursor.end = end;
      if (reason !== undefined) rejections.add(reason, 1, node.name);
      this.#unread -= 1;
      if (this.#unread > 0) continue;
      this.#unread = pointsAtATime;
      return true;
    }
    return false;
  }

  /** Reads the fields of a gauge, sum or histogram other than points, which may be behind the points. */
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

/** The reason if points of a kind are rejected. */
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
