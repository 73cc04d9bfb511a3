import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figureText, numbersOf, parseFigure } from './figure-text.js';
import type { Figure, HistogramColumn } from './histogram-columns.js';

test('figureText writes whole numbers in plain digits, also beyond 2^53', () => {
  assert.equal(figureText('count', 7), '7');
  assert.equal(figureText('count', 2 ** 60), '1152921504606846976');
  assert.equal(figureText('scale', -10), '-10');
  assert.equal(figureText('positive_offset', -(2 ** 31)), '-2147483648');
  assert.equal(figureText('zero_count', 0), '0');
});

test('figureText writes other numbers in the shortest form', () => {
  assert.equal(figureText('min', 0.1), '0.1');
  assert.equal(figureText('max', 1e21), '1e+21');
  assert.equal(figureText('zero_threshold', 1e-7), '1e-07');
  assert.equal(figureText('min', -0), '-0');
});

test('figureText writes lists in JSON, and nothing where there is no figure', () => {
  assert.equal(figureText('bounds', Float64Array.of(0.5, 1e21)), '[0.5,1e+21]');
  assert.equal(figureText('bucket_counts', Float64Array.of(1, 2 ** 60)), '[1,1152921504606846976]');
  assert.equal(figureText('bounds', new Float64Array(0)), '[]');
  assert.equal(figureText('count', undefined), '');
});

test('parseFigure reads what figureText writes', () => {
  const figures: readonly (readonly [HistogramColumn, Figure])[] = [
    ['count', 7],
    ['scale', -10],
    ['min', 5e-324],
    ['max', Infinity],
    ['zero_threshold', 1e-7],
    ['bounds', Float64Array.of(-1.5, 0, 1e300)],
    ['negative_counts', new Float64Array(0)],
  ];
  for (const [column, figure] of figures) {
    assert.deepEqual(parseFigure(column, figureText(column, figure)), figure, column);
  }
});

test('parseFigure names the column, what it expected and what it found', () => {
  for (const [column, text, expected] of [
    ['count', 'many', 'a number'],
    ['min', 'NaN', 'a number'],
    ['bounds', '7', 'a list of numbers'],
    ['bounds', '[1', 'a list of numbers'],
    ['bounds', '["1"]', 'a list of numbers'],
    ['bucket_counts', '{}', 'a list of numbers'],
    ['bucket_counts', '[null]', 'a list of numbers'],
  ] as const) {
    assert.throws(() => parseFigure(column, text), {
      message: `expected ${expected} in the column "${column}", found "${text}"`,
    });
  }
});

test('numbersOf accepts lists of numbers only', () => {
  assert.deepEqual(numbersOf([1, 2.5]), Float64Array.of(1, 2.5));
  assert.deepEqual(numbersOf([]), new Float64Array(0));
  for (const value of [undefined, null, 7, '1', {}, ['1'], [1, null]])
    assert.equal(numbersOf(value), undefined);
});
