import assert from 'node:assert/strict';
import { elementAt } from '../element.js';
import { seriesKey, type Series } from './series.js';
import { readValue, type Table } from './table.js';

/**
 * Asserts the rules for the tables that a component emits, in order: counters never decrease, a live series is
 * the only one with its metric, resource and attributes, its time increases, rows are ordered even without a
 * value, and ended series do not return.
 * @throws AssertionError
 */
export function checkTables(tables: readonly Table[]): void {
  const check = new TableCheck();
  for (const table of tables) check.take(table);
}

/** The total of a counter over all series, including ended ones: the sum of their last values. */
export function sumLastValues(tables: readonly Table[], metricName: string): number {
  const latest = new Map<Series, number>();
  for (const { series, values } of tables) {
    values.forEach((value, cell) => {
      const one = elementAt(series, cell % series.length);
      if (one.metric.name === metricName && !Number.isNaN(value)) latest.set(one, value);
    });
  }
  return [...latest.values()].reduce((sum, value) => sum + value, 0);
}

class TableCheck {
  readonly #live = new Map<string, Series>();
  readonly #ended = new WeakSet<Series>();
  readonly #latest = new Map<Series, number>();
  readonly #times = new Map<string, bigint>();

  take(table: Table): void {
    const { series, offsets, values, ended = [] } = table;
    assert.equal(
      values.length,
      series.length * offsets.length,
      'a table has more or fewer values than cells',
    );
    // An ended series makes room for one that starts in the same table.
    for (const one of ended) this.#leave(one);
    for (const one of series) this.#enter(one);
    offsets.forEach((offset, row) => {
      assert.ok(Number.isSafeInteger(offset), `expected an offset in whole nanoseconds, found ${offset}`);
      // Otherwise rows without a value could be in any order.
      const last = offsets[row - 1] ?? -Infinity;
      assert.ok(offset > last, `expected rows in ascending order, found offset ${offset} after ${last}`);
      const at = table.epoch + BigInt(offset);
      series.forEach((one, column) => this.#read(one, at, readValue(table, row, column)));
    });
    for (const one of ended) {
      this.#leave(one);
      this.#ended.add(one);
    }
  }

  #enter(series: Series): void {
    const holder = this.#live.get(seriesKey(series)) ?? series;
    // If the two look alike, assert.equal would replace this message by its own.
    assert.ok(holder === series, `two live series are both ${describe(series)}`);
    assert.ok(!this.#ended.has(series), `${describe(series)} has ended and comes again`);
    this.#live.set(seriesKey(series), series);
  }

  #read(series: Series, at: bigint, value: number): void {
    if (Number.isNaN(value)) return;
    const name = describe(series);
    assert.ok(Number.isFinite(value), `${name} is ${value}`);
    assert.ok(at >= series.start, `${name} has a value of ${at}, before its start at ${series.start}`);
    const before = this.#times.get(seriesKey(series));
    assert.ok(before === undefined || at > before, `${name} has a value of ${at} after that of ${before}`);
    this.#times.set(seriesKey(series), at);
    if (series.metric.kind !== 'counter') return;
    assert.ok(value >= (this.#latest.get(series) ?? 0), `the counter ${name} fell to ${value}`);
    this.#latest.set(series, value);
  }

  #leave(series: Series): void {
    if (this.#live.get(seriesKey(series)) === series) this.#live.delete(seriesKey(series));
  }
}

function describe({ metric, attributes, resource }: Series): string {
  return `${metric.name}${JSON.stringify(attributes)} of ${JSON.stringify(resource.attributes)}`;
}
