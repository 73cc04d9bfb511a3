import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric } from '../model/series.js';
import { CounterTable, type CounterColumn } from './counter-table.js';
import { Counts } from './counts.js';

const metric: Metric = { name: 'x', unit: 's', description: '', kind: 'counter', valueType: 'double' };

/** The values of a scan for each row of counts of one object. */
function read(column: Omit<CounterColumn, 'metric' | 'attributes'>, readings: readonly number[]) {
  const table = new CounterTable({ attributes: {} }, () => [{ metric, attributes: {}, ...column }]);
  const counts = new Counts(1);
  return readings.map((count, i) => {
    counts.set(0, count);
    table.begin(BigInt(i));
    table.add('thing', counts);
    const { values, series, ended } = table.finish();
    return { value: values[0], start: series[0]?.start, ended: ended?.length ?? 0 };
  });
}

test('CounterTable holds its value until a small decrease is made up for', () => {
  const rows = read({ perUnit: 100, mayFall: 300 }, [1000, 1100, 1099, 1100, 1150]);
  assert.deepEqual(
    rows.map(({ value }) => value),
    [0, 1, 1, 1, 1.5],
  );
});

test('CounterTable starts a new series when a decrease is larger than noise', () => {
  const rows = read({ perUnit: 100, mayFall: 300 }, [1000, 1100, 799, 899]);
  assert.deepEqual(rows, [
    { value: 0, start: 0n, ended: 0 },
    { value: 1, start: 0n, ended: 0 },
    { value: 0, start: 2n, ended: 1 },
    { value: 1, start: 2n, ended: 0 },
  ]);
});

test('CounterTable continues when a 32-bit counter wraps twice', () => {
  const rows = read({ perUnit: 1, wraps: true }, [4_294_967_290, 4, 2_000_000_000, 4_000_000_000, 0]);
  assert.deepEqual(
    rows.map(({ value }) => value),
    [0, 10, 2_000_000_006, 4_000_000_006, 4_294_967_302],
  );
});

test('CounterTable holds its value when a 32-bit counter decreases a little, even through 0', () => {
  const rows = read({ perUnit: 1, wraps: true, mayFall: 10 }, [100, 99, 101, 4_294_967_290]);
  assert.deepEqual(
    rows.map(({ value, start }) => [value, start]),
    [
      [0, 0n],
      [0, 0n],
      [1, 0n],
      [0, 3n],
    ],
  );
  const through = read({ perUnit: 1, wraps: true, mayFall: 10 }, [4_294_967_290, 2, 4_294_967_295, 3]);
  assert.deepEqual(
    through.map(({ value, start }) => [value, start]),
    [
      [0, 0n],
      [8, 0n],
      [8, 0n],
      [9, 0n],
    ],
  );
});

test('CounterTable never jumps when the kernel shows a count that fell below 0', () => {
  const ticks = read({ perUnit: 100 }, [1000, 1_844_674_407_370, 1010, 1020]);
  assert.deepEqual(
    ticks.map(({ value, start }) => [value, start]),
    [
      [0, 0n],
      [0, 1n],
      [0, 2n],
      [0.1, 2n],
    ],
  );
  const table = new CounterTable({ attributes: {} }, () => [
    { metric: { ...metric, unit: 'By' }, attributes: {}, perUnit: 1 },
  ]);
  const counts = new Counts(1);
  const values = ['5', '18446744073709551610', '7', '9'].map((text, i) => {
    counts.parse(Buffer.from(text), 0);
    table.begin(BigInt(i));
    table.add('thing', counts);
    return table.finish().values[0];
  });
  assert.deepEqual(values, [0, 0, 0, 2]);
});

test('CounterTable reads the first of two objects with the same name', () => {
  const table = new CounterTable({ attributes: {} }, () => [{ metric, attributes: {}, perUnit: 1 }]);
  const counts = new Counts(1);
  const values = [1, 2].map((scan) => {
    table.begin(BigInt(scan));
    for (const count of [10 * scan, 1000 * scan]) {
      counts.set(0, count);
      table.add('eth\ufffd', counts);
    }
    return Array.from(table.finish().values);
  });
  assert.deepEqual(values, [[0], [10]]);
});

test('CounterTable starts new series for objects that were removed and come back', () => {
  const table = new CounterTable({ attributes: {} }, () => [{ metric, attributes: {}, perUnit: 1 }]);
  const counts = new Counts(1);
  counts.set(0, 5);
  table.begin(1n);
  table.add('thing', counts);
  const first = table.finish().series;
  table.begin(2n);
  assert.deepEqual(table.finish().ended, first);
  counts.set(0, 9);
  table.begin(3n);
  table.add('thing', counts);
  const { series, values, ended } = table.finish();
  assert.equal(series[0]?.start, 3n);
  assert.equal(values[0], 0);
  assert.equal(ended, undefined);
});

test('Counts.parse returns the counts up to the first other text', () => {
  const counts = new Counts(4);
  assert.equal(counts.parse(Buffer.from('  12 18446744073709551615 x 4'), 0), 2);
  assert.deepEqual([counts.billions[1], counts.units[1]], [18_446_744_073, 709_551_615]);
});
