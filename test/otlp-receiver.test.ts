import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as grpcFactory } from '../exporters/otlp_grpc/factory.js';
import { factory as httpFactory } from '../exporters/otlp_http/factory.js';
import { startReceiver } from '../receivers/otlp/receiver.fixture.js';
import { listTables } from '../receivers/otlp/request.fixture.js';
import type { ExporterFactory } from '../src/component/component.js';
import type { Schema } from '../src/component/schema.js';
import { startExporter } from '../src/export/exporter.fixture.js';
import { checkTables } from '../src/model/check-tables.js';
import type { Table } from '../src/model/table.js';
import { simulateTables } from '../src/simulation/simulated-tables.js';
import { until } from '../src/testing/until.js';

/** The part of tables that a backend can see: the end of a series is a point without a value. */
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
  test(`the receiver passes on what ${name} sends unchanged`, async (t) => {
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
