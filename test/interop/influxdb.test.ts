import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { factory } from '../../exporters/influxdb/factory.js';
import { startExporter } from '../../src/export/exporter.fixture.js';
import { HistogramRow, HistogramRows } from '../../src/model/histogram-table.js';
import type { Series } from '../../src/model/series.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { isWithout, peerPath } from './peers.js';
import { startProgram } from './program.js';

const address = 'http://127.0.0.1:8086';
const begin = 1_795_000_000_000_000_001n;
const host = { attributes: { 'host.name': 'node 1, a=b', 'process.command': 'sh -c "é\\"' } };
const ids = ['cpu-package-0', 'a\nb'];

const series = ids.map((id): Series => ({
  metric: { name: 'hw.energy', unit: 'J', description: 'Energy', kind: 'counter', valueType: 'double' },
  resource: host,
  attributes: { 'hw.id': id },
  start: begin,
}));

interface Answer {
  readonly results: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values: readonly (readonly (number | string | null)[])[];
    }[];
  }[];
}

async function query(text: string, method = 'GET') {
  const response = await fetch(`${address}/query?db=energy&epoch=ns&q=${encodeURIComponent(text)}`, {
    method,
  });
  // Format of answers of InfluxDB 1; nanoseconds since 1970 exceed the precision of a double.
  const [result] = (JSON.parse((await response.text()).replaceAll(/\b(\d{19})\b/gu, '"$1"')) as Answer)
    .results;
  assert.equal(result?.error, undefined);
  return result?.series ?? [];
}

test(
  'InfluxDB has every point that is sent, with its tags and its nanoseconds',
  { skip: isWithout('influxd') },
  async (t) => {
    const folder = createFolder();
    const config = join(folder, 'influxdb.conf');
    writeFileSync(
      config,
      `reporting-disabled = true
bind-address = "127.0.0.1:8088"
[meta]
dir = "${folder}/meta"
[data]
dir = "${folder}/data"
wal-dir = "${folder}/wal"
[http]
bind-address = "127.0.0.1:8086"
`,
    );
    startProgram(t, [peerPath('influxd'), '-config', config]);
    await until(async () => {
      const answer = await fetch(`${address}/ping`).catch(() => undefined);
      return answer?.status === 204;
    });
    await query('CREATE DATABASE energy', 'POST');
    const { exporter, log, read } = await startExporter(t, factory, {
      endpoint: address,
      api: 'v1',
      database: 'energy',
    });
    const rows = 50;
    const offsets = Float64Array.from({ length: rows }, (_, row) => row * 1_234_567);
    const values = Float64Array.from({ length: 2 * rows }, (_, cell) => cell / 7);
    exporter.consume({ series, epoch: begin, offsets, values });
    exporter.consumeHistograms?.(createHistogram());
    await exporter.shutdown();
    assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0, log.lines.join('\n'));

    const found = await query('SELECT counter FROM "hw.energy" GROUP BY *');
    assert.deepEqual(
      new Map(found.map(({ tags, values: points }) => [tags?.['hw.id'], points])),
      new Map(
        ids.map((id, column) => [
          id.replace('\n', ' '),
          Array.from(offsets, (offset, row) => [`${begin + BigInt(offset)}`, values[2 * row + column]]),
        ]),
      ),
    );
    assert.equal(found[0]?.tags?.['host.name'], 'node 1, a=b');
    assert.equal(found[0]?.tags?.['process.command'], 'sh -c "é\\"');
    const [histogram] = await query('SELECT "count", "sum", "0.5", "1", "+Inf" FROM work');
    assert.deepEqual(histogram?.values[0]?.slice(1), [6, 9.5, 1, 3, 6]);
    const watts = await query(
      `SELECT non_negative_derivative(last("counter"), 1s) AS watts FROM "hw.energy"
     WHERE time >= ${begin} AND time < ${begin + 70_000_000n} GROUP BY time(10ms), "host.name", "hw.id"`,
    );
    assert.equal(watts.length, 2);
    const version = (await fetch(`${address}/ping`)).headers.get('x-influxdb-version');
    t.diagnostic(`InfluxDB ${version}: ${found.length} series`);
  },
);

function createHistogram() {
  const row = new HistogramRow();
  row.layout = { kind: 'histogram', bounds: Float64Array.of(0.5, 1) };
  Object.assign(row, { count: 6, sum: 9.5, buckets: Float64Array.of(1, 2, 3) });
  const metric = { name: 'work', unit: 's', description: 'Work', kind: row.layout.kind };
  const rows = new HistogramRows();
  rows.add({ metric, resource: host, attributes: {}, start: begin }, 0, row);
  return rows.take(begin);
}
