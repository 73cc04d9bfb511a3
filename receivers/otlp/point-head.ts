import type { Metric } from '../../src/model/series.js';
import type { WireCursor } from '../../src/otlp/wire-cursor.js';
import { Span } from './byte-cache.js';
import { isBefore, joinHalves, type LiveSeries, type MetricNode } from './live-series.js';
import type { Reason } from './rejections.js';
import type { Sent, SeriesRegistry } from './series-registry.js';

/** Timestamps have 63 bits. */
const maxHigh = 0x7fff_ffff;

const noNode = {};

/** Fields that points of every kind have: attributes, start and time. */
export class PointHead {
  readonly #registry: SeriesRegistry;
  /** The encoded attributes. */
  readonly span = new Span();
  #node: object = noNode;
  /** The series, if it was found before all fields were read. */
  #expected: LiveSeries | undefined;
  startHigh = 0;
  startLow = 0;
  high = 0;
  low = 0;

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
  }

  /** Begins a point of a metric. */
  begin(node: MetricNode): void {
    this.startHigh = this.startLow = this.high = this.low = 0;
    this.span.clear();
    this.#node = node;
    this.#expected = undefined;
  }

  readStart(cursor: WireCursor): void {
    const at = cursor.pass(8);
    this.startHigh = cursor.highAt(at);
    this.startLow = cursor.lowAt(at);
  }

  readTime(cursor: WireCursor): void {
    const at = cursor.pass(8);
    this.high = cursor.highAt(at);
    this.low = cursor.lowAt(at);
  }

  /**
   * Reads an attribute whose field begins at `fieldAt`, and all following attributes if they are the same as
   * the last time.
   */
  readAttribute(cursor: WireCursor, fieldAt: number): void {
    if (this.span.isEmpty && this.#readExpected(cursor, fieldAt)) return;
    cursor.at = cursor.readEnd();
    this.span.add(cursor.view, fieldAt, cursor.at);
  }

  #readExpected(cursor: WireCursor, fieldAt: number): boolean {
    const { span } = this;
    span.add(cursor.view, fieldAt, cursor.end);
    this.#expected = this.#registry.points.expect(this.#node, span)?.value;
    if (this.#expected === undefined) span.clear();
    else cursor.at = cursor.end;
    return this.#expected !== undefined;
  }

  /** The reason if the timestamps are invalid. */
  checkInstants(node: MetricNode): Reason | undefined {
    if ((this.high === 0 && this.low === 0) || this.high > maxHigh) return 'time';
    const isLater = node.kind !== 'gauge' && isBefore(this.high, this.low, this.startHigh, this.startLow);
    return isLater ? 'start' : undefined;
  }

  /**
   * Finds or creates the series.
   * @param valueType undefined: the point has no value
   */
  findSeries(node: MetricNode, valueType: Metric['valueType'] | undefined): LiveSeries | Reason {
    const known = this.#expected ?? this.#registry.points.find(node, this.span)?.value;
    const found = known ?? this.#registry.open(node, this.span, this.sent(valueType));
    if (typeof found === 'string' || !found.isCumulative || this.#hasStartOf(found)) return found;
    return this.#restart(found, valueType);
  }

  /** The reason if a point of a series is rejected. */
  check(found: LiveSeries): Reason | undefined {
    const { high, low } = found.start;
    if (isBefore(this.high, this.low, high, low)) return 'start';
    if (!found.node.isDelta) return undefined;
    if (found.request !== this.#registry.request) {
      found.deltaHigh = found.high;
      found.deltaLow = found.low;
    }
    const { deltaHigh, deltaLow } = found;
    const isLater = isBefore(deltaHigh, deltaLow, this.high, this.low);
    if (isLater && this.hasStart && isBefore(this.startHigh, this.startLow, deltaHigh, deltaLow))
      return 'overlap';
    if (isLater) {
      found.deltaHigh = this.high;
      found.deltaLow = this.low;
    }
    return undefined;
  }

  /** The start is optional. */
  get hasStart(): boolean {
    return this.startHigh !== 0 || this.startLow !== 0;
  }

  /** Only called if a new series is created. */
  sent(valueType: Metric['valueType'] | undefined): Sent {
    return {
      start: { high: this.startHigh, low: this.startLow },
      time: { high: this.high, low: this.low },
      valueType,
    };
  }

  #hasStartOf({ sentStart }: LiveSeries): boolean {
    return !this.hasStart || (this.startLow === sentStart.low && this.startHigh === sentStart.high);
  }

  /** A later start means that the counter was reset. An earlier one comes from another sender. */
  #restart(found: LiveSeries, valueType: Metric['valueType'] | undefined): LiveSeries | Reason {
    const { high, low } = found.sentStart;
    if (isBefore(this.startHigh, this.startLow, high, low)) return 'older_start';
    return this.#registry.restart(found, this.sent(valueType), joinHalves(this.startHigh, this.startLow));
  }
}
