import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { createHttpTransport } from '../../src/export/http-transport.fixture.js';
import { testAnswers, testOutages, testTls } from '../../src/export/shared-cases.fixture.js';
import { openHttpBackend, type HttpBackend } from '../../src/http/http-backend.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { readPartialWrite } from './influxdb-sender.js';

const place = { org: 'lab', bucket: 'energy' };

function takenValues({ received }: HttpBackend): readonly number[] {
  return received
    .filter(({ status }) => status < 300)
    .flatMap(({ bytes }) =>
      [...bytes.toString().matchAll(/ counter=(\S+) /gu)].map(([, value]) => Number(value)),
    );
}

const transport = createHttpTransport('influxdb', factory, { settings: place, takenValues });

testAnswers(transport);
testOutages(transport);
testTls(transport);

test('influxdb posts lines to the API of each version, with a token from a file', async (t) => {
  const backend = await openHttpBackend(t, { answer: () => ({ status: 204 }) });
  const file = join(createFolder(), 'token');
  writeFileSync(file, 's3cret\n');
  const settings = [place, { api: 'v3', database: 'a b' }, { api: 'v1', database: 'energy' }];
  for (const one of settings) {
    const { exporter } = await startExporter(t, factory, {
      endpoint: `${backend.url}/influx/`,
      credentials: { bearer_token_file: file },
      ...one,
    });
    exporter.consume(readingAt(1, 42.5));
    await exporter.shutdown();
  }
  assert.deepEqual(
    backend.received.map(({ path }) => path),
    [
      '/influx/api/v2/write?org=lab&bucket=energy&precision=ns',
      '/influx/api/v3/write_lp?db=a+b&precision=nanosecond',
      '/influx/write?db=energy&precision=ns',
    ],
  );
  const [{ headers, bytes }] = backend.received;
  assert.deepEqual([headers.authorization, headers['content-encoding']], ['Token s3cret', 'gzip']);
  assert.equal(
    bytes.toString(),
    `hw.energy,host.name=node-1,hw.id=package-0,hw.type=cpu counter=42.5 ${start + 1_000_000_000n}\n`,
  );
});

test('influxdb counts the lines of a request that were not written', async (t) => {
  const body = '{"error":"partial write: field type conflict: input field \\"counter\\" dropped=3"}';
  const backend = await openHttpBackend(t, { answer: () => ({ status: 400, body }) });
  const { exporter, log, read } = await startExporter(t, factory, { endpoint: backend.url, ...place });
  exporter.consume(rowOf(10));
  await exporter.shutdown();
  const metrics = await read();
  assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 7);
  assert.equal(metrics['joulemetry.exporter.dropped{otlp,partial_success}'], 3);
  assert.match(log.lines.join(), /field type conflict/);
});

test('readPartialWrite parses the answers of InfluxDB 3, and answers without line counts', () => {
  const line = '{"original_line":"x","line_number":1,"error_message":"invalid"}';
  const third = `{"error":"partial write of line protocol occurred","data":[${line},${line}]}`;
  assert.equal(readPartialWrite({ body: Buffer.from(third) }, 5)?.rejectedPoints, 2);
  for (const text of ['{"error":"partial write: dropped=5"}', '{"error":"unable to parse"}', 'partial write'])
    assert.equal(readPartialWrite({ body: Buffer.from(text) }, 5), undefined);
});

test('influxdb splits requests that are too large into halves', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, { length }) => ({ status: length > 5000 ? 413 : 204 }),
  });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url, ...place });
  exporter.consume(rowOf(200));
  await until(() => takenValues(backend).length === 200);
  assert.deepEqual(
    takenValues(backend),
    Array.from({ length: 200 }, (_, i) => i),
  );
});

const check = (settings: Record<string, unknown>) => factory.check?.(parseSettings(factory.schema, settings));

test('influxdb reports which setting its API needs', () => {
  assert.deepEqual(check({ org: 'a' }), ['bucket: expected one for api v2, found none']);
  assert.deepEqual(check({ api: 'v3' }), ['database: expected one for api v3, found none']);
  assert.deepEqual(check({ api: 'v1', database: 'a' }), []);
});
