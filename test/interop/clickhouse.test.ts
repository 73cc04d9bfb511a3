import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory } from '../../exporters/clickhouse/factory.js';
import { energy, readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import type { Table } from '../../src/model/table.js';
import {
  createMeasurements,
  decodeIndependently,
  joulesByProgram,
  readQueries,
  summarize,
} from '../../src/sql/databases.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { isWithout, peerPath } from './peers.js';
import { startProgram } from './program.js';

const skip = isWithout('chdb');
const script = fileURLToPath(new URL('../../../test/interop/peers/chdb_server.py', import.meta.url));

async function openServer(t: TestContext) {
  const server = startProgram(t, [peerPath('chdb'), script, join(createFolder(), 'data')]);
  const [, port] = await server.waitFor(/listening on (\d+)/u);
  const endpoint = `http://localhost:${port}`;
  const query = async (sql: string): Promise<readonly (readonly string[])[]> => {
    const response = await fetch(endpoint, { method: 'POST', body: sql.replace(/;\s*$/u, '') });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
  };
  const send = async (tables: readonly Table[], settings: Record<string, unknown> = {}) => {
    const { exporter, log } = await startExporter(t, factory, { endpoint, ...settings });
    for (const table of tables) exporter.consume(table);
    await until(() => exporter.readBacklog?.() === 0);
    await exporter.shutdown();
    return log.lines;
  };
  return { query, send };
}

test(
  'ClickHouse has the same counts and sums as an independent OTLP decoder, and answers the queries of the README',
  { skip },
  async (t) => {
    const { query, send } = await openServer(t);
    const now = BigInt(Date.now()) * 1_000_000n;
    const tables = createMeasurements(now);
    const points = decodeIndependently(tables);
    assert.deepEqual(await send(tables), []);
    const sums = await query(
      'SELECT metric, count(value), sum(value) FROM joulemetry.measurements GROUP BY metric',
    );
    const found = Object.fromEntries(
      sums.map(([metric, count, sum]) => [metric, [Number(count), Number(sum)]]),
    );
    assert.deepEqual(found, summarize(points));
    const names = await query(
      "SELECT DISTINCT JSONExtractString(resource, 'process.executable.name') FROM joulemetry.series WHERE pid = 3",
    );
    assert.deepEqual(names, [[`program \\'3\\' "\\\\u0000" ü`]]);
    assert.deepEqual(await query('SELECT count() FROM joulemetry.series FINAL WHERE end_time IS NOT NULL'), [
      ['2'],
    ]);
    assert.deepEqual(await query('SELECT count() FROM joulemetry.points WHERE value IS NULL'), [['1']]);

    const [watts = '', joules = '', top = ''] = readQueries('exporters/clickhouse/README.md');
    const minutes = (await query(watts)).map((row) => Number(row[1]));
    assert.equal(
      Math.round(1e6 * 60 * minutes.reduce((sum, one) => sum + one, 0)),
      1e6 * (100 * 20 + 99 * 2.5),
    );
    const expected = joulesByProgram(points, now - 3_600_000_000_000n).map(([, one]) => one);
    assert.deepEqual(
      (await query(joules)).map((row) => Number(row[3])),
      expected,
    );
    assert.deepEqual(
      (await query(top)).map((row) => Number(row[1])),
      expected.slice(0, 10),
    );
  },
);

test(
  'ClickHouse stores a repeated request once, and a restarted series as the same series',
  { skip },
  async (t) => {
    const { query, send } = await openServer(t);
    const ending = { ...readingAt(1, 1), ended: [energy] };
    await send([ending]);
    await send([ending]);
    assert.deepEqual(await query('SELECT count() FROM joulemetry.points'), [['1']]);
    assert.deepEqual(await query('SELECT count() FROM joulemetry.series FINAL WHERE end_time IS NOT NULL'), [
      ['1'],
    ]);
    await send([readingAt(2, 2)]);
    assert.deepEqual(await query('SELECT count(), countIf(end_time IS NULL) FROM joulemetry.series FINAL'), [
      ['1', '1'],
    ]);
    assert.deepEqual(
      await query('SELECT value, toUnixTimestamp64Nano(time) FROM joulemetry.measurements ORDER BY time'),
      [
        ['1', '1795000001000000001'],
        ['2', '1795000002000000001'],
      ],
    );
  },
);

test('clickhouse reports the exception by which a request was refused', { skip }, async (t) => {
  const { send } = await openServer(t);
  const [line = ''] = await send([readingAt(1, 1)], { create_tables: false });
  assert.match(
    line,
    /^error: Lost 1 points for .*HTTP 500 .*: Code: 81\. DB::Exception: Database joulemetry does not exist/u,
  );
});
