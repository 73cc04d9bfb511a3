import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumingComponent } from '../component/component.js';
import { createLogCollector, createTableCollector } from '../component/fakes.js';
import { histogramOf, histogramTable, rowOf } from '../model/histogram.fixture.js';
import type { Metric } from '../model/series.js';
import { createRow } from '../model/table.js';
import { ClaimRegistry, SeriesClaims, type RoutedReceiver } from './claims.js';

function createPair() {
  const registry = new ClaimRegistry();
  return { registry, first: registry.claimsFor('rapl'), second: registry.claimsFor('rapl/second') };
}

test('ClaimRegistry gives a domain to the first receiver that claims it, and names the owner to others', () => {
  const { first, second } = createPair();
  assert.equal(first.claim('energy/cpu/0'), undefined);
  assert.equal(second.claim('energy/cpu/0'), 'rapl');
  assert.equal(second.claim('energy/cpu/1'), undefined);
  assert.equal(first.claim('energy/cpu/1'), 'rapl/second');
});

test('ClaimRegistry grants an owner its claim repeatedly', () => {
  const { first } = createPair();
  assert.equal(first.claim('energy/cpu/0'), undefined);
  assert.equal(first.claim('energy/cpu/0'), undefined);
  assert.equal(first.claim('energy/cpu'), undefined);
});

test("ClaimRegistry refuses a whole of which another receiver has a part, and a part of another receiver's whole", () => {
  const { first, second } = createPair();
  first.claim('energy/cpu/0/1');
  assert.equal(second.claim('energy/cpu/0'), 'rapl');
  assert.equal(second.claim('energy/cpu'), 'rapl');
  second.claim('energy/gpu');
  assert.equal(first.claim('energy/gpu/0'), 'rapl/second');
});

test('ClaimRegistry treats names with a common prefix as different domains', () => {
  const { first, second } = createPair();
  first.claim('energy/cpu/1');
  assert.equal(second.claim('energy/cpu/10'), undefined);
});

test('ClaimRegistry names the owner of a part, and changes its version whenever an owner may have changed', () => {
  const { registry, first } = createPair();
  assert.equal(registry.ownerOf('energy/memory'), undefined);
  const before = registry.version;
  first.claim('energy/memory/0');
  assert.equal(registry.ownerOf('energy/memory'), 'rapl');
  assert.notEqual(registry.version, before);
  const claimed = registry.version;
  first.claim('energy/memory/0');
  assert.equal(registry.version, claimed);
  registry.release('rapl');
  assert.equal(registry.ownerOf('energy/memory'), undefined);
  assert.notEqual(registry.version, claimed);
});

test('ClaimRegistry gives the claims of a stopped receiver to the next one', () => {
  const { registry, first, second } = createPair();
  first.claim('energy/cpu/0');
  registry.release('rapl');
  assert.equal(second.claim('energy/cpu/0'), undefined);
});

const metricOf = (name: string): Metric => ({
  name,
  unit: 's',
  description: '',
  kind: 'counter',
  valueType: 'double',
});

const createExporter = (): ConsumingComponent => ({
  start() {},
  consume: () => true,
  shutdown() {},
});

const [page, file] = [createExporter(), createExporter()];

/** A receiver that declares metrics of these names. */
const routed = (id: string, names: readonly string[], exporters = [page]): RoutedReceiver => ({
  id,
  factory: { metrics: names.map(metricOf) },
  exporters,
});

/** Sends equal series, created by each receiver separately, and returns which of them arrived. */
function publish(name: string, receivers: readonly RoutedReceiver[]) {
  const logs = new Map(receivers.map(({ id }) => [id, createLogCollector()]));
  const claims = new SeriesClaims((id) => logs.get(id) ?? createLogCollector());
  claims.update(receivers);
  const arrived = receivers.filter(({ id }) => {
    const next = createTableCollector();
    const entry = claims.entryFor(id, next);
    const series = [{ metric: metricOf(name), resource: { attributes: {} }, attributes: {}, start: 0n }];
    for (const at of [1n, 2n]) assert.equal(entry.consume(createRow(series, at, Float64Array.of(1))), true);
    return next.tables.length > 0;
  });
  const lines = [...logs].flatMap(([id, log]) => log.lines.map((line) => `${id}: ${line}`));
  return { arrived: arrived.map(({ id }) => id), lines };
}

test('SeriesClaims lets one of two receivers publish a series, and warns once', () => {
  const { arrived, lines } = publish('cpu', [routed('host', ['cpu']), routed('host/slow', ['cpu'])]);
  assert.deepEqual(arrived, ['host']);
  assert.deepEqual(lines, [
    'host/slow: warn: Leaving out series of receiver "host/slow" that receiver "host" publishes, such as cpu: ' +
      'each series has one publisher; remove one of the two receivers, let them measure different things, ' +
      'or connect them to different exporters',
  ]);
});

test('SeriesClaims applies to receivers that declare no metrics', () => {
  for (const names of [
    [['cpu'], []],
    [[], ['cpu']],
    [[], []],
  ]) {
    const receivers = names.map((declared, i) => routed(`r/${i}`, declared));
    assert.deepEqual(publish('cpu', receivers).arrived, ['r/0']);
  }
});

test('SeriesClaims applies to receivers that reach a common exporter through different pipelines', () => {
  const receivers = [routed('a', ['cpu'], [page]), routed('b', ['cpu'], [file, page])];
  assert.deepEqual(publish('cpu', receivers).arrived, ['a']);
});

test('SeriesClaims applies to receivers that share different exporters with a third one', () => {
  const receivers = [
    routed('a', ['cpu'], [page]),
    routed('b', ['cpu'], [file]),
    routed('c', ['cpu'], [file, page]),
  ];
  assert.deepEqual(publish('cpu', receivers).arrived, ['a']);
});

test('SeriesClaims lets receivers publish the same series to different exporters', () => {
  const receivers = [routed('a', ['cpu'], [page]), routed('b', ['cpu'], [file])];
  assert.deepEqual(publish('cpu', receivers).arrived, ['a', 'b']);
});

test('entryFor returns the next consumer itself when no other receiver declares a metric of this one', () => {
  const claims = new SeriesClaims(createLogCollector);
  claims.update([routed('a', ['cpu']), routed('b', ['memory'])]);
  const next = createTableCollector();
  assert.equal(claims.entryFor('a', next), next);
});

test('SeriesClaims lets each histogram have one publisher', () => {
  const log = createLogCollector();
  const receivers = [routed('otlp', []), routed('otlp/second', [])];
  const claims = new SeriesClaims(() => log);
  claims.update(receivers);
  const next = createTableCollector();
  const [first, second] = receivers.map(({ id }) => claims.entryFor(id, next));
  const [own, same, other] = [histogramOf(), histogramOf(), histogramOf({ attributes: { route: '/' } })];
  first.consumeHistograms?.(histogramTable([[own, 1_000, rowOf([1, 0, 0])]]));
  const both = histogramTable([
    [same, 1_001, rowOf([5, 0, 0])],
    [other, 1_001, rowOf([7, 0, 0])],
  ]);
  second.consumeHistograms?.(both);
  assert.deepEqual(
    next.histograms.flatMap(({ counts }) => Array.from(counts)),
    [1, 7],
  );
  assert.match(log.lines.join(), /receiver "otlp\/second" that receiver "otlp" publishes/u);
});
