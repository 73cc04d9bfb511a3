import assert from 'node:assert/strict';
import { HistogramRow, type HistogramLayout, type HistogramTable } from './histogram-table.js';
import { seriesKey, type HistogramSeries } from './series.js';

/**
 * Describes why a row is not a valid histogram, as `expected <...>, found <...>`; undefined if it is. The
 * bucket counts must add up to the count.
 */
export function findHistogramProblem(row: HistogramRow): string | undefined {
  const { count, layout, buckets } = row;
  if (Number.isNaN(count))
    return buckets.length === 0 ? undefined : 'expected no buckets in a gap, found some';
  if (!isCount(count)) return `expected a whole count, found ${count}`;
  const width = widthOf(layout);
  const isWithout = buckets.length === 0 && width === 1;
  if (!isWithout && buckets.length !== width) return `expected ${width} buckets, found ${buckets.length}`;
  if (layout.kind === 'histogram' && !ascends(layout.bounds))
    return 'expected bounds that ascend, found others';
  if (!buckets.every(isCount)) return 'expected whole counts in buckets, found others';
  const sum = isWithout ? count : sumOf(buckets);
  return sum === count ? undefined : `expected buckets that add up to the count of ${count}, found ${sum}`;
}

/** Number of bucket counts in a row of this layout. */
export function widthOf(layout: HistogramLayout): number {
  return layout.kind === 'histogram'
    ? layout.bounds.length + 1
    : 1 + layout.positiveCount + layout.negativeCount;
}

function isCount(value: number): boolean {
  return value >= 0 && value < Infinity && Number.isInteger(value);
}

/** Whether bounds are finite and strictly ascending. */
export function ascends(bounds: Float64Array): boolean {
  for (let i = 0; i < bounds.length; i += 1) {
    if (!Number.isFinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) return false;
  }
  return true;
}

function sumOf(buckets: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < buckets.length; i += 1) sum += buckets[i];
  return sum;
}

/**
 * Asserts the rules for the histogram tables that a component emits, in order: each row is a valid histogram of
 * its metric's kind, counts never decrease, a live series is the only one with its metric, resource and
 * attributes, its time increases, and ended series do not return.
 * @throws AssertionError
 */
export function checkHistograms(tables: readonly HistogramTable[]): void {
  const check = new HistogramCheck();
  for (const table of tables) check.take(table);
}

class HistogramCheck {
  readonly #live = new Map<string, HistogramSeries>();
  readonly #ended = new WeakSet<HistogramSeries>();
  readonly #latest = new Map<HistogramSeries, { readonly at: bigint; readonly count: number }>();
  readonly #row = new HistogramRow();

  take(table: HistogramTable): void {
    const { series, ended = [] } = table;
    checkLengths(table);
    for (const one of ended) this.#leave(one);
    for (const [row, one] of series.entries()) this.#read(table, row, one);
    for (const one of ended) {
      this.#leave(one);
      this.#ended.add(one);
    }
  }

  #read(table: HistogramTable, number: number, series: HistogramSeries): void {
    const name = describe(series);
    const holder = this.#live.get(seriesKey(series)) ?? series;
    assert.ok(holder === series, `two live series are both ${name}`);
    assert.ok(!this.#ended.has(series), `${name} has ended and comes again`);
    this.#live.set(seriesKey(series), series);
    const row = this.#row.read(table, number);
    assert.equal(row.layout.kind, series.metric.kind, `${name} has buckets of another kind`);
    assert.equal(findHistogramProblem(row), undefined, name);
    const offset = table.offsets[number];
    assert.ok(Number.isSafeInteger(offset), `expected an offset in whole nanoseconds, found ${offset}`);
    this.#advance(series, table.epoch + BigInt(offset), row.count);
  }

  #advance(series: HistogramSeries, at: bigint, count: number): void {
    const name = describe(series);
    const before = this.#latest.get(series);
    assert.ok(at >= series.start, `${name} has a row of ${at}, before its start at ${series.start}`);
    assert.ok(
      before === undefined || at > before.at,
      `${name} has a row of ${at} after that of ${before?.at}`,
    );
    const counted = before?.count ?? 0;
    assert.ok(
      Number.isNaN(count) || count >= counted,
      `the count of ${name} fell from ${counted} to ${count}`,
    );
    this.#latest.set(series, { at, count: Number.isNaN(count) ? counted : count });
  }

  #leave(series: HistogramSeries): void {
    if (this.#live.get(seriesKey(series)) === series) this.#live.delete(seriesKey(series));
  }
}

function checkLengths({
  series,
  offsets,
  counts,
  sums,
  minima,
  maxima,
  layouts,
  buckets,
  bucketsFrom,
}: HistogramTable): void {
  const rows = series.length;
  const lengths = [offsets, counts, sums, minima, maxima, layouts].map(({ length }) => length);
  assert.deepEqual(
    lengths,
    lengths.map(() => rows),
    'a histogram table has columns of different lengths',
  );
  assert.equal(bucketsFrom.length, rows + 1, 'a histogram table has more or fewer beginnings than rows');
  assert.equal(
    bucketsFrom[rows],
    buckets.length,
    'a histogram table has more or fewer buckets than its rows',
  );
}

function describe({ metric, attributes, resource }: HistogramSeries): string {
  return `${metric.name}${JSON.stringify(attributes)} of ${JSON.stringify(resource.attributes)}`;
}
