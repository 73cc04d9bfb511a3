import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { factory } from '../../exporters/mongodb/factory.js';
import { startExporter } from '../../src/export/exporter.fixture.js';
import { simulateTables } from '../../src/simulation/simulated-tables.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { expectValues } from './expected-values.js';
import { isWithout, peerPath } from './peers.js';
import { startProgram } from './program.js';

const skip = isWithout('ferretdb');

interface Found {
  readonly meta: { readonly metric: string };
  readonly value: number;
}

test(
  'FerretDB has the points of a simulated machine once, even when they were sent twice',
  { skip },
  async (t) => {
    const folder = createFolder();
    const files = [`--sqlite-url=file:${folder}/`, `--state-dir=${folder}`];
    const options = [
      '--handler=sqlite',
      '--listen-addr=127.0.0.1:27117',
      '--debug-addr=-',
      '--telemetry=disable',
    ];
    const server = startProgram(t, [peerPath('ferretdb'), ...files, ...options]);
    await server.waitFor(/Listening on TCP/u);
    const { tables } = simulateTables();
    const expected = expectValues(tables);
    const points = [...expected.values()].reduce((sum, { count }) => sum + count, 0);
    const endpoint = 'mongodb://127.0.0.1:27117';
    for (const _ of [1, 2]) {
      const { exporter, log, read } = await startExporter(t, factory, { endpoint, time_series: false });
      for (const table of tables) exporter.consume(table);
      await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === points);
      assert.deepEqual(log.lines, []);
    }
    const client = new MongoClient(endpoint);
    t.after(() => client.close());
    const documents = await client.db('joulemetry').collection<Found>('metrics').find().toArray();
    assert.equal(documents.length, points);
    for (const [name, { count, sum }] of expected) {
      const values = documents.filter(({ meta }) => meta.metric === name).map(({ value }) => value);
      assert.equal(values.length, count, name);
      const found = values.reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(found - sum) <= 1e-9 * Math.abs(sum), name);
    }
    t.diagnostic(`${points} points of ${expected.size} metrics`);
  },
);
