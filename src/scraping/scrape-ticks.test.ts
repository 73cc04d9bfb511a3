import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScrapeTicks } from './scrape-ticks.js';

test('ScrapeTicks returns the next multiple of the interval when started between two', () => {
  const ticks = new ScrapeTicks(100n, 1_234n);
  assert.deepEqual(ticks.advance(1_240n), { atNs: 1_300n, missed: 0 });
});

test('ScrapeTicks returns the following tick when the scrape ended in time', () => {
  const ticks = new ScrapeTicks(100n, 1_200n);
  ticks.advance(1_210n);
  assert.deepEqual(ticks.advance(1_399n), { atNs: 1_400n, missed: 0 });
});

test('ScrapeTicks skips and counts the ticks that passed when a scrape took long', () => {
  const ticks = new ScrapeTicks(100n, 1_200n);
  assert.deepEqual(ticks.advance(1_550n), { atNs: 1_600n, missed: 3 });
});

test('ScrapeTicks never returns a tick twice when the wall clock is slewed to just before it', () => {
  const ticks = new ScrapeTicks(100n, 1_200n);
  ticks.advance(1_250n);
  assert.deepEqual(ticks.advance(1_299n), { atNs: 1_400n, missed: 0 });
});

test('ScrapeTicks counts no missed ticks when realigned after a step of the wall clock', () => {
  const ticks = new ScrapeTicks(100n, 1_200n);
  ticks.realign(9_020n);
  assert.deepEqual(ticks.advance(9_030n), { atNs: 9_100n, missed: 0 });
  ticks.realign(520n);
  assert.deepEqual(ticks.advance(530n), { atNs: 600n, missed: 0 });
});

test('ScrapeTicks does not count ticks skipped on purpose as missed', () => {
  const ticks = new ScrapeTicks(100n, 1_200n);
  assert.deepEqual(ticks.advance(1_250n, 4), { atNs: 1_600n, missed: 0 });
  assert.deepEqual(ticks.advance(1_950n, 2), { atNs: 2_000n, missed: 2 });
});
