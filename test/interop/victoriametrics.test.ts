import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { factory as otlpHttp } from '../../exporters/otlp_http/factory.js';
import { factory as remoteWrite } from '../../exporters/prometheus_remote_write/factory.js';
import type { ExporterFactory } from '../../src/component/component.js';
import { startExporter } from '../../src/export/exporter.fixture.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { isWithout, peerPath } from './peers.js';
import { startProgram } from './program.js';
import { energy, heat, host, rows, toNs } from './sent-metrics.js';

const address = '127.0.0.1:8428';
const stepMs = 500;
/** VictoriaMetrics stores decimal fractions, of which it keeps 12 digits. */
const valueOf = (row: number, column: number) => 1000 * row + column / 8;

/** Counters and gauges, and the values of each at its instants. */
function createTables() {
  const beginMs = Date.now() - 60_000;
  const of = (metric: Metric, id: string): Series => ({
    metric,
    resource: host,
    attributes: { 'hw.id': id },
    start: toNs(beginMs - 1000),
  });
  const series = [
    ...Array.from({ length: 40 }, (_, i) => of(energy, `package-${i}`)),
    of(heat, 'é"\\\n'),
    of(heat, 'b'),
  ];
  const tables = Array.from({ length: rows }, (_, row) => ({
    series,
    epoch: toNs(beginMs + stepMs * row),
    offsets: new Float64Array(1),
    values: Float64Array.from(series, (__, column) => valueOf(row, column)),
  }));
  const expected = series.map(({ metric, attributes }, column) => [
    `${metric === energy ? 'hw_energy_joules_total' : 'hw_temperature_celsius'} ${String(attributes['hw.id'])}`,
    Array.from({ length: rows }, (_, row) => [beginMs + stepMs * row, valueOf(row, column)]),
  ]);
  return { tables, expected: sortByName(expected) };
}

function sortByName(entries: readonly unknown[][]) {
  return entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** A series in the answer to /api/v1/export. */
interface Exported {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

async function startServer(t: TestContext): Promise<void> {
  const server = startProgram(t, [
    peerPath('victoria-metrics'),
    `-storageDataPath=${createFolder()}`,
    `-httpListenAddr=${address}`,
    '-opentelemetry.usePrometheusNaming',
  ]);
  await server.waitFor(/started server at/u);
}

async function readSeries(selector: string): Promise<readonly Exported[]> {
  await fetch(`http://${address}/internal/force_flush`);
  const query = `match[]=${encodeURIComponent(selector)}`;
  const text = await (await fetch(`http://${address}/api/v1/export?${query}`)).text();
  // A series per line.
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Exported);
}

const ways: readonly (readonly [
  name: string,
  factory: ExporterFactory,
  settings: Record<string, unknown>,
])[] = [
  ['remote write', remoteWrite, { endpoint: `http://${address}/api/v1/write` }],
  ['OTLP', otlpHttp, { metrics_endpoint: `http://${address}/opentelemetry/v1/metrics` }],
];

for (const [name, factory, settings] of ways) {
  test(
    `VictoriaMetrics has every point that is sent by ${name}`,
    { skip: isWithout('victoria-metrics') },
    async (t) => {
      await startServer(t);
      const { tables, expected } = createTables();
      const { exporter, log, read } = await startExporter(t, factory, settings);
      for (const table of tables) exporter.consume(table);
      const selector = '{__name__=~"hw_.+"}';
      await until(async () => (await readSeries(selector)).length === expected.length);
      await exporter.shutdown();
      const metrics = await read();
      assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 0, log.lines.join('\n'));
      const found = (await readSeries(selector)).map(({ metric, values, timestamps }) => [
        `${metric['__name__']} ${metric['hw_id']}`,
        timestamps.map((timeMs, index) => [timeMs, values[index]]),
      ]);
      assert.deepEqual(sortByName(found), expected);
      t.diagnostic(
        `${log.lines.join() || 'without a message'}; labels ${JSON.stringify((await readSeries(selector))[0]?.metric)}`,
      );
    },
  );
}
