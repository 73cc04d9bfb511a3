import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { histogramOf, histogramTable, rowOf } from '../../src/model/histogram.fixture.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { nameFamily } from '../../src/prometheus/names.js';
import { until } from '../../src/testing/until.js';
import { scrape } from './exporter.fixture.js';

const start = BigInt(Date.now() - 60_000) * 1_000_000n;

function metric(name: string, unit: string, kind: Metric['kind']): Metric {
  return { name, unit, description: `What "${name}" is,\nwith \\`, kind, valueType: 'double' };
}

const resource = { attributes: { 'host.name': 'n1' } };
const series: readonly Series[] = [
  { metric: metric('hw.energy', 'J', 'counter'), attributes: { 'hw.id': 'cpu-package-0' }, resource, start },
  { metric: metric('hw.energy', 'J', 'counter'), attributes: { 'hw.id': 'a "b"\\\n' }, resource, start },
  { metric: metric('hw.power', 'W', 'gauge'), attributes: {}, resource, start },
  { metric: metric('system.cpu.utilization', '1', 'gauge'), attributes: {}, resource, start },
  { metric: metric('process.thread.count', '{thread}', 'updowncounter'), attributes: {}, resource, start },
];
const values = Float64Array.of(123_456.789_012_3, 1e-9, -0.1, 1e300, 7);

const now = Date.now() * 1e6;
const figures = { sum: 4.5 };
const durations = [
  [histogramOf({ attributes: { route: 'a "b"\\\n' }, resource, start }), now, rowOf([1, 2, 3], figures)],
  [histogramOf({ attributes: {}, resource, start }), now, rowOf([0, 0, 2 ** 40], { sum: -1e-9 })],
] as const;

/** A histogram is restored with its buckets, sum, start and unit. */
function checkDurations(tables: readonly HistogramTable[], created: boolean): void {
  checkHistograms(tables);
  const [table] = tables;
  for (const [sent, , { count, sum, buckets, layout }] of durations) {
    const number = table.series.findIndex(
      ({ attributes }) => attributes['route'] === sent.attributes['route'],
    );
    const { metric: read, start: found } = table.series[number];
    const { name, unit, kind } = read;
    assert.deepEqual(
      [name, unit, kind],
      ['http_server_request_duration_seconds', created ? 's' : unit, 'histogram'],
    );
    if (created) assert.equal(found, start);
    const row = new HistogramRow().read(table, number);
    assert.deepEqual([row.count, row.sum, row.buckets, row.layout], [count, sum, buckets, layout]);
  }
}

// The exporter is loaded by its path, because a receiver does not import another component.
const exporterPath = '../../exporters/prometheus/factory.js';

for (const created of [true, false]) {
  test(`the values that the exporter serves ${created ? 'with' : 'without'} starts are the same when scraped`, async (t) => {
    const { factory } = await import(exporterPath);
    const settings = { endpoint: '127.0.0.1:0', created_timestamps: created };
    const context = createFakeContext();
    const exporter = factory.create(parseSettings(factory.schema, settings), context);
    await exporter.start();
    t.after(() => exporter.shutdown());
    exporter.consume(createRow(series, BigInt(Date.now()) * 1_000_000n, values));
    exporter.consumeHistograms?.(histogramTable(durations));
    const [, host = ''] =
      /http:\/\/([^/ ]+)/u.exec(String((context.log as unknown as { lines: string[] }).lines)) ?? [];
    const { next } = await scrape(t, [
      { static_configs: [{ targets: [host] }], scrape_interval: '1s', scrape_timeout: null },
    ]);
    await until(() => next.last('hw_energy_joules_total').length === 2);
    checkDurations(next.histograms, created);
    for (const [i, sent] of series.entries()) {
      const name = nameFamily(sent.metric).sample;
      const id = sent.attributes['hw.id'];
      const found = next.last(name).find((each) => each.series.attributes['hw_id'] === id);
      assert.equal(found?.value, values[i], name);
      assert.equal(found?.series.metric.description, sent.metric.description);
      assert.equal(found?.series.resource.attributes['host_name'], 'n1');
      if (created && sent.metric.kind === 'counter') assert.equal(found?.series.start, start);
    }
    assert.equal(next.last('hw_energy_joules_total')[0]?.series.metric.unit, 'J');
  });
}
