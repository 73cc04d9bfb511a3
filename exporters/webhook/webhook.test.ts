import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energy, host, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { createHttpTransport } from '../../src/export/http-transport.fixture.js';
import { testAnswers, testOutages, testTls } from '../../src/export/shared-cases.fixture.js';
import { openHttpBackend, type HttpBackend } from '../../src/http/http-backend.fixture.js';
import { HistogramRow, HistogramRows } from '../../src/model/histogram-table.js';
import { createRow } from '../../src/model/table.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

interface Point {
  readonly value: number;
}

function takenValues({ received }: HttpBackend): readonly number[] {
  return received
    .filter(({ status }) => status === 200)
    .flatMap(({ bytes }) => JSON.parse(bytes.toString()) as readonly Point[])
    .map(({ value }) => value);
}

const transport = createHttpTransport('webhook', factory, { takenValues });

testAnswers(transport);
testOutages(transport);
testTls(transport);

const point = {
  name: 'hw.energy',
  unit: 'J',
  kind: 'counter',
  start: '2026-11-18T11:06:40.000000001Z',
  resource: host.attributes,
  attributes: energy.attributes,
  value: 42.5,
  time: '2026-11-18T11:06:41.000000001Z',
};

test('webhook posts an array of points', async (t) => {
  const backend = await openHttpBackend(t);
  const { exporter } = await startExporter(t, factory, { endpoint: `${backend.url}/hook?a=b` });
  exporter.consume(readingAt(1, 42.5));
  exporter.consume(readingAt(2, 43));
  await exporter.shutdown();
  const [{ path, headers, bytes }] = backend.received;
  assert.deepEqual([path, headers['content-type']], ['/hook?a=b', 'application/json']);
  assert.deepEqual(JSON.parse(bytes.toString()), [
    point,
    { ...point, value: 43, time: '2026-11-18T11:06:42.000000001Z' },
  ]);
});

test('webhook sends lines, with the method, the type and the headers of the settings', async (t) => {
  const backend = await openHttpBackend(t);
  const { exporter } = await startExporter(t, factory, {
    endpoint: backend.url,
    method: 'PUT',
    format: 'ndjson',
    content_type: 'application/jsonl',
    compression: 'none',
    headers: { 'x-key': 'k' },
  });
  const gauge = {
    ...energy,
    metric: { ...energy.metric, kind: 'gauge' as const },
    attributes: { text: 'a\n"b"' },
  };
  exporter.consume(createRow([gauge, energy, energy], start, Float64Array.of(1e-7, NaN, -Infinity)));
  await exporter.shutdown();
  const [{ method, headers, bytes }] = backend.received;
  assert.deepEqual(
    [method, headers['content-type'], headers['x-key'], headers['content-length']],
    ['PUT', 'application/jsonl', 'k', `${bytes.length}`],
  );
  const [line = '', end] = bytes.toString().split('\n');
  assert.equal(end, '');
  const { start: _start, ...rest } = point;
  const time = '2026-11-18T11:06:40.000000001Z';
  assert.deepEqual(JSON.parse(line), {
    ...rest,
    kind: 'gauge',
    attributes: { text: 'a\n"b"' },
    value: 1e-7,
    time,
  });
});

test('webhook sends histograms with how many values are at most each bound', async (t) => {
  const backend = await openHttpBackend(t);
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  const row = new HistogramRow();
  row.layout = { kind: 'histogram', bounds: Float64Array.of(0.5, 1) };
  Object.assign(row, { count: 6, sum: 9.5, buckets: Float64Array.of(1, 2, 3) });
  const metric = { name: 'work', unit: 's', description: '', kind: row.layout.kind };
  const rows = new HistogramRows();
  rows.add({ ...energy, metric, attributes: {} }, 0, row);
  exporter.consumeHistograms?.(rows.take(start));
  await exporter.shutdown();
  const [found] = JSON.parse(backend.received[0].bytes.toString()) as readonly Record<string, unknown>[];
  assert.deepEqual(
    [found['count'], found['sum'], found['buckets']],
    [
      6,
      9.5,
      [
        { le: 0.5, count: 1 },
        { le: 1, count: 3 },
      ],
    ],
  );
});

test('webhook sends in halves what is too large, each a whole array', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, { length }) => ({ status: length > 9000 ? 413 : 200 }),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url });
  exporter.consume(rowOf(200));
  await until(() => takenValues(backend).length === 200);
  assert.deepEqual(
    takenValues(backend),
    Array.from({ length: 200 }, (_, i) => i),
  );
});
