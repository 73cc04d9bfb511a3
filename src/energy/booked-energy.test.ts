import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { BookedEnergy } from './booked-energy.js';

const createSeries = (start: bigint): Series => ({
  metric: hwEnergy,
  resource: { attributes: {} },
  attributes: {},
  start,
});

test('BookedEnergy begins a counter at its start, unless that is too long ago', () => {
  const booked = new BookedEnergy('start', 1000n);
  const series = createSeries(900n);
  assert.deepEqual(booked.findBeginning(series, 100), { point: Float64Array.of(-100, 0), isKnot: false });
  assert.equal(booked.findBeginning(series, 99), undefined);
});

test('BookedEnergy continues where the last ledger of the same processor ended', () => {
  const series = createSeries(900n);
  new BookedEnergy('one', 1000n).note(series, { at: 50, nj: 7 });
  const later = new BookedEnergy('one', 1100n);
  assert.deepEqual(later.findBeginning(series, 100), { point: Float64Array.of(-50, 7), isKnot: true });
  const other = new BookedEnergy('other', 1100n);
  assert.deepEqual(other.findBeginning(series, 200), { point: Float64Array.of(-200, 0), isKnot: false });
});
