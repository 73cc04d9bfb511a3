import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistogramEnding } from '../model/histogram-table.js';
import { histogramOf, histogramTable, rowOf } from '../model/histogram.fixture.js';
import type { Series } from '../model/series.js';
import { createEnding, createRow } from '../model/table.js';
import { countRecorded, isHistograms, isNumbers } from './recorded-table.js';

const metric = { name: 'a', unit: 'J', description: '', kind: 'counter', valueType: 'double' } as const;
const series: Series = { metric, resource: { attributes: {} }, attributes: {}, start: 0n };
const numbers = [createRow([series, series], 1n, Float64Array.of(1, NaN)), createEnding([series], 2n)];
const histograms = [
  histogramTable([[histogramOf(), 1_000, rowOf([1, 2, 3])]]),
  createHistogramEnding([histogramOf()], 1n),
];

test('isNumbers and isHistograms distinguish tables, also without rows', () => {
  assert.deepEqual([...numbers, ...histograms].map(isNumbers), [true, true, false, false]);
  assert.deepEqual([...numbers, ...histograms].map(isHistograms), [false, false, true, true]);
});

test('countRecorded counts gaps and histograms as one point each, and nothing of ends', () => {
  assert.deepEqual([...numbers, ...histograms].map(countRecorded), [2, 0, 1, 0]);
});
