import { hasSameBounds, hasSameIndexes } from '../../src/model/add-histograms.js';
import { ascends } from '../../src/model/check-histograms.js';
import {
  bucketless,
  bucketlessExponential,
  type ExponentialLayout,
  type HistogramLayout,
} from '../../src/model/histogram-table.js';
import type { WireCursor } from '../../src/otlp/wire-cursor.js';
import { HistogramFields, maxBuckets } from './histogram-fields.js';
import { joinHalves, type LiveSeries, type MetricNode } from './live-series.js';
import { PointHead } from './point-head.js';
import type { Reason } from './rejections.js';
import { PendingHistograms } from './rows.js';
import type { SeriesRegistry } from './series-registry.js';

/** Outside this range, growth factors overflow a double or equal 1. */
const [minScale, maxScale] = [-10, 20];
const maxOffset = 2 ** 31;

/** Finds the series of histogram points, and their bucket layouts. */
export class HistogramReader {
  readonly #registry: SeriesRegistry;
  readonly #head: PointHead;
  readonly #fields = new HistogramFields();
  /** Receives the points. */
  pending = new PendingHistograms();

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
    this.#head = new PointHead(registry);
  }

  /**
   * Reads the current point to its end.
   * @returns the reason if the point is rejected
   */
  read(cursor: WireCursor, node: MetricNode): Reason | undefined {
    this.#head.begin(node);
    this.#fields.read(cursor, this.#head, node.kind === 'histogram');
    return this.#head.checkInstants(node) ?? this.#checkBuckets(node) ?? this.#take(node);
  }

  #checkBuckets({ kind }: MetricNode): Reason | undefined {
    const { row, counts, bounds, isGap } = this.#fields;
    if (isGap) return undefined;
    if (isInfinite(row.sum) || isInfinite(row.min) || isInfinite(row.max)) return 'infinite';
    if (counts.length > maxBuckets || bounds.length >= maxBuckets) return 'bucket_limit';
    return kind === 'histogram' ? this.#checkExplicit() : this.#checkExponential();
  }

  #checkExplicit(): Reason | undefined {
    const { counts, bounds } = this.#fields;
    if (counts.length === 0 && bounds.length === 0) return undefined;
    if (counts.length !== bounds.length + 1) return 'buckets';
    if (!this.#hasAllCounts()) return 'bucket_sum';
    // A single bucket has no information beyond the count.
    if (counts.length === 1) counts.length = 0;
    return undefined;
  }

  #checkExponential(): Reason | undefined {
    const { scale, zeroThreshold, positiveOffset, negativeOffset } = this.#fields;
    const hasScale = scale >= minScale && scale <= maxScale;
    const hasOffsets = Math.abs(positiveOffset) <= maxOffset && Math.abs(negativeOffset) <= maxOffset;
    const hasThreshold = zeroThreshold >= 0 && zeroThreshold < Infinity;
    if (!hasScale || !hasOffsets || !hasThreshold) return 'scale';
    return this.#hasAllCounts() ? undefined : 'bucket_sum';
  }

  #hasAllCounts(): boolean {
    const { row, counts } = this.#fields;
    let sum = 0;
    for (let i = 0; i < counts.length; i += 1) sum += counts.values[i];
    return sum === row.count;
  }

  #take(node: MetricNode): Reason | undefined {
    const sent = this.#head.findSeries(node, undefined);
    if (typeof sent === 'string') return sent;
    const layout = this.#findLayout(sent, node);
    if (layout === undefined) return 'bounds';
    const { isGap } = this.#fields;
    const found = !isGap && hasOtherBounds(sent, layout) ? this.#restart(sent) : sent;
    const reason = this.#head.check(found);
    if (reason !== undefined) return reason;
    if (!isGap) found.layout = node.layout = layout;
    this.#add(found, layout);
    return undefined;
  }

  /** Returns the layout of the previous point if it is equal. @returns undefined if the bounds are not ascending */
  #findLayout(found: LiveSeries, node: MetricNode): HistogramLayout | undefined {
    const known = found.layout ?? node.layout;
    const isExplicit = node.kind === 'histogram';
    if (this.#fields.isGap) return known ?? (isExplicit ? bucketless : bucketlessExponential);
    if (known !== undefined && this.#isLayout(known)) return known;
    if (node.layout !== undefined && this.#isLayout(node.layout)) return node.layout;
    return isExplicit ? this.#createExplicit() : this.#createExponential();
  }

  #isLayout(layout: HistogramLayout): boolean {
    const fields = this.#fields;
    return layout.kind === 'histogram'
      ? hasSameBounds(layout.bounds, fields.bounds.view)
      : hasSameIndexes(layout, fields);
  }

  #createExplicit(): HistogramLayout | undefined {
    const bounds = this.#fields.bounds.view.slice();
    if (bounds.length === 0) return bucketless;
    return ascends(bounds) ? { kind: 'histogram', bounds } : undefined;
  }

  #createExponential(): ExponentialLayout {
    const { scale, zeroThreshold, positiveOffset, positiveCount, negativeOffset, negativeCount } =
      this.#fields;
    const kind = 'exponential_histogram';
    return { kind, scale, zeroThreshold, positiveOffset, positiveCount, negativeOffset, negativeCount };
  }

  #restart(found: LiveSeries): LiveSeries {
    const sent = this.#head.sent(undefined);
    if (!found.node.isDelta)
      return this.#registry.restart(found, { ...sent, start: found.sentStart }, found.series.start);
    const { high, low } = this.#head.hasStart ? sent.start : sent.time;
    return this.#registry.restart(found, sent, joinHalves(high, low));
  }

  #add(found: LiveSeries, layout: HistogramLayout): void {
    const { row, counts, isGap } = this.#fields;
    if (isGap) row.clear(layout);
    else {
      row.layout = layout;
      row.buckets = counts.view;
    }
    this.#registry.note(found);
    this.pending.add(found, this.#head, row);
  }
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}

/** Histograms with other bounds are a different series: neither can be computed from the other. */
function hasOtherBounds({ layout: before }: LiveSeries, layout: HistogramLayout): boolean {
  return before?.kind === 'histogram' && before !== layout;
}
