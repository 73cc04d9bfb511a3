import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  decodeVersion2,
  uncompress,
  type DecodedSeries,
} from '../../exporters/prometheus_remote_write/decode.fixture.js';
import { factory } from '../../exporters/prometheus_remote_write/factory.js';
import { startExporter } from '../../src/export/exporter.fixture.js';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import { HistogramRow, HistogramRows } from '../../src/model/histogram-table.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { isWithout, type PeerName } from './peers.js';
import { startPrometheus, type Prometheus } from './prometheus.js';
import { energy, heat, host, rows, toNs } from './sent-metrics.js';

const endpoint = 'http://localhost:9090/api/v1/write';
const receiver = '--web.enable-remote-write-receiver';

let beginMs = 0;
let startMs = 0;

function createSeries(metric: Metric, id: string): Series {
  return { metric, resource: host, attributes: { 'hw.id': id }, start: toNs(startMs) };
}

let packages: readonly Series[] = [];
let sensors: readonly Series[] = [];

/** Prometheus forwards only samples that are newer than its start. */
function begin(): void {
  beginMs = Date.now();
  startMs = beginMs - 30_000;
  packages = Array.from({ length: 40 }, (_, i) => createSeries(energy, `package-${i}`));
  sensors = ['é"\\\n', 'b'].map((id) => createSeries(heat, id));
}

const valueOf = (row: number, column: number) => row * 1.1 + column / 7;

/** Sends rows of all series, half a second apart; the last row ends the sensors. */
async function send(t: TestContext, settings: Record<string, unknown> = {}) {
  begin();
  const series = [...packages, ...sensors];
  const { exporter, log, read } = await startExporter(t, factory, { endpoint, ...settings });
  for (let row = 0; row < rows; row += 1) {
    exporter.consume({
      series,
      epoch: toNs(beginMs + 500 * row),
      offsets: new Float64Array(1),
      values: Float64Array.from(series, (_, column) => valueOf(row, column)),
      ...(row === rows - 1 && { ended: sensors }),
    });
  }
  await exporter.shutdown();
  return { log, metrics: await read() };
}

/** The samples that Prometheus has of the sent values. */
async function findSamples(prometheus: Prometheus, name: string): Promise<Map<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  for (const { labels, value, timeMs } of await prometheus.query(
    `${name}{job="joulemetry"}[10m] @ ${endSeconds()}`,
  ))
    found.set(labels['hw_id'] ?? '', [...(found.get(labels['hw_id'] ?? '') ?? []), timeMs, value]);
  return found;
}

function endSeconds(): number {
  return (beginMs + 500 * rows) / 1000;
}

function expectSamples(all: readonly Series[], first: number, starts: readonly number[]) {
  return new Map(
    all.map((one, i) => [
      `${one.attributes['hw.id']}`,
      [
        ...starts,
        ...Array.from({ length: rows }, (_, row) => [beginMs + 500 * row, valueOf(row, first + i)]).flat(),
      ],
    ]),
  );
}

for (const peer of ['prometheus', 'prometheus-otlp'] as const satisfies readonly PeerName[]) {
  test(`${peer} has every sample that is sent by remote write`, { skip: isWithout(peer) }, async (t) => {
    const config = writeConfig('global: {}');
    const prometheus = await startPrometheus(t, peer, config, [receiver]);
    const { log, metrics } = await send(t);
    assert.equal(metrics['otelcol_exporter_send_failed_metric_points{otlp}'], 0, log.lines.join('\n'));
    assert.deepEqual(await findSamples(prometheus, 'hw_energy_joules_total'), expectSamples(packages, 0, []));
    assert.deepEqual(
      await findSamples(prometheus, 'hw_temperature_celsius'),
      expectSamples(sensors, packages.length, []),
    );
    // The sensors have ended: a later query finds no value, even within the lookback of five minutes.
    const alive = await prometheus.query(`count by (__name__) ({__name__=~"hw_.+"} @ ${endSeconds()})`);
    assert.deepEqual(
      alive.map(({ labels, value }) => [labels['__name__'], value]),
      [['hw_energy_joules_total', packages.length]],
    );
    const [info] = await prometheus.query(`target_info{instance="node-1"} @ ${endSeconds()}`);
    assert.equal(info?.labels['os_type'], 'linux');
    t.diagnostic(`${await prometheus.version()}, ${log.lines.join() || 'by 2.0'}`);
  });
}

function writeConfig(text: string): string {
  const path = join(createFolder(), 'prometheus.yml');
  writeFileSync(path, text);
  return path;
}

test(
  'Prometheus has starts, metadata and native histograms that are sent by remote write 2.0',
  { skip: isWithout('prometheus-otlp') },
  async (t) => {
    // Prometheus shows metadata of scraped targets only; it forwards those of other series.
    const forwarded = await openHttpBackend(t, {
      answer: () => ({ headers: { 'x-prometheus-remote-write-samples-written': '99999' } }),
    });
    const config = writeConfig(
      `remote_write: [{url: '${forwarded.url}', protobuf_message: io.prometheus.write.v2.Request, send_native_histograms: true}]`,
    );
    const features = '--enable-feature=created-timestamp-zero-ingestion,metadata-wal-records';
    const prometheus = await startPrometheus(t, 'prometheus-otlp', config, [receiver, features]);
    await send(t);
    await sendHistogram(t);
    assert.deepEqual(
      await findSamples(prometheus, 'hw_energy_joules_total'),
      expectSamples(packages, 0, [startMs, 0]),
    );
    const all = (): readonly DecodedSeries[] =>
      forwarded.received.flatMap(({ bytes }) => decodeVersion2(uncompress(bytes)));
    await until(() => all().some(({ labels }) => labels['__name__'] === 'work_duration_seconds'));
    const described = new Map(
      all().map(({ labels, type, help, unit }) => [labels['__name__'], [type, help, unit]] as const),
    );
    assert.deepEqual(described.get('hw_energy_joules_total'), [1, 'Energy used', 'joules']);
    assert.deepEqual(described.get('hw_temperature_celsius'), [2, 'How hot', 'celsius']);
    assert.deepEqual(described.get('work_duration_seconds'), [3, 'Duration', 'seconds']);
    const [count] = await prometheus.query(`histogram_count(work_duration_seconds @ ${beginMs / 1000})`);
    const [share] = await prometheus.query(
      `histogram_fraction(0.5, 2, work_duration_seconds @ ${beginMs / 1000})`,
    );
    assert.deepEqual([count?.value, share?.value], [6, 5 / 6]);
  },
);

/** One value of 0, two above 0.5 and up to 1, three above 1 and up to 2. */
async function sendHistogram(t: TestContext): Promise<void> {
  const row = new HistogramRow();
  row.layout = {
    kind: 'exponential_histogram',
    scale: 0,
    zeroThreshold: 0,
    positiveOffset: -1,
    positiveCount: 2,
    negativeOffset: 0,
    negativeCount: 0,
  };
  Object.assign(row, { count: 6, sum: 6.5, buckets: Float64Array.of(1, 2, 3) });
  const metric = { name: 'work.duration', unit: 's', description: 'Duration', kind: row.layout.kind };
  const table = new HistogramRows();
  table.add({ metric, resource: host, attributes: {}, start: toNs(startMs) }, 0, row);
  const { exporter } = await startExporter(t, factory, { endpoint });
  exporter.consumeHistograms?.(table.take(toNs(beginMs)));
  await exporter.shutdown();
}
