import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFactoryFinder } from '../src/component/find.js';
import { readingAt, startExporter } from '../src/export/exporter.fixture.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { until } from '../src/testing/until.js';

/** Settings other than the endpoint, by exporter. */
const exporters: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  clickhouse: {},
  elasticsearch: {},
  influxdb: { database: 'energy' },
  kwollect: { hostname: 'taurus-1' },
  otlp_http: {},
  prometheus_remote_write: {},
  webhook: {},
};

for (const [type, settings] of Object.entries(exporters)) {
  test(`${type} repeats requests that a backend refused for their credentials, and loses nothing`, async (t) => {
    const factory = await createFactoryFinder().find('exporter', type);
    assert.ok(factory);
    const refusals = [401, 403, 407];
    const answer = (count: number) => ({ status: refusals[count - 1] ?? 200, body: 'not you' });
    const { url, received } = await openHttpBackend(t, { answer });
    const { exporter, log, read } = await startExporter(t, factory, { endpoint: url, ...settings });
    exporter.consume(readingAt(1, 42));
    await until(() => received.length > refusals.length);
    const [first] = received;
    for (const { path, bytes } of received.slice(1, refusals.length + 1))
      assert.deepEqual([path, bytes], [first?.path, first?.bytes]);
    assert.match(
      log.lines[0] ?? '',
      /^warn: Cannot export to .*: HTTP 401 .*Keeping data and trying again$/u,
    );
    assert.equal((await read())['joulemetry.exporter.dropped{otlp,rejected}'] ?? 0, 0);
  });
}
