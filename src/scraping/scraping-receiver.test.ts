import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createFakeContext, createTableCollector } from '../component/fakes.js';
import { UnavailableError } from '../errors.js';
import { createRow } from '../model/table.js';
import { createScrapingReceiver, type OpenScraper } from './scraping-receiver.js';

function createReceiver(open: () => OpenScraper | Promise<OpenScraper>) {
  const next = createTableCollector();
  const receiver = createScrapingReceiver({ intervalMs: 60_000, context: createFakeContext(), next, open });
  return { receiver, next };
}

test('createScrapingReceiver scrapes when flushed and again before it closes', async () => {
  const events: string[] = [];
  const { receiver, next } = createReceiver(() => ({
    scrape() {
      events.push('scrape');
      return [createRow([], 0n, new Float64Array(0))];
    },
    close: () => void events.push('close'),
  }));
  await receiver.start();
  await receiver.flush?.();
  const flushed = next.tables.length;
  assert.ok(flushed >= 1);
  await receiver.shutdown();
  assert.equal(next.tables.length, events.length - 1);
  assert.deepEqual(events.slice(-2), ['scrape', 'close']);
});

test('createScrapingReceiver closes once when it is shut down twice, and nothing without a start', async () => {
  let closed = 0;
  const { receiver } = createReceiver(() => ({ scrape: () => [], close: () => void closed++ }));
  await receiver.shutdown();
  assert.equal(closed, 0);
  await receiver.start();
  await receiver.shutdown();
  await receiver.shutdown();
  assert.equal(closed, 1);
});

test('createScrapingReceiver waits for a source that is read on another thread', async () => {
  const events: string[] = [];
  const { receiver, next } = createReceiver(async () => {
    await setImmediate();
    return {
      async scrape() {
        await setImmediate();
        events.push('scrape');
        return [createRow([], 0n, new Float64Array(0))];
      },
      async close() {
        await setImmediate();
        events.push('close');
      },
    };
  });
  await receiver.start();
  await receiver.flush?.();
  assert.ok(next.tables.length >= 1);
  await receiver.shutdown();
  assert.equal(next.tables.length, events.length - 1);
  assert.deepEqual(events.slice(-2), ['scrape', 'close']);
});

test('createScrapingReceiver counts a rejected scrape, and scrapes again', async () => {
  let scrapes = 0;
  const { receiver, next } = createReceiver(() => ({
    scrape: () =>
      ++scrapes === 1 ? Promise.reject(new Error('lost')) : [createRow([], 0n, new Float64Array(0))],
    close() {},
  }));
  await receiver.start();
  await receiver.flush?.();
  await receiver.shutdown();
  assert.equal(next.tables.length, scrapes - 1);
});

test('createScrapingReceiver does not start when its source does not exist', async () => {
  const { receiver } = createReceiver(() => {
    throw new UnavailableError('no source');
  });
  await assert.rejects(async () => receiver.start(), UnavailableError);
});
