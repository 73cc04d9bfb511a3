import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory } from '../../exporters/influxdb/factory.js';
import { energy, startExporter } from '../../src/export/exporter.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { readQueries } from '../../src/sql/databases.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/query_lines.py', import.meta.url));
const minute = 60_000_000_000n;
const series = [seriesOf('a', 'package-0'), seriesOf('a', 'package-1'), seriesOf('b', 'package-0')];

function seriesOf(node: string, id: string): Series {
  const resource = { attributes: { 'host.name': node } };
  return { ...energy, resource, attributes: { ...energy.attributes, 'hw.id': id } };
}

function pairs(text: string): readonly (readonly [string, string])[] {
  return text.split(',').map((pair) => pair.split('=') as [string, string]);
}

/** A row of the table that InfluxDB 3 derives from a line: tags, fields and time are its columns. */
function parseLine(line: string): Readonly<Record<string, string | number>> {
  const [key = '', fields = '', time = ''] = line.split(' ');
  const numbers = pairs(fields).map(([name, value]) => [name, Number(value)] as const);
  return {
    ...Object.fromEntries(pairs(key.slice(key.indexOf(',') + 1))),
    ...Object.fromEntries(numbers),
    time,
  };
}

/** Counters as sent to InfluxDB 3: how many minutes ago, and the value of each of `series`. */
async function sendReadings(
  t: TestContext,
  readings: readonly (readonly [bigint, readonly number[]])[],
): Promise<readonly ReturnType<typeof parseLine>[]> {
  const backend = await openHttpBackend(t, { answer: () => ({ status: 204 }) });
  const settings = { endpoint: backend.url, api: 'v3', database: 'energy', compression: 'none' };
  const { exporter } = await startExporter(t, factory, settings);
  const now = BigInt(Date.now()) * 1_000_000n;
  for (const [minutes, values] of readings)
    exporter.consume(createRow(series, now - minutes * minute, Float64Array.from(values)));
  await exporter.shutdown();
  return backend.received.flatMap(({ bytes }) => bytes.toString().trimEnd().split('\n').map(parseLine));
}

test(
  'the engine of InfluxDB 3 answers the query in SQL of the README',
  { skip: isWithout('datafusion') },
  async (t) => {
    // The first row is older than a day.
    const rows = await sendReadings(t, [
      [1800n, [1, 1, 1]],
      [180n, [100, 200, 300]],
      [120n, [110, 225, 301]],
      [60n, [125, 230, 350]],
    ]);
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

/** Rows in the form in which a Flux script reads them: a table for each series. */
function toFluxSource(rows: readonly ReturnType<typeof parseLine>[]): string {
  const tags = ['host.name', 'hw.id'];
  const lines = series.flatMap(({ resource, attributes }, table) => {
    const values = tags.map((tag) => resource.attributes[tag] ?? attributes[tag]);
    return rows
      .filter((row) => tags.every((tag, i) => row[tag] === values[i]))
      .map((row) => {
        const time = new Date(Number(BigInt(row['time'] ?? 0) / 1_000_000n)).toISOString();
        return ['', '', table, time, row['counter'], 'counter', 'hw.energy', ...values].join(',');
      });
  });
  const csv = [
    '#datatype,string,long,dateTime:RFC3339,double,string,string,string,string',
    '#group,false,false,false,false,true,true,true,true',
    '#default,_result,,,,,,,',
    `,result,table,_time,_value,_field,_measurement,${tags.join(',')}`,
    ...lines,
  ].join('\n');
  return `csv.from(csv: "${csv}\n")`;
}

test('Flux answers the query of the README', { skip: isWithout('flux') }, async (t) => {
  const rows = await sendReadings(t, [
    [40n, [60, 0, 0]],
    [39n, [360, 60, 0]],
    [38n, [480, 180, 0]],
    [37n, [10, 300, 0]],
    [36n, [70, 420, 6]],
  ]);
  const page = readFileSync(new URL('../../../exporters/influxdb/README.md', import.meta.url), 'utf8');
  const query = /^from\(bucket: "energy"\)(?<rest>[^`]+)^```$/mu.exec(page)?.groups?.['rest'] ?? '';
  const found = execFileSync(peerPath('flux'), ['execute', `import "csv"\n${toFluxSource(rows)}${query}`], {
    encoding: 'utf8',
  });
  const watts = (node: string, id: string) =>
    found
      .split('\n')
      .filter((line) => line.includes(`  ${node}  `) && line.includes(` ${id} `))
      .map((line) => Number(/Z\s+(?<watts>\S+)\s*$/u.exec(line)?.groups?.['watts'] ?? NaN));
  // A counter reset gives no power value.
  assert.deepEqual(watts('a', 'package-0'), [5, 2, NaN, 1]);
  assert.deepEqual(watts('a', 'package-1'), [1, 2, 2, 2]);
  assert.deepEqual(watts('b', 'package-0'), [0, 0, 0, 0.1]);
});
