import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { factory as grpcFactory } from '../exporters/otlp_grpc/factory.js';
import { factory as httpFactory } from '../exporters/otlp_http/factory.js';
import { factory } from '../receivers/otlp/factory.js';
import { listTables } from '../receivers/otlp/request.fixture.js';
import type { ExporterFactory } from '../src/component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../src/component/fakes.js';
import type { Schema } from '../src/component/schema.js';
import { parseSettings } from '../src/config/settings.js';
import { checkTables } from '../src/model/check-tables.js';
import type { Table } from '../src/model/table.js';
import { startExporter } from '../src/otlp/exporter.fixture.js';
import { simulateTables } from '../src/simulation/simulated-tables.js';
import { until } from '../src/testing/until.js';

/** A running receiver with both protocols, and where it listens. */
async function startReceiver(t: TestContext) {
  const log = createLogCollector();
  const collector = createTableCollector();
  const config = parseSettings(factory.schema, {
    protocols: { grpc: { endpoint: 'localhost:0' }, http: { endpoint: 'localhost:0' } },
  });
  const receiver = factory.create(config, createFakeContext({ id: 'otlp', log }), collector);
  t.after(() => receiver.shutdown());
  await receiver.start();
  const [grpc = '', http = ''] = log.lines.map((line) => /http:\/\/\S+/u.exec(line)?.[0] ?? '');
  return { receiver, collector, log, grpc, http };
}

/** What a backend can see of tables: the end of a series is a point without a value. */
function listPoints(tables: readonly Table[]): string[] {
  return listTables(tables)
    .filter((line) => !line.startsWith('end ') && !line.endsWith(' NaN'))
    .toSorted();
}

/** The metrics of every resource. */
function listMetrics(tables: readonly Table[]): string[] {
  const all = tables.flatMap(({ series }) =>
    series.map(({ metric, resource }) => JSON.stringify([metric, resource])),
  );
  return [...new Set(all)].toSorted();
}

function testRelay<S extends Schema>(
  name: string,
  exporterFactory: ExporterFactory<S>,
  endpointOf: (receiver: { readonly grpc: string; readonly http: string }) => string,
): void {
  test(`what ${name} sends comes out of the receiver as it went in`, async (t) => {
    const started = await startReceiver(t);
    const { exporter } = await startExporter(t, exporterFactory, { endpoint: endpointOf(started) });
    const { tables } = simulateTables({ resource: { attributes: { 'host.name': 'node-1' } } });
    for (const table of tables) assert.ok(exporter.consume(table));
    const expected = listPoints(tables);
    await until(() => listPoints(started.collector.tables).length >= expected.length);
    assert.deepEqual(listPoints(started.collector.tables), expected);
    checkTables(started.collector.tables);
    assert.deepEqual(listMetrics(started.collector.tables), listMetrics(tables));
  });
}

testRelay('otlp_http', httpFactory, ({ http }) => http);
testRelay('otlp_grpc', grpcFactory, ({ grpc }) => grpc);
