import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import { ExportError } from '../errors.js';
import { until } from '../testing/until.js';
import { openQueue, taken, type Answer } from './sending-queue.fixture.js';

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

/** A backend that accepts this many bytes at a time. */
function takeAtMost(bytes: number): Answer {
  return (one) => {
    if (one.bytes.length <= bytes) return taken;
    throw new ExportError('HTTP 413', { retryable: false, isTooLarge: true });
  };
}

test('SendingQueue halves requests that are too large, in order, and loses nothing', async () => {
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

test('SendingQueue counts only the points that are too large by themselves', async () => {
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

test('SendingQueue sends no second request of a refused size while smaller ones are accepted', async () => {
  const { queue, sent, attempts } = openQueue(takeAtMost(450));
  for (let count = 0; count < 3; count += 1) queue.offer(divisible(Array.from({ length: 8 }, () => 100)));
  await until(() => sent.length === 6);
  assert.equal(attempts(), 7);
  await queue.shutdown(60_000);
});

test('SendingQueue tries few sizes when every size is refused', async () => {
  const { queue, read, attempts } = openQueue(takeAtMost(0));
  for (let count = 0; count < 2; count += 1) queue.offer(divisible(Array.from({ length: 1024 }, () => 100)));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,rejected}'] === 2048);
  // 1024, 512 and so on, down to 1.
  assert.equal(attempts(), 2 * 11);
  await queue.shutdown(60_000);
});

test('SendingQueue counts each point once when the time limit is exceeded between the halves of a request', async () => {
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
