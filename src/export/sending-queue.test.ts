import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueStorage, StoredRequest } from '../component/queue-storage.js';
import { until } from '../testing/until.js';
import { MemoryStorage } from './memory-storage.js';
import { openQueue, refuse, request, taken, type Answer } from './sending-queue.fixture.js';

/** An answer that is given later. */
function createLatch() {
  const latch = { open: () => undefined as void, answer: Promise.resolve(taken) };
  latch.answer = new Promise((resolve) => (latch.open = () => resolve(taken)));
  return latch;
}

test('SendingQueue sends requests in order and counts their points', async () => {
  const { queue, sent, read, closed } = openQueue(() => taken);
  for (const points of [1, 2, 3]) queue.offer(request(points));
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [1, 2, 3]);
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 6);
  assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
  assert.equal(closed(), 1);
});

test('SendingQueue continues after it was empty', async () => {
  const { queue, sent } = openQueue(() => taken);
  queue.offer(request(1));
  await until(() => sent.length === 1);
  queue.offer(request(2));
  await until(() => sent.length === 2);
  await queue.shutdown(60_000);
});

test('SendingQueue has as many requests in flight as configured', async () => {
  const latch = createLatch();
  const { queue, attempts } = openQueue(() => latch.answer, { sending_queue: { num_consumers: 3 } });
  for (const points of [1, 2, 3, 4, 5]) queue.offer(request(points));
  assert.equal(attempts(), 3);
  latch.open();
  await queue.shutdown(60_000);
  assert.equal(attempts(), 5);
});

/** Keeps the requests that were taken, like a storage on disk. */
function createKeepingStorage() {
  const kept: number[] = [];
  const memory = new MemoryStorage();
  const storage: QueueStorage = {
    isLasting: false,
    get waiting() {
      return memory.waiting;
    },
    append(one) {
      kept.push(one.points);
      return memory.append(one);
    },
    take: () => memory.take(),
    remove: (one: StoredRequest) => void kept.splice(kept.indexOf(one.points), 1),
    close: () => memory.close(),
  };
  return { storage, stored: () => [...kept] };
}

test('SendingQueue keeps a request in its storage until it is delivered or dropped', async () => {
  const { storage, stored } = createKeepingStorage();
  const latch = createLatch();
  const settings = { sending_queue: { queue_bytes: 300, drop: 'oldest' } };
  const answer: Answer = (one) => (one.points === 4 ? refuse('400', false) : latch.answer);
  const { queue, sent } = openQueue(answer, settings, storage);
  for (const points of [1, 2, 3, 4]) queue.offer(request(points));
  assert.deepEqual(stored(), [1, 3, 4], 'the oldest one that waits made room');
  latch.open();
  await until(() => stored().length === 0);
  assert.deepEqual(sent, [1, 3]);
  await queue.shutdown(60_000);
});

test('SendingQueue leaves undelivered requests in its storage at shutdown', async () => {
  const { storage, stored } = createKeepingStorage();
  const { queue } = openQueue(() => new Promise(() => undefined), {}, storage);
  for (const points of [4, 5]) queue.offer(request(points));
  await queue.shutdown(5);
  assert.deepEqual(stored(), [4, 5]);
});

test('SendingQueue releases memory after a request was delivered, and not before', async () => {
  const released: number[] = [];
  const { queue } = openQueue((one) => (one.points === 1 ? refuse('400', false) : taken));
  for (const points of [1, 2]) queue.offer({ ...request(points), release: () => released.push(points) });
  await queue.shutdown(60_000);
  assert.deepEqual(released, [2]);
});

test('SendingQueue drops its oldest waiting requests when it is full', async () => {
  const latch = createLatch();
  const sending_queue = { queue_bytes: 300, drop: 'oldest' };
  const { queue, sent, read } = openQueue(() => latch.answer, { sending_queue });
  for (const points of [1, 2, 3, 4, 5]) queue.offer(request(points));
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_queue_size{otlp,metrics}'], 300);
  assert.equal(metrics['otelcol_exporter_queue_capacity{otlp,metrics}'], 300);
  assert.equal(metrics['otelcol_exporter_in_flight_requests{otlp,metrics}'], 1);
  assert.equal(metrics['otelcol_exporter_enqueue_failed_metric_points{otlp}'], 5);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,queue_full}'], 5);
  latch.open();
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [1, 4, 5]);
});

test('SendingQueue refuses new requests when it is full and drops the newest', async () => {
  const latch = createLatch();
  const sending_queue = { queue_bytes: 250, drop: 'newest' };
  const { queue, sent, read } = openQueue(() => latch.answer, { sending_queue });
  assert.ok(queue.hasRoom(250));
  for (const points of [1, 2, 3]) queue.offer(request(points));
  assert.deepEqual([queue.hasRoom(50), queue.hasRoom(51)], [true, false]);
  latch.open();
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [1, 2]);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,queue_full}'], 3);
});

test('SendingQueue reports its fill level, with room for the next request', async () => {
  const latch = createLatch();
  const { queue } = openQueue(() => latch.answer, { sending_queue: { queue_bytes: 500 } });
  assert.equal(queue.readBacklog(100), 0);
  queue.offer(request(1, 100));
  queue.offer(request(1, 100));
  assert.equal(queue.readBacklog(100), 0.5);
  assert.equal(queue.readBacklog(1000), 1);
  latch.open();
  await queue.shutdown(60_000);
  assert.equal(queue.readBacklog(100), 0);
});

test('SendingQueue counts the points that the server discarded from an accepted request', async () => {
  const { queue, read, log } = openQueue(() => ({ rejectedPoints: 3, message: 'out of order' }));
  queue.offer(request(10));
  await queue.shutdown(60_000);
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 7);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,partial_success}'], 3);
  assert.deepEqual(log.lines, [
    'error: Lost 3 points for backend:4317: the request was taken without them: out of order',
  ]);
});

test('SendingQueue logs a warning that accompanies a success once', async () => {
  const { queue, read, log } = openQueue(() => ({ rejectedPoints: 0, message: 'soon over quota' }));
  queue.offer(request(10));
  queue.offer(request(10));
  await queue.shutdown(60_000);
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 20);
  assert.deepEqual(log.lines, ['warn: Exported to backend:4317 with a warning: soon over quota']);
});

test('SendingQueue retries at shutdown the requests that wait for their next attempt', async () => {
  let isUp = false;
  const retry_on_failure = { initial_interval: '1h' };
  const { queue, sent, attempts } = openQueue(() => (isUp ? taken : refuse('down', true)), {
    retry_on_failure,
  });
  for (const points of [1, 2]) queue.offer(request(points));
  await until(() => attempts() === 1);
  isUp = true;
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [1, 2]);
});

test('SendingQueue counts undelivered points at shutdown', async () => {
  const { queue, read, log } = openQueue(() => refuse('down', true));
  for (const points of [1, 2]) queue.offer(request(points));
  await queue.shutdown(60_000);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 3);
  assert.match(log.lines.at(-1) ?? '', /Lost [12] points .*no time left before the shutdown/);
});

test('SendingQueue ends at the deadline when the server never answers', async () => {
  const { queue, read, closed } = openQueue(() => new Promise(() => undefined));
  for (const points of [4, 5]) queue.offer(request(points));
  await queue.shutdown(5);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 9);
  await queue.shutdown(5);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 9);
  assert.ok(closed() >= 1);
});
