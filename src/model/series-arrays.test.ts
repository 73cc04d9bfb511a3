import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeriesArrays } from './series-arrays.js';
import { hwEnergy } from './shared-metrics.js';

const [a, b, c] = ['a', 'b', 'c'].map((name) => ({
  metric: hwEnergy,
  resource: { attributes: {} },
  attributes: { name },
  start: 1n,
})) as [never, never, never];

test('SeriesArrays.find gives the same array for the same series in the same order', () => {
  const arrays = new SeriesArrays();
  const known = arrays.find([a, b]);
  assert.deepEqual(known, [a, b]);
  assert.equal(arrays.find([a, b]), known);
  assert.notEqual(arrays.find([a, c]), known);
  assert.notEqual(arrays.find([a, b, c]), known);
});

test('SeriesArrays.find takes the first series of a list that changes later', () => {
  const arrays = new SeriesArrays();
  const list = [a, b, c];
  const known = arrays.find(list, 2);
  list.reverse();
  assert.deepEqual(known, [a, b]);
  assert.equal(arrays.find([a, b, b], 2), known);
});

test('SeriesArrays.find keeps the arrays of sources that take turns', () => {
  const arrays = new SeriesArrays();
  const [first, second] = [arrays.find([a, b]), arrays.find([c])];
  assert.equal(arrays.find([a, b]), first);
  assert.equal(arrays.find([c]), second);
});
