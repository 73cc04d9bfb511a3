import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createFakeContext, createTableCollector } from '../component/fakes.js';
import { elementAt } from '../element.js';
import type { Series } from '../model/series.js';
import { createEnding, createRow } from '../model/table.js';
import { until } from '../testing/until.js';
import { createMeter, energy, start } from './polling-rig.fixture.js';
import { createLoopCollector } from './reading-loop.fixture.js';
import { startScraping } from './scrape-loop.js';

/** Longer than several intervals of these loops. */
const pauseMs = 60;

function createSeries(name: string): Series {
  return { metric: energy, resource: { attributes: { name } }, attributes: {}, start: 0n };
}

const series = [createSeries('kept')];

/** A loop of 5 ms that publishes one row per scrape. */
function scrape(t: TestContext, context = createFakeContext()) {
  const collector = createLoopCollector();
  const next = createTableCollector();
  const intervals: number[] = [];
  let scrapes = 0;
  const scraper = {
    scrape: () => [createRow(series, context.clock.wallNs(), Float64Array.of(++scrapes))],
    setInterval: (ms: number) => void intervals.push(ms),
  };
  const request = { scraper, intervalMs: 5, context: { ...context, loops: collector }, next };
  const running = startScraping(request);
  t.after(() => running.stop());
  return { loop: elementAt(collector.loops, 0), running, next, intervals, collector, count: () => scrapes };
}

test('a paused scrape loop reads nothing, and its series continue after a gap', async (t) => {
  const { loop, next, count, running } = scrape(t);
  await until(() => count() > 2);
  await loop.pause();
  assert.equal(loop.dueMs, Infinity);
  const before = count();
  await setTimeout(pauseMs);
  assert.equal(count(), before);
  assert.deepEqual(next.tables.at(-1)?.values, Float64Array.of(NaN));
  assert.equal(next.tables.length, before + 1);
  await running.flush();
  assert.equal(count(), before + 1);
  await loop.resume();
  assert.equal(count(), before + 2);
  await until(() => count() > before + 4);
  assert.ok(loop.dueMs < Infinity);
  assert.ok(next.tables.every((table) => table.series === series && table.ended === undefined));
  const instants = next.tables.map(({ epoch }) => epoch);
  assert.deepEqual(
    instants,
    instants.toSorted((a, b) => Number(a - b)),
  );
});

test('a scrape loop applies a new interval immediately, and passes it on to its scraper', async (t) => {
  const { loop, count, intervals } = scrape(t);
  await until(() => count() > 1);
  await loop.setInterval(60_000);
  const slow = count();
  await setTimeout(pauseMs);
  assert.ok(count() <= slow + 1);
  await loop.setInterval(2);
  await until(() => count() > slow + 5);
  assert.deepEqual([intervals, loop.intervalMs], [[60_000, 2], 2]);
});

test('a paused scrape loop does not delay other loops of its tick', async (t) => {
  const context = createFakeContext();
  const [first, second] = [scrape(t, context), scrape(t, context)];
  await until(() => second.count() > 1);
  await first.loop.pause();
  const before = second.count();
  await until(() => second.count() > before + 3);
});

test('a scrape loop that stops takes a last reading, even while paused, and leaves', async (t) => {
  const { loop, running, count, collector } = scrape(t);
  await until(() => count() > 0);
  await loop.pause();
  const before = count();
  await running.stop();
  assert.equal(count(), before + 1);
  assert.deepEqual(collector.loops, []);
});

test('the gap of a pause leaves out series that have ended', async (t) => {
  const collector = createLoopCollector();
  const next = createTableCollector();
  const gone = createSeries('gone');
  const scraper = {
    *scrape() {
      yield createRow([...series, gone], 1n, Float64Array.of(1, 2));
      yield createEnding([gone], 1n);
    },
  };
  const context = { ...createFakeContext(), loops: collector };
  const running = startScraping({ scraper, intervalMs: 60_000, context, next });
  t.after(() => running.stop());
  await until(() => next.tables.length === 2);
  await elementAt(collector.loops, 0).pause();
  assert.deepEqual(next.tables.at(-1)?.series, series);
});

test('a scrape loop publishes a gap of all live series for the first failed scrape without rows in a row', async (t) => {
  const next = createTableCollector();
  const gone = [createSeries('gone')];
  let count = 0;
  const scraper = {
    *scrape() {
      count++;
      const row = createRow(series, BigInt(count), Float64Array.of(count));
      // A scraper publishes the gaps of a part itself.
      if (count === 6) yield row;
      if ([3, 4, 6, 7].includes(count)) throw new Error('Cannot read');
      yield row;
      if (count === 1) yield createRow(gone, 1n, Float64Array.of(0));
      if (count === 2) yield createEnding(gone, 2n);
    },
  };
  const running = startScraping({ scraper, intervalMs: 5, context: createFakeContext(), next });
  t.after(() => running.stop());
  await until(() => count > 8);
  const rows = next.tables.filter(({ offsets }) => offsets.length > 0).slice(0, 8);
  assert.deepEqual(
    rows.map(({ values }) => values[0]),
    [1, 0, 2, NaN, 5, 6, NaN, 8],
  );
  assert.ok(rows.every((row, i) => row.series === (i === 1 ? gone : series)));
});

test('a paused polling loop sends no requests, and its series continue after a gap', async (t) => {
  const collector = createLoopCollector();
  const meter = createMeter('a', (_, call) => call);
  const { next } = await start(t, [meter], {}, { loops: collector });
  await until(() => meter.calls > 2);
  const loop = elementAt(collector.loops, 0);
  await loop.pause();
  assert.equal(loop.dueMs, Infinity);
  const before = meter.calls;
  await setTimeout(pauseMs);
  assert.equal(meter.calls, before);
  assert.deepEqual(next.tables.at(-1)?.values, Float64Array.of(NaN));
  await loop.resume();
  assert.equal(meter.calls, before + 1);
  await until(() => meter.calls > before + 3);
  assert.equal(new Set(next.tables.map((table) => table.series[0])).size, 1);
});

test('a polling loop applies a new interval, passes it on to its target, and leaves when that is removed', async (t) => {
  const collector = createLoopCollector();
  const intervals: number[] = [];
  const meter = createMeter('a', (_, call) => call, { setInterval: (ms) => void intervals.push(ms) });
  const { targets } = await start(t, [meter], { intervalMs: 60_000 }, { loops: collector });
  await until(() => meter.calls === 1);
  const loop = elementAt(collector.loops, 0);
  await loop.setInterval(2);
  await until(() => meter.calls > 5);
  assert.deepEqual([intervals, loop.intervalMs], [[2], 2]);
  await targets.remove('a');
  assert.deepEqual(collector.loops, []);
});

test('a polling loop reports whether its target fails', async (t) => {
  const collector = createLoopCollector();
  const answer = { isGood: false };
  const meter = createMeter('a', (_, call) => {
    if (!answer.isGood) throw new Error('no power');
    return call;
  });
  await start(t, [meter], { maxBackoffMs: 0 }, { loops: collector });
  const loop = elementAt(collector.loops, 0);
  await until(() => loop.isFailing);
  answer.isGood = true;
  await until(() => !loop.isFailing);
});
