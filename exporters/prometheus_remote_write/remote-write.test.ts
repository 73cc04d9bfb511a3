import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { readingAt, rowOf, startExporter } from '../../src/export/exporter.fixture.js';
import { createHttpTransport } from '../../src/export/http-transport.fixture.js';
import { testAnswers, testOutages, testTls } from '../../src/export/shared-cases.fixture.js';
import { openHttpBackend, type Answer, type BackendOptions } from '../../src/http/http-backend.fixture.js';
import { until } from '../../src/testing/until.js';
import { decodeVersion1, takenSeries, takenValues, uncompress } from './decode.fixture.js';
import { factory } from './factory.js';

/** A backend of protocol 2.0 writes everything. */
const written = { 'x-prometheus-remote-write-samples-written': '99999' };
const openBackend = (t: Parameters<typeof openHttpBackend>[0], options: BackendOptions = {}) =>
  openHttpBackend(t, {
    ...options,
    answer: (count, bytes) => {
      const answer = options.answer?.(count, bytes) ?? {};
      return { ...answer, headers: { ...written, ...answer.headers } };
    },
  });

const transport = createHttpTransport('prometheus_remote_write', factory, {
  settings: { target_info: { enabled: false } },
  takenValues,
  open: openBackend,
});

testAnswers(transport);
testOutages(transport);
testTls(transport);

test('prometheus_remote_write posts requests of 2.0, compressed by Snappy', async (t) => {
  const backend = await openBackend(t);
  const { exporter } = await startExporter(t, factory, { endpoint: `${backend.url}/api/v1/write` });
  exporter.consume(readingAt(1, 42.5));
  await exporter.shutdown();
  const [{ path, headers }] = backend.received;
  assert.equal(path, '/api/v1/write');
  assert.equal(headers['content-type'], 'application/x-protobuf;proto=io.prometheus.write.v2.Request');
  assert.equal(headers['content-encoding'], 'snappy');
  assert.equal(headers['x-prometheus-remote-write-version'], '2.0.0');
  assert.ok(Number(headers['content-length']) > 0);
  assert.match(headers['user-agent'] ?? '', /^joulemetry\//);
  assert.deepEqual(
    takenSeries(backend).map(({ labels }) => labels['__name__']),
    ['target_info', 'hw_energy_joules_total'],
  );
});

for (const [what, answer] of [
  ['that answers 415', { status: 415 }],
  ['that takes anything, as one of 1.0 does', { status: 204 }],
] as const) {
  test(`prometheus_remote_write continues with 1.0 at a backend ${what}`, async (t) => {
    const backend = await openHttpBackend(t, {
      answer: (_, bytes): Answer => (decodesAsVersion1(bytes) ? { status: 204 } : answer),
    });
    const { exporter, log, read } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 1));
    await until(() => backend.received.length === 2);
    exporter.consume(readingAt(2, 2));
    await exporter.shutdown();
    const requests = backend.received.slice(1).map(({ bytes }) => decodeVersion1(uncompress(bytes)));
    const values = requests.flatMap(({ series }) =>
      series.filter(({ labels }) => labels['__name__'] !== 'target_info').flatMap(({ samples }) => samples),
    );
    assert.deepEqual(
      values.map(({ value, startMs }) => [value, startMs]),
      [
        [1, 0],
        [2, 0],
      ],
    );
    assert.deepEqual(requests[0]?.metadata[1], {
      type: 1,
      family: 'hw_energy_joules_total',
      help: readingAt(1, 1).series[0]?.metric.description,
      unit: 'joules',
    });
    // Metadata follows once a minute.
    assert.deepEqual(requests[1]?.metadata, []);
    assert.equal(backend.received[1]?.headers['x-prometheus-remote-write-version'], '0.1.0');
    assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 2);
    assert.match(log.lines.join(), /^info: Sending by remote write 1\.0 to /);
  });
}

function decodesAsVersion1(bytes: Buffer): boolean {
  return decodeVersion1(uncompress(bytes)).series.length > 0;
}

test('prometheus_remote_write sends 1.0 at once where the settings say so', async (t) => {
  const backend = await openHttpBackend(t);
  const { exporter } = await startExporter(t, factory, {
    endpoint: backend.url,
    protobuf_message: 'prometheus.WriteRequest',
    send_metadata: false,
  });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  assert.equal(backend.received.length, 1);
  const { series, metadata } = decodeVersion1(uncompress(backend.received[0]?.bytes ?? new Uint8Array()));
  assert.equal(series.length, 2);
  assert.deepEqual(metadata, []);
});

test('prometheus_remote_write counts what was not written, also of a request that was refused', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (count) => ({
      status: count === 1 ? 200 : 400,
      headers: { 'x-prometheus-remote-write-samples-written': count === 1 ? '8' : '7' },
      body: count === 1 ? '' : 'out of order sample',
    }),
  });
  const settings = { endpoint: backend.url, target_info: { enabled: false } };
  const { exporter, log, read } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(10));
  await until(() => backend.received.length === 1);
  exporter.consume({ ...rowOf(10), epoch: rowOf(10).epoch + 10_000_000n });
  await exporter.shutdown();
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 15);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,partial_success}'], 5);
  assert.match(log.lines.join('\n'), /Lost 3 points .*: out of order sample/);
});

for (const status of [400, 404, 409]) {
  test(`prometheus_remote_write sends nothing again after ${status}`, async (t) => {
    const backend = await openHttpBackend(t, { answer: () => ({ status, body: 'no' }) });
    const { exporter, read } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 1));
    await until(async () => (await read())['joulemetry.exporter.dropped{otlp,rejected}'] === 1);
    assert.equal(backend.received.length, 1);
  });
}

for (const status of [429, 500, 503]) {
  test(`prometheus_remote_write sends again after ${status}`, async (t) => {
    const backend = await openBackend(t, { answer: (count) => ({ status: count < 3 ? status : 200 }) });
    const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 7));
    await until(() => takenValues(backend).length === 1);
    assert.equal(backend.received.length, 3);
  });
}

test('prometheus_remote_write halves what is too large', async (t) => {
  const backend = await openBackend(t, {
    answer: (_, { length }) => ({ status: length > 1500 ? 413 : 200 }),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(200));
  await until(() => takenValues(backend).length === 200);
  assert.ok(backend.received.length > 2);
});

test('prometheus_remote_write checks settings that do not go together', () => {
  const settings = { sending_queue: { num_consumers: 2 }, external_labels: { 'a-b': 'c', __name__: 'd' } };
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, settings)), [
    'sending_queue.num_consumers: expected 1, with which the samples of a series arrive in order, found 2',
    'external_labels.a-b: expected the name of a label of Prometheus',
    'external_labels.__name__: expected the name of a label of Prometheus',
  ]);
});
