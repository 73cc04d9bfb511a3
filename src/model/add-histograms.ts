import { widthOf } from './check-histograms.js';
import type { ExponentialLayout, HistogramLayout, HistogramRow } from './histogram-table.js';

/**
 * Summed exponential histograms have at most this many buckets per side, unless one of the summands has more:
 * their scale is reduced.
 */
const usualBuckets = 160;

/**
 * Adds a histogram to another one of the same kind, to accumulate deltas.
 * @param total its buckets are changed or replaced
 * @returns false where explicit bounds differ: they cannot be added, and nothing is changed
 */
export function addHistogram(total: HistogramRow, added: HistogramRow): boolean {
  if (!addBuckets(total, added)) return false;
  // A histogram without values has no minimum, and may lack the sum.
  if (added.count > 0) {
    const isFirst = total.count === 0;
    total.min = isFirst ? added.min : Math.min(total.min, added.min);
    total.max = isFirst ? added.max : Math.max(total.max, added.max);
    total.sum = isFirst ? added.sum : total.sum + added.sum;
  }
  total.count += added.count;
  return true;
}

function addBuckets(total: HistogramRow, added: HistogramRow): boolean {
  const [one, other] = [total.layout, added.layout];
  if (isSameLayout(one, other)) {
    const { buckets } = total;
    for (let i = 0; i < buckets.length; i += 1) buckets[i] += added.buckets[i];
    return true;
  }
  if (one.kind === 'histogram' || other.kind === 'histogram') return false;
  if (contains(one, other)) {
    pour(added.buckets, other, total.buckets, one);
    return true;
  }
  const most = Math.max(
    usualBuckets,
    one.positiveCount,
    one.negativeCount,
    other.positiveCount,
    other.negativeCount,
  );
  const layout = uniteLayouts([one, other], most);
  const buckets = new Float64Array(widthOf(layout));
  pour(total.buckets, one, buckets, layout);
  pour(added.buckets, other, buckets, layout);
  total.layout = layout;
  total.buckets = buckets;
  return true;
}

/** Whether a layout has a bucket for each bucket of another one. */
function contains(one: ExponentialLayout, other: ExponentialLayout): boolean {
  const places = other.scale - one.scale;
  if (places < 0 || one.zeroThreshold !== other.zeroThreshold) return false;
  const { positiveOffset, positiveCount, negativeOffset, negativeCount } = other;
  return (
    (positiveCount === 0 ||
      (shift(positiveOffset, places) >= one.positiveOffset &&
        shift(positiveOffset + positiveCount - 1, places) < one.positiveOffset + one.positiveCount)) &&
    (negativeCount === 0 ||
      (shift(negativeOffset, places) >= one.negativeOffset &&
        shift(negativeOffset + negativeCount - 1, places) < one.negativeOffset + one.negativeCount))
  );
}

/** Whether two layouts have the same buckets. */
export function isSameLayout(one: HistogramLayout, other: HistogramLayout): boolean {
  if (one === other) return true;
  if (one.kind === 'histogram') return other.kind === 'histogram' && hasSameBounds(one.bounds, other.bounds);
  return other.kind === 'exponential_histogram' && hasSameIndexes(one, other);
}

/** The properties in which exponential layouts differ. */
type ExponentialIndexes = Omit<ExponentialLayout, 'kind'>;

export function hasSameIndexes(one: ExponentialIndexes, other: ExponentialIndexes): boolean {
  return (
    one.scale === other.scale &&
    one.zeroThreshold === other.zeroThreshold &&
    one.positiveOffset === other.positiveOffset &&
    one.positiveCount === other.positiveCount &&
    one.negativeOffset === other.negativeOffset &&
    one.negativeCount === other.negativeCount
  );
}

