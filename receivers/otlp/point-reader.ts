import type { Metric } from '../../src/model/series.js';
import { tagOf } from '../../src/otlp/wire.js';
import type { WireCursor } from '../../src/otlp/wire-cursor.js';
import { wireTypes } from '../../src/protobuf.js';
import { Span } from './byte-cache.js';
import { isBefore, joinHalves, type LiveSeries, type MetricNode } from './live-series.js';
import type { Reason, Rejections } from './rejections.js';
import { Rows } from './rows.js';
import type { Sent, SeriesRegistry } from './series-registry.js';

// NumberDataPoint of opentelemetry/proto/metrics/v1/metrics.proto.

const startTag = tagOf(2, wireTypes.fixed64);
const timeTag = tagOf(3, wireTypes.fixed64);
const doubleTag = tagOf(4, wireTypes.fixed64);
const integerTag = tagOf(6, wireTypes.fixed64);
const attributeTag = tagOf(7, wireTypes.lengthDelimited);
const flagsTag = tagOf(8, wireTypes.varint);

const noRecordedValue = 1;
/** Instants have 63 bits. */
const maxHigh = 0x7fff_ffff;

/** Reads points into rows. */
export class PointReader {
  readonly #registry: SeriesRegistry;
  readonly #span = new Span();
  /** Where points go. */
  rows = new Rows();
  /** The time on a monotonic clock. */
  nowMs = 0;
  #startHigh = 0;
  #startLow = 0;
  #high = 0;
  #low = 0;
  #value = NaN;
  #valueType: Metric['valueType'] | undefined;

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
  }

  /** Reads the point whose length is the next byte. */
  read(cursor: WireCursor, node: MetricNode, rejections: Rejections): void {
    const outer = cursor.end;
    cursor.end = cursor.readEnd();
    this.#readFields(cursor);
    cursor.end = outer;
    const found = this.#findSeries(node);
    const reason = typeof found === 'string' ? found : this.#check(found);
    if (reason !== undefined) rejections.add(reason, 1, node.name);
    else if (typeof found !== 'string') this.#add(found);
  }

  #readFields(cursor: WireCursor): void {
    this.#startHigh = this.#startLow = this.#high = this.#low = 0;
    this.#value = NaN;
    this.#valueType = undefined;
    this.#span.clear();
    let flags = 0;
    const { end } = cursor;
    while (cursor.at < end) {
      const fieldAt = cursor.at;
      const tag = cursor.readTag();
      switch (tag) {
        case startTag: {
          const at = cursor.pass(8);
          this.#startHigh = cursor.highAt(at);
          this.#startLow = cursor.lowAt(at);
          break;
        }
        case timeTag: {
          const at = cursor.pass(8);
          this.#high = cursor.highAt(at);
          this.#low = cursor.lowAt(at);
          break;
        }
        case doubleTag:
          this.#value = cursor.doubleAt(cursor.pass(8));
          this.#valueType = 'double';
          break;
        case integerTag:
          this.#value = cursor.integerAt(cursor.pass(8));
          this.#valueType = 'int';
          break;
        case attributeTag:
          cursor.at = cursor.readEnd();
          this.#span.add(cursor.bytes, fieldAt, cursor.at);
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
    if ((this.#high === 0 && this.#low === 0) || this.#high > maxHigh) return 'time';
    if (this.#value === Infinity || this.#value === -Infinity) return 'infinite';
    if (node.kind === 'counter' && this.#value < 0) return 'negative';
    if (node.kind !== 'gauge' && isBefore(this.#high, this.#low, this.#startHigh, this.#startLow)) {
      return 'start';
    }
    const known = this.#registry.points.find(node, this.#span)?.value;
    const found = known ?? this.#registry.open(node, this.#span, this.#sent());
    if (typeof found === 'string') return found;
    if (found.isCumulative && !this.#hasStartOf(found)) return this.#restart(found);
    if (this.#hasTypeOf(found)) return found;
    return this.#registry.restart(found, { ...this.#sent(), start: found.sentStart }, found.series.start);
  }

  /** A start that is not sent says nothing. */
  #hasStartOf({ sentStart }: LiveSeries): boolean {
    const isUnknown = this.#startHigh === 0 && this.#startLow === 0;
    return isUnknown || (this.#startLow === sentStart.low && this.#startHigh === sentStart.high);
  }

  /** A later start is that of a counter that was reset. An earlier one is that of another sender. */
  #restart(found: LiveSeries): LiveSeries | Reason {
    const { high, low } = found.sentStart;
    if (isBefore(this.#startHigh, this.#startLow, high, low)) return 'older_start';
    return this.#registry.restart(found, this.#sent(), joinHalves(this.#startHigh, this.#startLow));
  }

  /** Whether a series can hold the value: a series of whole numbers cannot hold others. */
  #hasTypeOf(found: LiveSeries): boolean {
    if (this.#valueType === undefined || found.valueType === this.#valueType) return true;
    if (found.valueType === 'double') return true;
    if (found.valueType === 'int') return Number.isInteger(this.#value);
    found.valueType = this.#valueType;
    return found.series.metric.valueType === this.#valueType;
  }

  #check(found: LiveSeries): Reason | undefined {
    const { high, low } = found.start;
    if (isBefore(this.#high, this.#low, high, low)) return 'start';
    if (!found.node.isDelta) return undefined;
    if (found.request !== this.#registry.request) {
      found.deltaHigh = found.high;
      found.deltaLow = found.low;
    }
    const { deltaHigh, deltaLow } = found;
    const isLater = isBefore(deltaHigh, deltaLow, this.#high, this.#low);
    const hasStart = this.#startHigh !== 0 || this.#startLow !== 0;
    if (isLater && hasStart && isBefore(this.#startHigh, this.#startLow, deltaHigh, deltaLow))
      return 'overlap';
    if (isLater) {
      found.deltaHigh = this.#high;
      found.deltaLow = this.#low;
    }
    return undefined;
  }

  #add(found: LiveSeries): void {
    found.request = this.#registry.request;
    found.seenMs = this.nowMs;
    this.rows.add(found, this.#high, this.#low, this.#value);
  }

  /** Called only where a series begins. */
  #sent(): Sent {
    return {
      start: { high: this.#startHigh, low: this.#startLow },
      time: { high: this.#high, low: this.#low },
      valueType: this.#valueType,
    };
  }
}
