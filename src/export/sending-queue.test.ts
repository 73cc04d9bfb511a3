import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExportError } from '../errors.js';
import { parseSettings } from '../config/settings.js';
import { createFakeContext, createLogCollector } from '../contract/fakes.js';
import { until } from '../contract/until.js';
import { retrySettings } from './retry.js';
import { createMeterReader } from '../contract/meter-reader.js';
import { MemoryStorage, type QueuedRequest, type QueueStorage } from './queue-storage.js';
import { SendingQueue, sendingQueueSettings, type Delivery } from './sending-queue.js';

const schema = { sending_queue: sendingQueueSettings, retry_on_failure: retrySettings };
const fast = { initial_interval: '2ms', max_interval: '2ms' };
const taken: Delivery = { rejectedPoints: 0, message: '' };

type Answer = (request: QueuedRequest, attempt: number) => Delivery | Promise<Delivery>;

function refuse(message: string, retryable: boolean): never {
  throw new ExportError(message, { retryable });
}

function request(points: number, bytes = 100): QueuedRequest {
  return { points, bytes: new Uint8Array(bytes) };
}

/** A queue whose attempts, counted from 1, get these answers. */
function openQueue(answer: Answer, settings: Record<string, unknown> = {}, storage?: QueueStorage) {
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const sent: number[] = [];
  let attempts = 0;
  let closed = 0;
  const sender = {
    target: 'backend:4317',
    async send(one: QueuedRequest) {
      attempts += 1;
      const delivery = await answer(one, attempts);
      sent.push(one.points);
      return delivery;
    },
    close: () => void (closed += 1),
  };
  const config = parseSettings(schema, { retry_on_failure: fast, ...settings });
  const queue = new SendingQueue(config, createFakeContext({ id: 'otlp', log, meter }), sender, storage);
  return { queue, sent, log, read, closed: () => closed, attempts: () => attempts };
}

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

/** Keeps what was taken, as one on disk does. */
function createKeepingStorage() {
  const kept = new Set<QueuedRequest>();
  const memory = new MemoryStorage();
  const storage: QueueStorage = {
    get length() {
      return memory.length;
    },
    append(one) {
      kept.add(one);
      memory.append(one);
    },
    take: () => memory.take(),
    remove: (one) => kept.delete(one),
    close: () => memory.close(),
  };
  return { storage, stored: () => [...kept].map(({ points }) => points) };
}

test('SendingQueue keeps a request in its storage until it is delivered or given up, and then no longer', async () => {
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

test('SendingQueue leaves in its storage what it could not send before the shutdown', async () => {
  const { storage, stored } = createKeepingStorage();
  const { queue } = openQueue(() => new Promise(() => undefined), {}, storage);
  for (const points of [4, 5]) queue.offer(request(points));
  await queue.shutdown(5);
  assert.deepEqual(stored(), [4, 5]);
});

test('SendingQueue goes on after it had nothing to do', async () => {
  const { queue, sent } = openQueue(() => taken);
  queue.offer(request(1));
  await until(() => sent.length === 1);
  queue.offer(request(2));
  await until(() => sent.length === 2);
  await queue.shutdown(60_000);
});

test('SendingQueue keeps what fails for the moment, in order, and tells of the outage once', async () => {
  const { queue, sent, log } = openQueue((_, attempt) => (attempt < 5 ? refuse('UNAVAILABLE', true) : taken));
  for (const points of [1, 2, 3]) queue.offer(request(points));
  await until(() => sent.length === 3);
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [1, 2, 3]);
  assert.deepEqual(
    log.lines.map((line) => line.replace(/after \d+ s/, 'after some time')),
    [
      'warn: Cannot export to backend:4317: UNAVAILABLE. Keeping data and trying again',
      'info: Exports to backend:4317 again after some time: 2 requests in the queue follow, 1 KiB',
    ],
  );
});

test('SendingQueue waits as long as the other side asked for', async () => {
  const busy = new ExportError('busy', { retryable: true, retryAfterMs: 60 });
  const { queue, sent } = openQueue((_, attempt) => (attempt === 1 ? Promise.reject(busy) : taken));
  const beganMs = performance.now();
  queue.offer(request(1));
  await until(() => sent.length === 1);
  // Timers of Node may fire up to a millisecond early.
  assert.ok(performance.now() - beganMs >= 58);
  await queue.shutdown(60_000);
});

test('SendingQueue drops what was refused for good, at once, and goes on', async () => {
  const { queue, sent, read, log, attempts } = openQueue((one) =>
    one.points === 1 ? refuse('400', false) : taken,
  );
  for (const points of [1, 2]) queue.offer(request(points));
  await until(() => sent.length === 1);
  const metrics = await read();
  await queue.shutdown(60_000);
  assert.equal(attempts(), 2);
  assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 1);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,rejected}'], 1);
  assert.deepEqual(log.lines, [
    'error: Lost 1 points for backend:4317: the request was refused for good: 400',
  ]);
});

