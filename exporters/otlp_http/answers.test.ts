import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energy, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import { createRow } from '../../src/model/table.js';
import { until } from '../../src/testing/until.js';
import { decodeValues } from './decode-values.fixture.js';
import { factory } from './factory.js';

for (const status of [429, 502, 503, 504]) {
  test(`otlp_http sends again after ${status}`, async (t) => {
    const backend = await openHttpBackend(t, { answer: (count) => ({ status: count < 4 ? status : 200 }) });
    const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 7));
    await until(() => backend.received.length === 4);
    await exporter.shutdown();
    assert.deepEqual(
      backend.received.map((request) => request.status),
      [status, status, status, 200],
    );
  });

  test(`otlp_http sends once after ${status}, when retries are off`, async (t) => {
    const backend = await openHttpBackend(t, { answer: () => ({ status }) });
    const settings = { endpoint: backend.url, retry_on_failure: { enabled: false } };
    const { exporter, read } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 7));
    await until(async () => (await read())['joulemetry.exporter.dropped{otlp,retries_exhausted}'] === 1);
    // The transport would have retried by itself before it gave up.
    assert.equal(backend.received.length, 1);
  });
}

test('otlp_http waits as long as Retry-After says', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (count) => (count === 1 ? { status: 503, headers: { 'retry-after': '1' } } : {}),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 7));
  await until(() => backend.received.length === 2);
  assert.ok(backend.received[1].atMs - backend.received[0].atMs >= 990);
});

test("otlp_http drops what is refused permanently, and logs the backend's message", async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (count) => (count === 1 ? { status: 400, body: 'unknown tenant\u0000' } : {}),
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await until(() => backend.received.length === 1);
  exporter.consume(readingAt(2, 2));
  await exporter.shutdown();
  assert.deepEqual(decodeValues(backend), [2]);
  const metrics = await read();
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,rejected}'], 1);
  assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 1);
  assert.deepEqual(log.lines, [
    `error: Lost 1 points for ${backend.url}/v1/metrics: the request was refused for good: ` +
      'HTTP 400 Bad Request: unknown tenant',
  ]);
});

test('otlp_http splits requests that a backend answers with 413, and counts points that are too large alone', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, { length }) => ({ status: length > 3000 ? 413 : 200 }),
  });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(200));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 200);
  assert.deepEqual(
    decodeValues(backend),
    Array.from({ length: 200 }, (_, id) => id),
  );
  assert.match(
    log.lines.join('\n'),
    /^warn: Cannot export \d+ bytes at once to .*: HTTP 413 .*Sending them in halves/,
  );

  const attributes = { 'hw.id': 'x'.repeat(4000) };
  exporter.consume(createRow([{ ...energy, attributes }, energy], start + 2n, Float64Array.of(1, 2)));
  await until(async () => (await read())['joulemetry.exporter.dropped{otlp,rejected}'] === 1);
  await until(() => decodeValues(backend).length === 201);
  assert.equal(decodeValues(backend).at(-1), 2);
});

test('otlp_http splits requests that are too large for a Collector, which answers 400', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, { length }) =>
      length > 3000 ? { status: 400, body: '\n\u001chttp: request body too large' } : { status: 200 },
  });
  const { exporter, read } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(200));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 200);
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
});

test('otlp_http splits requests that a backend refuses while they are still being sent', async (t) => {
  // Like servers that read only the length: they answer and close the connection.
  const backend = await openHttpBackend(t, { refuseAbove: 200_000 });
  const settings = { endpoint: backend.url, compression: 'none' };
  const { exporter, read } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(8000));
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 8000);
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
});

test('otlp_http names the target of a redirect', async (t) => {
  const location = 'https://user:secret@collector.example/otlp/v1/metrics';
  for (const status of [301, 307, 308]) {
    const backend = await openHttpBackend(t, { answer: () => ({ status, headers: { location } }) });
    const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 1));
    await exporter.shutdown();
    assert.match(
      log.lines.join('\n'),
      /, to "https:\/\/\[REDACTED\]@collector\.example\/otlp\/v1\/metrics"; set endpoint or metrics_endpoint to/,
    );
  }
});

test('otlp_http logs how long a backend asks to wait', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: () => ({ status: 429, headers: { 'retry-after': '3600' } }),
  });
  const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await until(() => log.lines.length === 1);
  assert.match(log.lines[0], /HTTP 429 Too Many Requests, asks to wait 3600 s\. Keeping data/);
});

test('otlp_http logs a warning when the answer is a web page', async (t) => {
  const backend = await openHttpBackend(t, { answer: () => ({ body: '<html>Welcome</html>' }) });
  const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  assert.match(log.lines.join(), /with a warning: the answer is not one of an OTLP receiver/);
});
