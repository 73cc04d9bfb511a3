import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { histogramOf, histogramTable, rowOf } from '../../src/model/histogram.fixture.js';
import type { Attributes, MetricKind, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { factory } from './factory.js';

function seriesOf(kind: MetricKind, attributes: Attributes): Series {
  const metric = { name: 'hw.energy', unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes, start: 0n };
}

function createProcessor(settings: unknown) {
  const log = createLogCollector();
  const next = createTableCollector();
  const config = parseSettings(factory.schema, settings);
  return { processor: factory.create(config, createFakeContext({ log }), next), log, next };
}

test('attributes does its actions in turn, when a table comes', () => {
  const actions = [
    { action: 'insert', key: 'site', value: 'lab' },
    { action: 'delete', key: 'hw.name' },
  ];
  const { processor, next } = createProcessor({ actions });
  const series = [seriesOf('counter', { 'hw.id': 'package-0', 'hw.name': 'CPU' })];
  assert.equal(processor.consume(createRow(series, 1n, Float64Array.of(5))), true);
  assert.deepEqual(next.tables[0].series[0].attributes, { 'hw.id': 'package-0', site: 'lab' });
  assert.deepEqual([...next.tables[0].values], [5]);
});

test('attributes sums two domains, when it deletes what told them apart', () => {
  const { processor, next } = createProcessor({ actions: [{ action: 'delete', key: 'hw.id' }] });
  const series = [
    seriesOf('counter', { 'hw.id': 'package-0' }),
    seriesOf('counter', { 'hw.id': 'package-1' }),
  ];
  processor.consume(createRow(series, 1n, Float64Array.of(5, 7)));
  assert.deepEqual([...next.tables[0].values], [12]);
});

test('attributes warns once, when gauges cannot be distinguished any more', () => {
  const { processor, next, log } = createProcessor({ actions: [{ action: 'delete', key: 'hw.id' }] });
  const series = ['a', 'b', 'c'].map((id) => seriesOf('gauge', { 'hw.id': id }));
  processor.consume(createRow(series, 1n, Float64Array.of(5, 7, 9)));
  assert.deepEqual([...next.tables[0].values], [5]);
  assert.deepEqual(log.lines, [
    'warn: Cannot distinguish series of the gauge "hw.energy": expected different attributes, found the same; the first series of each is kept, the others are left out',
  ]);
});

test('attributes refuses a table, when the next consumer does', () => {
  const config = parseSettings(factory.schema, {});
  const processor = factory.create(config, createFakeContext(), { consume: () => false });
  assert.equal(processor.consume(createRow([seriesOf('gauge', {})], 1n, Float64Array.of(5))), false);
});

test('attributes names a wrong action, when the settings are checked', () => {
  const config = parseSettings(factory.schema, { actions: [{ action: 'insert', key: 'a' }] });
  assert.deepEqual(factory.check?.(config), ['actions[0]: found none, expected "value" or "from_attribute"']);
});

test('attributes changes histograms, too, and keeps the first of those that it cannot tell apart any more', () => {
  const { processor, next, log } = createProcessor({ actions: [{ action: 'delete', key: 'route' }] });
  const [one, other] = ['/', '/cart'].map((route) => histogramOf({ attributes: { route, method: 'GET' } }));
  const table = histogramTable([
    [one, 1_000, rowOf([1, 2, 3])],
    [other, 1_000, rowOf([4, 5, 6])],
  ]);
  assert.equal(processor.consumeHistograms?.(table), true);
  const [{ series, buckets }] = next.histograms;
  assert.deepEqual(
    series.map(({ attributes }) => attributes),
    [{ method: 'GET' }],
  );
  assert.deepEqual([...buckets], [1, 2, 3]);
  assert.match(
    log.lines.join(),
    /Cannot distinguish series of the histogram "http.server.request.duration"/u,
  );
});
