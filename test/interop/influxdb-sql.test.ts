import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory } from '../../exporters/influxdb/factory.js';
import { energy, startExporter } from '../../src/export/exporter.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { readQueries } from '../../src/sql/databases.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/query_lines.py', import.meta.url));
const hour = 3_600_000_000_000n;

function seriesOf(node: string, id: string): Series {
  const resource = { attributes: { 'host.name': node } };
  return { ...energy, resource, attributes: { ...energy.attributes, 'hw.id': id } };
}

/** A row of the table that InfluxDB 3 makes of lines: tags, fields and time are its columns. */
function parseLine(line: string): Readonly<Record<string, string | number>> {
  const [key = '', fields = '', time = ''] = line.split(' ');
  const pairs = (text: string) => text.split(',').map((pair) => pair.split('=') as [string, string]);
  const numbers = pairs(fields).map(([name, value]) => [name, Number(value)] as const);
  return {
    ...Object.fromEntries(pairs(key.slice(key.indexOf(',') + 1))),
    ...Object.fromEntries(numbers),
    time,
  };
}

test(
  'the engine of InfluxDB 3 answers the query in SQL of the README',
  { skip: isWithout('datafusion') },
  async (t) => {
    const backend = await openHttpBackend(t, { answer: () => ({ status: 204 }) });
    const settings = { endpoint: backend.url, api: 'v3', database: 'energy', compression: 'none' };
    const { exporter } = await startExporter(t, factory, settings);
    const series = [seriesOf('a', 'package-0'), seriesOf('a', 'package-1'), seriesOf('b', 'package-0')];
    const now = BigInt(Date.now()) * 1_000_000n;
    // The first row is older than a day.
    for (const [hours, values] of [
      [30n, [1, 1, 1]],
      [3n, [100, 200, 300]],
      [2n, [110, 225, 301]],
      [1n, [125, 230, 350]],
    ] as const)
      exporter.consume(createRow(series, now - hours * hour, Float64Array.from(values)));
    await exporter.shutdown();
    const rows = backend.received.flatMap(({ bytes }) =>
      bytes.toString().trimEnd().split('\n').map(parseLine),
    );
    assert.equal(rows.length, 12);
    const query = readQueries('exporters/influxdb/README.md').find((text) => text.includes('INTERVAL'));
    const input = JSON.stringify({ table: 'hw.energy', rows, query });
    const found = execFileSync(peerPath('datafusion'), [script], { input });
    assert.deepEqual(JSON.parse(found.toString()), [
      { 'host.name': 'a', joules: 55 },
      { 'host.name': 'b', joules: 50 },
    ]);
  },
);
