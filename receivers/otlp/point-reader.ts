import type { Metric } from '../../src/model/series.js';
import { noRecordedValue, tagOf } from '../../src/otlp/wire.js';
import type { WireCursor } from '../../src/otlp/wire-cursor.js';
import { wireTypes } from '../../src/protobuf.js';
import type { LiveSeries, MetricNode } from './live-series.js';
import { PointHead } from './point-head.js';
import type { Reason } from './rejections.js';
import { Rows } from './rows.js';
import type { SeriesRegistry } from './series-registry.js';

// NumberDataPoint of opentelemetry/proto/metrics/v1/metrics.proto.

const startTag = tagOf(2, wireTypes.fixed64);
const timeTag = tagOf(3, wireTypes.fixed64);
const doubleTag = tagOf(4, wireTypes.fixed64);
const integerTag = tagOf(6, wireTypes.fixed64);
const attributeTag = tagOf(7, wireTypes.lengthDelimited);
const flagsTag = tagOf(8, wireTypes.varint);

/** Reads points into rows. */
export class PointReader {
  readonly #registry: SeriesRegistry;
  readonly #head: PointHead;
  /** Receives the points. */
  readonly rows = new Rows();
  #value = NaN;
  #valueType: Metric['valueType'] | undefined;

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
    this.#head = new PointHead(registry);
  }

  /**
   * Reads the current point to its end.
   * @returns the reason if the point is rejected
   */
  read(cursor: WireCursor, node: MetricNode): Reason | undefined {
    this.#readFields(cursor, node);
    const head = this.#head;
    const found = this.#findSeries(node);
    if (typeof found === 'string') return found;
    const reason = head.check(found);
    if (reason !== undefined) return reason;
    this.#registry.note(found);
    this.rows.add(found, head.high, head.low, this.#value);
    return undefined;
  }

  #readFields(cursor: WireCursor, node: MetricNode): void {
    const head = this.#head;
    head.begin(node);
    this.#value = NaN;
    this.#valueType = undefined;
    let flags = 0;
    const { end } = cursor;
    while (cursor.at < end) {
      const fieldAt = cursor.at;
      const tag = cursor.readTag();
      switch (tag) {
        case startTag:
          head.readStart(cursor);
          break;
        case timeTag:
          head.readTime(cursor);
          break;
        case doubleTag:
          this.#value = cursor.doubleAt(cursor.pass(8));
          this.#valueType = 'double';
          break;
        case integerTag:
          this.#value = cursor.integerAt(cursor.pass(8));
          this.#valueType = 'int';
          break;
        case attributeTag:
          head.readAttribute(cursor, fieldAt);
          break;
        case flagsTag:
          flags = cursor.readVarint();
          break;
        default:
          cursor.skip(tag);
      }
    }
    if ((flags & noRecordedValue) === 0) return;
    this.#value = NaN;
    this.#valueType = undefined;
  }

  #findSeries(node: MetricNode): LiveSeries | Reason {
    const head = this.#head;
    const reason = head.checkInstants(node);
    if (reason !== undefined) return reason;
    if (this.#value === Infinity || this.#value === -Infinity) return 'infinite';
    if (node.kind === 'counter' && this.#value < 0) return 'negative';
    const found = head.findSeries(node, this.#valueType);
    if (typeof found === 'string' || this.#hasTypeOf(found)) return found;
    const sent = { ...head.sent(this.#valueType), start: found.sentStart };
    return this.#registry.restart(found, sent, found.series.start);
  }

  /** Whether a series has the type of the value: an integer series cannot have doubles. */
  #hasTypeOf(found: LiveSeries): boolean {
    if (this.#valueType === undefined || found.valueType === this.#valueType) return true;
    if (found.valueType === 'double') return true;
    if (found.valueType === 'int') return Number.isInteger(this.#value);
    found.valueType = this.#valueType;
    return 'valueType' in found.series.metric && found.series.metric.valueType === this.#valueType;
  }
}