test('SendingQueue drops a request when its time is over', async () => {
  const retry_on_failure = { ...fast, max_elapsed_time: '20ms' };
  const { queue, read } = openQueue(() => refuse('down', true), { retry_on_failure });
  queue.offer(request(7));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 7);
  assert.equal((await read())['otelcol_exporter_queue_size{otlp,metrics}'], 0);
  await queue.shutdown(60_000);
});

test('SendingQueue counts the points that were thrown away by who took the request', async () => {
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

test('SendingQueue tells once what comes with a success', async () => {
  const { queue, read, log } = openQueue(() => ({ rejectedPoints: 0, message: 'soon over quota' }));
  queue.offer(request(10));
  queue.offer(request(10));
  await queue.shutdown(60_000);
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 20);
  assert.deepEqual(log.lines, ['warn: Exported to backend:4317 with a warning: soon over quota']);
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

test('SendingQueue refuses new requests when it is full and told so', async () => {
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

test('SendingQueue says how full it is, leaving room for the next request', async () => {
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

test('SendingQueue has as many requests under way as it may', async () => {
  const latch = createLatch();
  const { queue, attempts } = openQueue(() => latch.answer, { sending_queue: { num_consumers: 3 } });
  for (const points of [1, 2, 3, 4, 5]) queue.offer(request(points));
  assert.equal(attempts(), 3);
  latch.open();
  await queue.shutdown(60_000);
  assert.equal(attempts(), 5);
});

test('SendingQueue gives memory back once a request was delivered, and only then', async () => {
  const released: number[] = [];
  const { queue } = openQueue((one) => (one.points === 1 ? refuse('400', false) : taken));
  for (const points of [1, 2]) queue.offer({ ...request(points), release: () => released.push(points) });
  await queue.shutdown(60_000);
  assert.deepEqual(released, [2]);
});

test('SendingQueue tries once more at shutdown what waits for its next attempt', async () => {
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

test('SendingQueue counts at shutdown what could not be sent', async () => {
  const { queue, read, log } = openQueue(() => refuse('down', true));
  for (const points of [1, 2]) queue.offer(request(points));
  await queue.shutdown(60_000);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 3);
  assert.match(log.lines.at(-1) ?? '', /Lost [12] points .*no time left before the shutdown/);
});

test('SendingQueue ends at the deadline when the other side never answers', async () => {
  const { queue, read, closed } = openQueue(() => new Promise(() => undefined));
  for (const points of [4, 5]) queue.offer(request(points));
  await queue.shutdown(5);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 9);
  await queue.shutdown(5);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 9);
  assert.ok(closed() >= 1);
});

test('SendingQueue waits, when the other side asks for more time than a timer takes', async () => {
  const { queue, attempts } = openQueue(
    () => {
      throw new ExportError('later', { retryable: true, retryAfterMs: 2 ** 31 });
    },
    { retry_on_failure: { max_elapsed_time: '0' } },
  );
  queue.offer(request(1));
  await sleep(20);
  assert.equal(attempts(), 1);
  await queue.shutdown(60_000);
});

test('SendingQueue gives a request that is to come back too late its last attempt, and says why it is lost', async () => {
  const later = new ExportError('busy', { retryable: true, retryAfterMs: 3_600_000 });
  const retry_on_failure = { ...fast, max_elapsed_time: '30ms' };
  const { queue, read, log, attempts } = openQueue(() => Promise.reject(later), { retry_on_failure });
  queue.offer(request(7));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 7);
  assert.equal(attempts(), 2);
  assert.deepEqual(log.lines, [
    'warn: Cannot export to backend:4317: busy. Keeping data and trying again',
    'error: Lost 7 points for backend:4317: retry_on_failure.max_elapsed_time has passed: busy',
  ]);
  await queue.shutdown(60_000);
});

test('SendingQueue leaves the other side alone as long as that asks for, whatever else waits', async () => {
  const later = new ExportError('busy', { retryable: true, retryAfterMs: 3_600_000 });
  const retry_on_failure = { ...fast, max_elapsed_time: '20ms' };
  const { queue, read, attempts } = openQueue(() => Promise.reject(later), { retry_on_failure });
  for (let count = 0; count < 5; count += 1) queue.offer(request(1));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 5);
  // Each of them once at the end of its time, and the first at once.
  assert.equal(attempts(), 6);
  await queue.shutdown(60_000);
});

test('SendingQueue sends what waits once the other side is back before the time that it asked for', async () => {
  const later = new ExportError('busy', { retryable: true, retryAfterMs: 3_600_000 });
  const retry_on_failure = { ...fast, max_elapsed_time: '20ms' };
  const { queue, sent } = openQueue((_, attempt) => (attempt === 1 ? Promise.reject(later) : taken), {
    retry_on_failure,
  });
  for (const points of [1, 2, 3]) queue.offer(request(points));
  await until(() => sent.length === 3);
  assert.deepEqual(sent, [1, 2, 3]);
  await queue.shutdown(60_000);
});

/** A request whose points have these sizes. */
function divisible(sizes: readonly number[]): QueuedRequest {
  const middle = sizes.length >> 1;
  return {
    points: sizes.length,
    bytes: new Uint8Array(sizes.reduce((sum, size) => sum + size, 0)),
    split: () =>
      middle === 0 ? undefined : [divisible(sizes.slice(0, middle)), divisible(sizes.slice(middle))],
  };
}

/** A backend that takes this many bytes at a time. */
function takeAtMost(bytes: number): Answer {
  return (one) => {
    if (one.bytes.length <= bytes) return taken;
    throw new ExportError('HTTP 413', { retryable: false, isTooLarge: true });
  };
}

test('SendingQueue sends what is too large in halves, in order, and loses nothing', async () => {
  const { queue, sent, read, log } = openQueue(takeAtMost(250));
  queue.offer(divisible(Array.from({ length: 9 }, () => 100)));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 9);
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [2, 2, 2, 1, 2]);
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
  assert.deepEqual(log.lines, [
    'warn: Cannot export 900 bytes at once to backend:4317: HTTP 413. Sending them in halves; ' +
      'a lower batch.max_bytes avoids that',
  ]);
});

test('SendingQueue counts the points that are too large by themselves, and them alone', async () => {
  const { queue, sent, read, log } = openQueue(takeAtMost(250));
  queue.offer(divisible([100, 900, 100, 100, 800, 900]));
  await until(async () => (await read())['otelcol_exporter_queue_size{otlp,metrics}'] === 0);
  await queue.shutdown(60_000);
  const metrics = await read();
  assert.deepEqual(sent, [1, 1, 1]);
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 3);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,rejected}'], 3);
  assert.match(log.lines.join('\n'), /Lost 1 points .*refused for good: HTTP 413/);
});

test('SendingQueue sends no second request of a size that was refused while smaller ones are taken', async () => {
  const { queue, sent, attempts } = openQueue(takeAtMost(450));
  for (let count = 0; count < 3; count += 1) queue.offer(divisible(Array.from({ length: 8 }, () => 100)));
  await until(() => sent.length === 6);
  assert.equal(attempts(), 7);
  await queue.shutdown(60_000);
});

test('SendingQueue tries few sizes where every size is refused', async () => {
  const { queue, read, attempts } = openQueue(takeAtMost(0));
  for (let count = 0; count < 2; count += 1) queue.offer(divisible(Array.from({ length: 1024 }, () => 100)));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,rejected}'] === 2048);
  // 1024, 512 and so on, down to 1.
  assert.equal(attempts(), 2 * 11);
  await queue.shutdown(60_000);
});

test('SendingQueue counts each point once when its time ends between the halves of a request', async () => {
  const { queue, read, sent } = openQueue((one) =>
    sent.length > 0 ? new Promise(() => undefined) : takeAtMost(250)(one, 1),
  );
  queue.offer(divisible([100, 100, 100, 100]));
  await until(() => sent.length === 1);
  await queue.shutdown(5);
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 2);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,shutdown}'], 2);
});
