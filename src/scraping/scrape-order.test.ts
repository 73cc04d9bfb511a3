import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../component/fakes.js';
import { orderOf, ScrapeOrder } from './scrape-order.js';

test('ScrapeOrder lets a loop wait for earlier ones when they share its tick', async () => {
  const order = new ScrapeOrder();
  const [first, second] = [order.join(), order.join()];
  order.announce(first, 1000n);
  order.announce(second, 1000n);
  const events: string[] = [];
  const waited = order.wait(second).then(() => events.push('second goes'));
  await Promise.resolve();
  events.push('first is done');
  order.finish(first);
  await waited;
  assert.deepEqual(events, ['first is done', 'second goes']);
});

test('ScrapeOrder does not let a loop wait when earlier ones have a later tick, have ended or are behind it', async () => {
  const order = new ScrapeOrder();
  const [slow, ended, own, later] = [order.join(), order.join(), order.join(), order.join()];
  order.announce(slow, 5000n);
  order.announce(ended, 1000n);
  order.finish(ended);
  order.announce(own, 1000n);
  order.announce(later, 1000n);
  await order.wait(own);
});

test('ScrapeOrder lets a loop wait for those of an earlier phase, whichever started first', async () => {
  const order = new ScrapeOrder();
  const [meter, usage, completion] = [order.join(), order.join('usage'), order.join('completion')];
  for (const place of [meter, usage, completion]) order.announce(place, 1000n);
  const events: string[] = [];
  const waits = [
    order.wait(meter).then(() => events.push('meter')),
    order.wait(usage).then(() => (events.push('usage'), order.finish(usage))),
  ];
  await order.wait(completion);
  events.push('completion');
  order.finish(completion);
  await Promise.all(waits);
  assert.deepEqual(events, ['completion', 'usage', 'meter']);
});

test('ScrapeOrder finishes an older tick when its loop announces another', async () => {
  const order = new ScrapeOrder();
  const [first, second] = [order.join(), order.join()];
  order.announce(first, 1000n);
  order.announce(second, 1000n);
  const waited = order.wait(second);
  order.announce(first, 2000n);
  await waited;
});

test('orderOf returns one order per clock', () => {
  const { clock } = createFakeContext();
  assert.equal(orderOf(clock), orderOf(clock));
  assert.notEqual(orderOf(clock), orderOf(createFakeContext().clock));
});
