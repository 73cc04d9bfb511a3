import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DerivedColumns } from './derived-columns.js';

function readAll(columns: DerivedColumns, rows: readonly (readonly number[])[]): readonly number[] {
  return rows.map((row) => {
    const values = new Float64Array(2);
    columns.write(Float64Array.from(row), values, 1);
    return values[1];
  });
}

test('write divides what grew in a window, and shows it until the next one ends', () => {
  const rows = [
    [100, 50],
    [110, 60],
    [130, 70],
    [140, 80],
    [150, 80],
    [160, 80],
    [170, 90],
  ];
  const columns = new DerivedColumns([[0, 1]], 2);
  assert.deepEqual(readAll(columns, rows), [Number.NaN, Number.NaN, 1.5, 1.5, 2, 2, 2]);
});

test('write has no value, when the denominator stood still or is not known', () => {
  const rows = [
    [0, 0],
    [5, 0],
    [6, Number.NaN],
    [7, 1],
    [9, 2],
  ];
  const nothing = Number.NaN;
  assert.deepEqual(readAll(new DerivedColumns([[0, 1]], 1), rows), [nothing, nothing, nothing, nothing, 2]);
});
