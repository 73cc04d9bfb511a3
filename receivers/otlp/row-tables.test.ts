import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import type { Table } from '../../src/model/table.js';
import { RowTables } from './row-tables.js';

function createSeries(name: string): Series {
  return { metric: hwEnergy, resource: { attributes: {} }, attributes: { name }, start: 1n };
}

const [a, b, c] = [createSeries('a'), createSeries('b'), createSeries('c')] as const;

function createTables() {
  const emitted: Table[] = [];
  const tables = new RowTables((table) => void emitted.push(table));
  const addRow = (low: number, values: ReadonlyMap<Series, number>, high = 0) => {
    for (const [one, value] of values) tables.add(one, value);
    tables.endRow(high, low);
  };
  return { tables, addRow, emitted };
}

const names = ({ series, ended = [] }: Table) =>
  [series, ended].map((list) => list.map((one) => one.attributes['name']).join());

test('RowTables makes a table of consecutive rows with the same series, and reuses their array', () => {
  const { tables, addRow, emitted } = createTables();
  addRow(
    5,
    new Map([
      [a, 1],
      [b, 2],
    ]),
  );
  addRow(
    8,
    new Map([
      [a, 3],
      [b, NaN],
    ]),
  );
  addRow(9, new Map([[a, 4]]));
  addRow(12, new Map([[c, 5]]));
  addRow(
    13,
    new Map([
      [a, 6],
      [b, 7],
    ]),
  );
  addRow(13, new Map<Series, number>());
  tables.flush();
  tables.flush();
  assert.deepEqual(
    emitted.map((table) => [names(table)[0], table.epoch, [...table.offsets], [...table.values]]),
    [
      ['a,b', 5n, [0, 3], [1, 2, 3, NaN]],
      ['a', 9n, [0], [4]],
      ['c', 12n, [0], [5]],
      ['a,b', 13n, [0], [6, 7]],
    ],
  );
  addRow(
    14,
    new Map([
      [a, 8],
      [b, 9],
    ]),
  );
  tables.flush();
  assert.equal(emitted.at(-1)?.series, emitted.at(-2)?.series);
});

test('RowTables starts another table after 1024 rows, and when no double holds the time since the first row', () => {
  const { tables, addRow, emitted } = createTables();
  for (let low = 0; low < 1030; low += 1) addRow(low, new Map([[a, low]]));
  addRow(4, new Map([[a, 2000]]), 2 ** 21 + 1);
  addRow(7, new Map([[a, 2001]]), 2 ** 21 + 1);
  tables.flush();
  assert.deepEqual(
    emitted.map(({ epoch, offsets, values }) => [epoch, offsets.length, offsets.at(-1), values[0]]),
    [
      [0n, 1024, 1023, 0],
      [1024n, 6, 5, 1024],
      [2n ** 53n + 2n ** 32n + 4n, 2, 3, 2000],
    ],
  );
});

test('RowTables emits rows, an end within the next row, and that row, in this order', () => {
  const { tables, addRow, emitted } = createTables();
  addRow(
    5,
    new Map([
      [a, 1],
      [b, 2],
    ]),
  );
  tables.add(a, 3);
  tables.end(b, 7n);
  tables.add(c, 4);
  tables.end(b, 7n);
  tables.endRow(0, 7);
  tables.flush();
  tables.add(a, 5);
  tables.end(b, 9n);
  tables.add(c, 6);
  tables.endRow(0, 9);
  tables.flush();
  assert.deepEqual(
    emitted.map((table) => [names(table), table.epoch, [...table.values]]),
    [
      [['a,b', ''], 5n, [1, 2]],
      [['', 'b,b'], 7n, []],
      [['a,c', ''], 7n, [3, 4]],
      [['', 'b'], 9n, []],
      [['a,c', ''], 9n, [5, 6]],
    ],
  );
});

test('RowTables.dropRows discards rows and values, and emits ends', () => {
  const { tables, addRow, emitted } = createTables();
  addRow(5, new Map([[a, 1]]));
  tables.add(a, 2);
  tables.dropRows();
  assert.equal(emitted.length, 0);
  tables.end(b, 7n);
  tables.add(a, 3);
  tables.dropRows();
  addRow(9, new Map([[a, 4]]));
  tables.flush();
  assert.deepEqual(
    emitted.map((table) => [names(table), table.epoch, [...table.values]]),
    [
      [['', 'b'], 7n, []],
      [['a', ''], 9n, [4]],
    ],
  );
});
