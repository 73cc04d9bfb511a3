import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { MetricKind, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { factory } from './factory.js';

function seriesOf(name: string, kind: MetricKind = 'counter'): Series {
  const metric = { name, unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes: {}, start: 1n };
}

const hwEnergy = seriesOf('hw.energy');
const all = [
  hwEnergy,
  seriesOf('rapl.energy'),
  seriesOf('level', 'updowncounter'),
  seriesOf('power', 'gauge'),
];

function mapAll(settings: object, series: readonly Series[] = all): readonly Series[] {
  const out = createTableCollector();
  const clock = { ...createFakeContext().clock, wallNs: () => 7n };
  const processor = factory.create(
    parseSettings(factory.schema, settings),
    createFakeContext({ clock }),
    out,
  );
  const table = createRow(series, 2n, Float64Array.from(series.keys()));
  processor.consume(table);
  assert.deepEqual(out.tables[0]?.values, table.values);
  return out.tables[0]?.series ?? [];
}

function chosenBy(settings: object): readonly string[] {
  return mapAll(settings).flatMap(({ metric }) => (metric.delta ? [metric.name] : []));
}

test('cumulative_to_delta marks all counters, and leaves the values as they are', () => {
  assert.deepEqual(chosenBy({}), ['hw.energy', 'rapl.energy']);
  const [one, other] = mapAll({}, [hwEnergy, { ...hwEnergy, attributes: { 'hw.id': 'b' } }]);
  assert.equal(one?.metric, other?.metric, 'one object');
  assert.deepEqual(mapAll({ initial_value: 'keep' })[0]?.metric.delta, { initial: 'keep', since: 7n });
});

test('cumulative_to_delta takes the examples of its page in the Collector', () => {
  const strict = { metrics: ['hw.energy', 'metric_2'], match_type: 'strict' };
  assert.deepEqual(chosenBy({ include: strict }), ['hw.energy']);
  assert.deepEqual(chosenBy({ include: { metrics: ['r.*l'], match_type: 'regexp' } }), ['rapl.energy']);
  assert.deepEqual(chosenBy({ include: { metrics: ['(?i)^HW'], match_type: 'regexp' } }), ['hw.energy']);
  assert.deepEqual(chosenBy({ include: { metric_types: ['sum'] } }), ['hw.energy', 'rapl.energy']);
  assert.deepEqual(chosenBy({ exclude: { metrics: ['energy'], match_type: 'regexp' } }), []);
  assert.deepEqual(
    chosenBy({
      include: { metrics: ['.*energy.*'], match_type: 'regexp' },
      exclude: { metrics: ['hw.energy'], match_type: 'strict' },
    }),
    ['rapl.energy'],
  );
});

function check(settings: object): readonly string[] {
  return factory.check?.(parseSettings(factory.schema, settings)) ?? [];
}

test('cumulative_to_delta refuses histograms, and names without a way to match them', () => {
  assert.deepEqual(check({ include: { metrics: ['a'], match_type: 'strict' } }), []);
  assert.deepEqual(check({ include: { metric_types: ['sum', 'histogram', 'sums'] } }), [
    'include.metric_types: expected sum, found "histogram"; histograms are always cumulative here',
    'include.metric_types: expected sum, found "sums"',
  ]);
  assert.deepEqual(check({ include: { metrics: ['a'] }, exclude: {} }), [
    'include.match_type: expected strict or regexp, found none',
    'exclude: expected metrics or metric_types, found neither',
  ]);
  assert.match(
    check({ exclude: { metrics: ['('], match_type: 'regexp' } }).join(),
    /^exclude.metrics: expected a regular expression, found "\("/u,
  );
});
