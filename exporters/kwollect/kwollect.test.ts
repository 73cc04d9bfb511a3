import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { energy, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { createHttpTransport } from '../../src/export/http-transport.fixture.js';
import { testAnswers, testOutages, testTls } from '../../src/export/shared-cases.fixture.js';
import { openHttpBackend, type HttpBackend } from '../../src/http/http-backend.fixture.js';
import { deriveSeries } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

interface Point {
  readonly timestamp: number;
  readonly device_id: string;
  readonly metric_id: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, unknown>>;
}

function readPoints({ received }: HttpBackend): readonly Point[] {
  return received
    .filter(({ status }) => status === 200)
    .flatMap(({ bytes }) => JSON.parse(bytes.toString()) as readonly Point[]);
}

const transport = createHttpTransport('kwollect', factory, {
  takenValues: (backend) => readPoints(backend).map(({ value }) => value),
});

testOutages(transport);
testAnswers(transport);
testTls(transport);

test('kwollect posts a list of points with device, metric, instant and labels, and no gaps', async (t) => {
  const backend = await openHttpBackend(t);
  const settings = { endpoint: `${backend.url}/stable/sites/lyon`, hostname: 'taurus-1' };
  const { exporter, read } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 42.5));
  exporter.consume(readingAt(2, NaN));
  exporter.consume(readingAt(3, Infinity));
  exporter.consume(createRow([energy], start + 1_234_567n, Float64Array.of(7)));
  await exporter.shutdown();
  const labels = { 'host.name': 'node-1', 'hw.id': 'package-0', 'hw.type': 'cpu' };
  const point = { device_id: 'taurus-1', metric_id: 'hw_energy_J', labels };
  assert.deepEqual(readPoints(backend), [
    { ...point, timestamp: 1_795_000_001, value: 42.5 },
    { ...point, timestamp: 1_795_000_000.001234, value: 7 },
  ]);
  const [request] = backend.received;
  assert.deepEqual(
    [request?.path, request?.headers['content-type']],
    ['/stable/sites/lyon/metrics', 'application/json'],
  );
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 2);
});

test('kwollect names metrics without units when told so, and leaves out what is no unit', async (t) => {
  const backend = await openHttpBackend(t);
  const series = ['1', '{process}', 'By/s'].map((unit) => {
    const metric = { ...energy.metric, name: 'a.b', unit };
    return deriveSeries(energy, { metric });
  });
  for (const append of [true, false]) {
    const settings = { endpoint: backend.url, append_unit_to_metric_name: append };
    const { exporter } = await startExporter(t, factory, settings);
    exporter.consume(createRow(series, start, Float64Array.of(1, 2, 3)));
    await exporter.shutdown();
  }
  const points = readPoints(backend);
  assert.deepEqual(
    points.map(({ metric_id: id }) => id),
    ['a_b', 'a_b', 'a_b_By_s', 'a_b', 'a_b', 'a_b'],
  );
  assert.ok(points.every(({ device_id: id }) => id === hostname().replace(/\..*/, '')));
});

test('kwollect halves what the server finds too large, and counts what it refuses', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, bytes) => ({ status: bytes.length > 5000 ? 413 : 200 }),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(100));
  await until(() => readPoints(backend).length === 100);
  const strict = await openHttpBackend(t, { answer: () => ({ status: 400, body: 'unknown device' }) });
  const refused = await startExporter(t, factory, { endpoint: strict.url });
  refused.exporter.consume(rowOf(3));
  await refused.exporter.shutdown();
  assert.equal((await refused.read())['joulemetry.exporter.dropped{otlp,rejected}'], 3);
  assert.match(refused.log.lines.join('\n'), /HTTP 400 Bad Request: unknown device/);
});

test('kwollect sends the token of a file', async (t) => {
  const backend = await openHttpBackend(t);
  const file = join(createFolder(), 'token');
  writeFileSync(file, 's3cret\n');
  const settings = { endpoint: backend.url, credentials: { bearer_token_file: file } };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  assert.equal(backend.received[0]?.headers.authorization, 'Bearer s3cret');
});
