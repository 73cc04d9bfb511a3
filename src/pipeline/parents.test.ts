import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../component/fakes.js';
import type { Metric, Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createEnding, createRow } from '../model/table.js';
import { gpuTime } from '../model/usage-metrics.js';
import { ClaimRegistry } from './claims.js';
import { NamedParents } from './parents.js';

function createSeries(id: string, metric: Metric = hwEnergy, start = 0n): Series {
  return { metric, resource: { attributes: {} }, attributes: { 'hw.id': id }, start };
}

function createRig() {
  const registry = new ClaimRegistry();
  const next = createTableCollector();
  const named = new NamedParents(registry, next);
  const consume = (series: readonly Series[]) =>
    named.consume(createRow(series, 1n, new Float64Array(series.length)));
  const parents = () =>
    next.tables.map(({ series }) => series.map(({ attributes }) => attributes['hw.parent']));
  return { registry, next, named, consume, parents };
}

test('NamedParents holds tables until every receiver has started, so that the start order does not matter', () => {
  const { registry, consume, parents } = createRig();
  registry.claimsFor('rapl').place({ id: 'cpu', key: 'cpu/0' });
  assert.ok(consume([createSeries('cpu')]));
  assert.deepEqual(parents(), []);
  registry.claimsFor('ipmi').place({ id: 'ipmi0', key: 'host' });
  registry.complete();
  assert.deepEqual(parents(), [['ipmi0']]);
});

test('NamedParents never changes or adds a parent later, since a counter must not be split', () => {
  const { registry, next, consume, parents } = createRig();
  registry.claimsFor('rapl').place({ id: 'cpu', key: 'cpu/0' });
  registry.complete();
  const series = [createSeries('cpu')];
  consume(series);
  registry.claimsFor('redfish').place({ id: 'chassis', key: 'host' });
  consume(series);
  // Even after a reset.
  consume([createSeries('cpu', hwEnergy, 5n)]);
  assert.deepEqual(parents(), [[undefined], [undefined], [undefined]]);
  assert.equal(next.tables[0]?.series, series);
});

test('NamedParents forwards equal objects for the same series, including ended ones', () => {
  const { registry, next, named, consume } = createRig();
  registry.claimsFor('rapl').place({ id: 'cpu', key: 'cpu/0' });
  registry.claimsFor('ipmi').place({ id: 'ipmi0', key: 'host' });
  registry.complete();
  const series = [createSeries('cpu'), createSeries('other')];
  consume(series);
  consume(series);
  named.consume(createEnding(series, 2n));
  const [first, second, last] = next.tables;
  assert.equal(first?.series, second?.series);
  assert.deepEqual(last?.ended, first?.series);
  assert.equal(first?.series[0]?.attributes['hw.parent'], 'ipmi0');
  assert.equal(first?.series[1], series[1]);
});

test('NamedParents does not change GPU time, whose parent is that of a MIG instance', () => {
  const { registry, consume, parents } = createRig();
  registry.claimsFor('nvml').place({ id: 'GPU-1', key: 'gpu/GPU-1' });
  registry.claimsFor('ipmi').place({ id: 'ipmi0', key: 'host' });
  registry.complete();
  consume([createSeries('GPU-1', gpuTime), createSeries('GPU-1')]);
  assert.deepEqual(parents(), [[undefined, 'ipmi0']]);
});

test('NamedParents holds tables again while receivers of a changed configuration start', () => {
  const { registry, consume, parents } = createRig();
  registry.complete();
  const series = [createSeries('cpu')];
  for (const _ of [1, 2]) {
    registry.reopen();
    consume(series);
    registry.complete();
  }
  assert.deepEqual(parents(), [[undefined], [undefined]]);
});

test('NamedParents refuses tables without room until every receiver has started, but no end of series', () => {
  const registry = new ClaimRegistry();
  const next = createTableCollector();
  const named = new NamedParents(registry, next, 3);
  const series = [createSeries('cpu'), createSeries('other')];
  const consume = () => named.consume(createRow(series, 1n, Float64Array.of(1, 2)));
  assert.deepEqual([consume(), consume()], [true, false]);
  assert.ok(named.consume(createEnding(series, 2n)));
  registry.complete();
  assert.equal(next.tables.length, 2);
  // Forwarded tables take no room.
  registry.reopen();
  assert.deepEqual([consume(), consume()], [true, false]);
});
