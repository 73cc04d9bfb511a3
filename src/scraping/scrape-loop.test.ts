import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createNoopMeter, type Attributes, type Meter } from '@opentelemetry/api';
import type { ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../component/fakes.js';
import { createRow, type Table } from '../model/table.js';
import { until as waitUntil } from '../testing/until.js';
import { startScraping } from './scrape-loop.js';

const table: Table = createRow([], 0n, new Float64Array(3));

/** A promise that other code fulfils. */
function createSignal(): { promise: Promise<void>; send: () => void } {
  const signal = { promise: Promise.resolve(), send: () => undefined as void };
  signal.promise = new Promise((resolve) => (signal.send = resolve));
  return signal;
}

/** A meter that sums its counters in `totals`. */
function createCountingMeter(): { meter: Meter; totals: Map<string, number>; attributes: Attributes[] } {
  const totals = new Map<string, number>();
  const attributes: Attributes[] = [];
  const meter = createNoopMeter();
  meter.createCounter = (name) => ({
    add(value, of) {
      totals.set(name, (totals.get(name) ?? 0) + value);
      if (of) attributes.push(of);
    },
  });
  return { meter, totals, attributes };
}

/** Runs a loop of 5 ms until it has scraped `times` times, and stops it. */
async function scrapeTimes(
  times: number,
  scrape: (breaks: number, count: number) => Iterable<Table | undefined>,
  overrides: Partial<ReceiverContext> = {},
  consumer?: Consumer,
) {
  const next = createTableCollector();
  let count = 0;
  const enough = createSignal();
  const scraper = {
    scrape(breaks: number) {
      count++;
      if (count === times) enough.send();
      return scrape(breaks, count);
    },
  };
  const loop = startScraping({
    scraper,
    intervalMs: 5,
    context: createFakeContext(overrides),
    next: consumer ?? next,
  });
  await enough.promise;
  await loop.stop();
  return { next, loop, count: () => count };
}

test('startScraping passes every table on when a scrape yields several', async () => {
  const { next, count } = await scrapeTimes(3, () => [table, table]);
  assert.equal(next.tables.length, 2 * count());
  assert.ok(count() >= 4);
});

test('startScraping makes the first scrapes in the order of the starts when one takes long', async () => {
  const context = createFakeContext();
  const events: string[] = [];
  const start = (name: string, parts: number) => {
    const next = { consume: () => events.push(name) > 0 };
    const scraper = {
      *scrape() {
        for (let part = 0; part < parts; part++) {
          const endMs = performance.now() + 6;
          while (performance.now() < endMs);
          yield table;
        }
      },
    };
    return startScraping({ scraper, intervalMs: 86_400_000, context, next });
  };
  const loops = [start('slow', 3), start('fast', 1)];
  await waitUntil(() => events.includes('fast'));
  assert.deepEqual(events, ['slow', 'slow', 'slow', 'fast']);
  await Promise.all(loops.map((loop) => loop.stop()));
});

test('startScraping reads in the order of the phases when loops share a tick', async () => {
  const context = createFakeContext();
  const events: string[] = [];
  const start = (phase?: 'completion' | 'usage') => {
    const scraper = { scrape: () => (events.push(phase ?? 'other'), []) };
    const request = { scraper, intervalMs: 86_400_000, context, next: createTableCollector() };
    return startScraping({ ...request, ...(phase && { phase }) });
  };
  const loops = [start(), start('usage'), start('completion')];
  await waitUntil(() => events.length === 3);
  assert.deepEqual(events, ['completion', 'usage', 'other']);
  await Promise.all(loops.map((loop) => loop.stop()));
});

test('startScraping makes a last scrape when stopped before its first scrape', async () => {
  const next = createTableCollector();
  const context = createFakeContext();
  const loop = startScraping({ scraper: { scrape: () => [table] }, intervalMs: 1000, context, next });
  await loop.stop();
  assert.equal(next.tables.length, 1);
});

test('ScrapeLoop.stop makes no further scrape when called twice', async () => {
  const { loop, count } = await scrapeTimes(1, () => [table]);
  const before = count();
  await loop.stop();
  assert.equal(count(), before);
});

test('ScrapeLoop.stop wakes the loop when the next scrape is hours away', { timeout: 120_000 }, async () => {
  const first = createSignal();
  const scraper = {
    scrape() {
      first.send();
      return [];
    },
  };
  const loop = startScraping({
    scraper,
    intervalMs: 86_400_000,
    context: createFakeContext(),
    next: createTableCollector(),
  });
  await first.promise;
  // By then the loop sleeps.
  await setTimeout(5);
  await loop.stop();
});

test('ScrapeLoop.flush scrapes after the running scrape, and not after stop', async () => {
  const next = createTableCollector();
  const running = { now: 0, most: 0 };
  const scraper = {
    *scrape() {
      running.most = Math.max(running.most, ++running.now);
      const until = performance.now() + 6;
      while (performance.now() < until);
      yield table;
      running.now--;
    },
  };
  const context = createFakeContext();
  const loop = startScraping({ scraper, intervalMs: 86_400_000, context, next });
  await Promise.all([loop.flush(), loop.flush()]);
  const flushed = next.tables.length;
  await loop.stop();
  await loop.flush();
  assert.equal(running.most, 1);
  assert.ok(flushed >= 2);
  assert.equal(next.tables.length, 4);
});

test('startScraping continues and logs only changes of state when scrapes fail', async () => {
  const log = createLogCollector();
  const { next } = await scrapeTimes(
    4,
    (_, count) => {
      if (count === 2 || count === 3) throw new Error('Cannot read /proc/stat: EIO');
      return [table];
    },
    { log },
  );
  assert.ok(next.tables.length >= 2);
  assert.deepEqual(log.lines, [
    'error: Cannot scrape: Cannot read /proc/stat: EIO',
    'info: Recovered, scraping again',
  ]);
});

test('startScraping counts points when scrapes succeed, fail partially and are refused', async () => {
  const { meter, totals, attributes } = createCountingMeter();
  const { count } = await scrapeTimes(
    2,
    function* (_, scrape) {
      yield table;
      if (scrape === 2) throw new Error('Cannot read');
      yield table;
    },
    { id: 'host/second', meter },
    { consume: () => false },
  );
  assert.equal(totals.get('otelcol_scraper_scraped_metric_points'), 6 * count() - 3);
  assert.equal(totals.get('otelcol_scraper_errored_metric_points'), 3);
  assert.equal(totals.get('joulemetry.scrape.refused'), 2 * count() - 1);
  assert.deepEqual(attributes[0], { receiver: 'host/second', scraper: 'host' });
});

test('startScraping never runs two scrapes at a time when one takes longer than the interval', async () => {
  const { meter, totals } = createCountingMeter();
  let running = 0;
  let most = 0;
  await scrapeTimes(
    3,
    function* () {
      most = Math.max(most, ++running);
      for (let part = 0; part < 3; part++) {
        const until = performance.now() + 6;
        while (performance.now() < until);
        yield table;
      }
      running--;
    },
    { meter },
  );
  assert.equal(most, 1);
  assert.ok((totals.get('joulemetry.scrape.missed') ?? 0) >= 2);
});

/** Blocks the thread for the maximum time of a step. */
function holdThread(): void {
  const until = performance.now() + 3;
  while (performance.now() < until);
}

for (const [what, part] of [
  ['between the parts of a long scrape', table],
  ['between its steps that have no table', undefined],
] as const) {
  test(`startScraping yields to other work ${what}`, async () => {
    let others = 0;
    const seen: number[] = [];
    const other = setInterval(() => others++, 1);
    await scrapeTimes(1, function* () {
      for (let step = 0; step < 4; step++) {
        seen.push(others);
        holdThread();
        yield part;
      }
    });
    clearInterval(other);
    // All steps of the first scrape; another scrape may start before the loop is stopped.
    for (let step = 1; step < 4; step++) assert.ok((seen[step] ?? 0) > (seen[step - 1] ?? 0));
  });
}

test('startScraping passes on the number of clock breaks when it changes', async () => {
  const eras: number[] = [];
  let breaks = 7;
  const clock = { ...createFakeContext().clock, countBreaks: () => breaks };
  await scrapeTimes(
    2,
    (given) => {
      eras.push(given);
      breaks = 8;
      return [];
    },
    { clock },
  );
  assert.deepEqual(eras.slice(0, 2), [7, 8]);
});
