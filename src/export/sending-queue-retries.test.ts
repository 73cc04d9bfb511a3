import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredRequest } from '../component/queue-storage.js';
import { ExportError } from '../errors.js';
import { until } from '../testing/until.js';
import { MemoryStorage } from './memory-storage.js';
import type { Delivery } from './request-delivery.js';
import { fast, openQueue, refuse, request, taken, type Answer } from './sending-queue.fixture.js';

test('SendingQueue keeps requests after transient failures, in order, and reports the outage once', async () => {
  const { queue, sent, log } = openQueue((_, attempt) => (attempt < 5 ? refuse('UNAVAILABLE', true) : taken));
  for (const points of [1, 2, 3]) queue.offer(request(points));
  await until(() => sent.length === 3);
  await queue.shutdown(60_000);
  assert.deepEqual(sent, [1, 2, 3]);
  assert.deepEqual(
    log.lines.map((line) => line.replace(/after \d+ s/, 'after some time')),
    [
      'warn: Cannot export to backend:4317: UNAVAILABLE. Keeping data and trying again',
      'info: Recovered, exporting to backend:4317 again after some time: 2 queued requests will follow, 1 KiB',
    ],
  );
});

test('SendingQueue waits for the time that the server asked for', async () => {
  const busy = new ExportError('busy', { retryable: true, retryAfterMs: 60 });
  const { queue, sent } = openQueue((_, attempt) => (attempt === 1 ? Promise.reject(busy) : taken));
  const beganMs = performance.now();
  queue.offer(request(1));
  await until(() => sent.length === 1);
  // Timers of Node may fire up to a millisecond early.
  assert.ok(performance.now() - beganMs >= 58);
  await queue.shutdown(60_000);
});

test('SendingQueue drops permanently refused requests immediately, and continues', async () => {
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

test('SendingQueue drops a request when its time limit is exceeded', async () => {
  const retry_on_failure = { ...fast, max_elapsed_time: '20ms' };
  const { queue, read } = openQueue(() => refuse('down', true), { retry_on_failure });
  queue.offer(request(7));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 7);
  assert.equal((await read())['otelcol_exporter_queue_size{otlp,metrics}'], 0);
  await queue.shutdown(60_000);
});

test('SendingQueue waits when the server asks for more than the maximum of a timer', async () => {
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

test('SendingQueue makes a last attempt when the server asks for a time beyond the limit, and reports the reason of the loss', async () => {
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

test('SendingQueue sends nothing to a server for as long as it asks for, whatever is queued', async () => {
  const later = new ExportError('busy', { retryable: true, retryAfterMs: 3_600_000 });
  const retry_on_failure = { ...fast, max_elapsed_time: '20ms' };
  const { queue, read, attempts } = openQueue(() => Promise.reject(later), { retry_on_failure });
  for (let count = 0; count < 5; count += 1) queue.offer(request(1));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 5);
  // Each of them once at the end of its time, and the first immediately.
  assert.equal(attempts(), 6);
  await queue.shutdown(60_000);
});

test('SendingQueue sends queued requests once the server is back before the time that it asked for', async () => {
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

/** A storage that keeps its contents, like a file. */
class LastingStorage extends MemoryStorage {
  override readonly isLasting = true;
}

test('SendingQueue leaves undelivered requests in a persistent storage at shutdown, and counts no loss', async () => {
  const storage = new LastingStorage();
  const settings = { retry_on_failure: { initial_interval: '1h' } };
  const { queue, read, log, attempts } = openQueue(() => refuse('down', true), settings, storage);
  for (const points of [1, 2]) queue.offer(request(points));
  await until(() => attempts() === 1);
  await queue.shutdown(60_000);
  assert.equal(attempts(), 2, 'the second one is not tried: the backend is down');
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], undefined);
  assert.equal(
    log.lines.at(-1),
    'info: Kept 3 points for backend:4317 in the storage until the next start, 1 KiB',
  );
});

test('SendingQueue removes requests delivered by another consumer at shutdown from a persistent storage', async () => {
  const storage = new LastingStorage();
  const removed: number[] = [];
  storage.remove = ({ points }) => void removed.push(points);
  const answers: ((delivery: Delivery) => void)[] = [];
  const answer: Answer = ({ points }) =>
    points === 1 ? refuse('down', true) : new Promise((resolve) => answers.push(resolve));
  const settings = { sending_queue: { num_consumers: 2 }, retry_on_failure: { initial_interval: '1h' } };
  const { queue, attempts, log } = openQueue(answer, settings, storage);
  for (const points of [1, 2]) queue.offer(request(points));
  const shutdown = queue.shutdown(60_000);
  await until(() => attempts() === 3);
  for (const give of answers) give(taken);
  await shutdown;
  assert.deepEqual(removed, [2]);
  assert.match(log.lines.at(-1) ?? '', /Kept 1 points .* in the storage until the next start, 1 KiB/);
});

test('SendingQueue starts with the requests that a storage has from an earlier run', async () => {
  const storage = new LastingStorage();
  for (const points of [1, 2]) storage.append(request(points));
  const { queue, sent, log } = openQueue(() => taken, {}, storage);
  queue.offer(request(3));
  await until(() => sent.length === 3);
  assert.deepEqual(sent, [1, 2, 3]);
  assert.equal(log.lines[0], 'info: Exporting 2 stored requests of an earlier run to backend:4317, 1 KiB');
  await queue.shutdown(60_000);
});

test('SendingQueue counts requests that a storage refuses, has damaged or kept too long', async () => {
  const storage = new LastingStorage();
  const others: StoredRequest[] = [
    { size: 100, points: 4, isExpired: true, load: () => request(4) },
    { size: 100, points: 5, isExpired: false, load: () => Promise.reject(new Error('another checksum')) },
  ];
  storage.append = ({ points }) => points !== 3;
  storage.take = () => others.shift();
  const { queue, read, log, sent } = openQueue(() => taken, {}, storage);
  for (const points of [3, 4, 5]) queue.offer(request(points));
  await until(() => queue.readBacklog(1) === 0);
  await queue.shutdown(60_000);
  const metrics = await read();
  assert.deepEqual(sent, []);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,storage_failed}'], 8);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,expired}'], 4);
  assert.match(log.lines.join(), /Lost 4 points .*: they have waited longer than max_age of their storage/);
});