export function hasSameBounds(one: Float64Array, other: Float64Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

/** Limits an exponential histogram to this many buckets per side of zero by reducing its scale: no count is lost. */
export function limitBuckets(
  layout: ExponentialLayout,
  buckets: Float64Array,
  most: number,
): { readonly layout: ExponentialLayout; readonly buckets: Float64Array } {
  if (layout.positiveCount <= most && layout.negativeCount <= most) return { layout, buckets };
  const limited = uniteLayouts([layout], most);
  const into = new Float64Array(widthOf(limited));
  pour(buckets, layout, into, limited);
  return { layout: limited, buckets: into };
}

/** The upper bound of an exponential bucket. */
export function upperBound(scale: number, index: number): number {
  return 2 ** ((index + 1) * 2 ** -scale);
}

/** The smallest layout that contains some other layouts. */
function uniteLayouts(layouts: readonly ExponentialLayout[], most: number): ExponentialLayout {
  let scale = Math.min(...layouts.map((one) => one.scale));
  for (;;) {
    const zeroThreshold = uniteThresholds(layouts, scale);
    const first = firstIndex(zeroThreshold, scale);
    const positive = uniteSides(
      layouts.map((one) => sideAt(one, one.positiveOffset, one.positiveCount, scale)),
      first,
    );
    const negative = uniteSides(
      layouts.map((one) => sideAt(one, one.negativeOffset, one.negativeCount, scale)),
      first,
    );
    if (positive.count <= most && negative.count <= most) {
      return {
        kind: 'exponential_histogram',
        scale,
        zeroThreshold,
        positiveOffset: positive.offset,
        positiveCount: positive.count,
        negativeOffset: negative.offset,
        negativeCount: negative.count,
      };
    }
    scale -= 1;
  }
}

/** Indexes from `from` up to, but not including, `to`. */
interface Side {
  readonly from: number;
  readonly to: number;
}

function sideAt({ scale }: ExponentialLayout, offset: number, count: number, wanted: number): Side {
  if (count === 0) return { from: Infinity, to: -Infinity };
  return { from: shift(offset, scale - wanted), to: shift(offset + count - 1, scale - wanted) + 1 };
}

function uniteSides(
  sides: readonly Side[],
  first: number,
): { readonly offset: number; readonly count: number } {
  const from = Math.max(first, Math.min(...sides.map((side) => side.from)));
  const to = Math.max(...sides.map((side) => side.to));
  return to > from ? { offset: from, count: to - from } : { offset: 0, count: 0 };
}

/**
 * Values within the zero range of any layout count as zero; buckets of other layouts that this range cuts count
 * as zero completely.
 */
function uniteThresholds(layouts: readonly ExponentialLayout[], scale: number): number {
  const thresholds = layouts.map((one) => one.zeroThreshold);
  const [first = 0] = thresholds;
  if (thresholds.every((one) => one === first)) return first;
  const widest = Math.max(...thresholds);
  return upperBound(scale, Math.ceil(Math.log2(widest) * 2 ** scale) - 1);
}

/** The first index whose bucket is not entirely within the threshold. */
function firstIndex(zeroThreshold: number, scale: number): number {
  if (zeroThreshold === 0) return -Infinity;
  let index = Math.floor(Math.log2(zeroThreshold) * 2 ** scale) - 1;
  while (upperBound(scale, index) <= zeroThreshold) index += 1;
  return index;
}

/** Adds counts to the buckets of a layout that contains theirs. */
function pour(
  buckets: Float64Array,
  { scale, positiveOffset, positiveCount, negativeOffset, negativeCount }: ExponentialLayout,
  into: Float64Array,
  layout: ExponentialLayout,
): void {
  const places = scale - layout.scale;
  into[0] += buckets[0];
  for (let i = 0; i < positiveCount; i += 1) {
    const place = shift(positiveOffset + i, places) - layout.positiveOffset;
    into[place < 0 || layout.positiveCount === 0 ? 0 : 1 + place] += buckets[1 + i];
  }
  for (let i = 0; i < negativeCount; i += 1) {
    const place = shift(negativeOffset + i, places) - layout.negativeOffset;
    const isZero = place < 0 || layout.negativeCount === 0;
    into[isZero ? 0 : 1 + layout.positiveCount + place] += buckets[1 + positiveCount + i];
  }
}

/** An index at a smaller scale. Beyond 31 steps, only the sign is left. */
function shift(index: number, places: number): number {
  return Math.floor(index / 2 ** places);
}
