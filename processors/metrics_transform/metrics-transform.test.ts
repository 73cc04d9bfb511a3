import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEnding, createRow } from '../../src/model/table.js';
import { createRig, metricOf, packageOf, power, seriesOf, sumPackages } from './rig.fixture.js';

test('metrics_transform forwards a table itself if no transform applies to it', () => {
  const { processor, next } = createRig({ transforms: [sumPackages] });
  const series = [seriesOf(power)];
  const table = { ...createRow(series, 1n, Float64Array.of(7)), ended: series };
  assert.equal(processor.consume(table), true);
  assert.equal(next.tables[0], table);
});

test('metrics_transform converts values to a unit of the same kind, and reports impossible conversions', () => {
  const { feed, next, log } = createRig({
    transforms: [
      {
        include: 'hw.energy',
        action: 'insert',
        new_name: 'energy.mj',
        new_unit: 'mJ',
        new_description: 'In mJ',
      },
      { include: 'hw.energy', action: 'insert', new_name: 'energy.kwh', new_unit: 'kW.h' },
      { include: 'hw.energy', action: 'insert', new_name: 'energy.w', new_unit: 'W' },
      {
        include: 'hw.energy',
        action: 'insert',
        new_name: 'energy.cal',
        new_unit: 'cal',
        operations: [{ action: 'experimental_scale_value', experimental_scale: 0.25 }],
      },
    ],
  });
  feed([packageOf('package-0')], 1, [3_600_000]);
  const [{ series, values }] = next.tables;
  assert.deepEqual(
    series.map(({ metric }, i) => [
      metric.name,
      metric.unit,
      metric.description,
      Number(values[i].toPrecision(12)),
    ]),
    [
      ['hw.energy', 'J', 'As it came', 3_600_000],
      ['energy.mj', 'mJ', 'In mJ', 3_600_000_000],
      ['energy.kwh', 'kW.h', 'As it came', 1],
      ['energy.cal', 'cal', 'As it came', 900_000],
    ],
  );
  assert.deepEqual(log.lines, [
    'warn: Cannot convert "energy.w" to the unit "W": expected a unit of the same kind, found "J"; add "experimental_scale_value" with the factor',
  ]);
});

test('metrics_transform truncates values to integers, and uses doubles for values scaled by a fraction', () => {
  const bytes = metricOf('bytes', { unit: 'By', kind: 'counter', valueType: 'int' });
  const { feed, next } = createRig({
    transforms: [
      {
        include: 'hw.power',
        action: 'update',
        operations: [{ action: 'toggle_scalar_data_type' }],
      },
      { include: 'bytes', action: 'update', new_unit: 'KiBy' },
    ],
  });
  feed([seriesOf(power), seriesOf(bytes)], 1, [2.9, 1536]);
  const [{ series, values }] = next.tables;
  assert.deepEqual(
    series.map(({ metric }, i) => [metric.valueType, values[i]]),
    [
      ['int', 2],
      ['double', 1.5],
    ],
  );
});

test('metrics_transform never adds to a metric of another unit or kind', () => {
  const { feed, next, log } = createRig({
    transforms: [{ include: 'hw.energy', action: 'update', new_name: 'hw.power' }],
  });
  feed([seriesOf(power), packageOf('package-0')], 1, [7, 8]);
  assert.deepEqual(
    next.tables[0].series.map(({ metric }) => metric.name),
    ['hw.power', 'hw.energy'],
  );
  assert.deepEqual(log.lines, [
    'warn: Cannot add series to the metric "hw.power": expected a gauge in "W", found a counter in "J"; they are forwarded unchanged',
  ]);
});

test('metrics_transform names the unnamed groups of a regular expression like the Collector', () => {
  const { feed, readings } = createRig({
    transforms: [
      {
        include: '^(a|b)\\.(?P<kind>\\w+)\\.(?:x|y)$',
        match_type: 'regexp',
        action: 'combine',
        new_name: 'both',
        submatch_case: 'upper',
      },
      { include: '^bo(th)$', match_type: 'regexp', action: 'insert', new_name: '$1-${1}s-$$' },
    ],
  });
  feed(
    ['a.one.x', 'b.two.y'].map((name) => seriesOf(metricOf(name))),
    1,
    [1, 2],
  );
  assert.deepEqual(
    readings('both').map(({ attributes }) => attributes),
    [
      { $1: 'A', kind: 'ONE' },
      { $1: 'B', kind: 'TWO' },
    ],
  );
  assert.equal(readings('th-ths-$').length, 2);
});

test('metrics_transform ends every copy of a series with it', () => {
  const { feed, processor, next } = createRig({
    transforms: [{ include: 'hw.power', action: 'insert', new_name: 'copy' }],
  });
  const series = [seriesOf(power)];
  feed(series, 1, [3]);
  processor.consume(createEnding(series, 2n));
  assert.deepEqual(next.tables[1].ended, next.tables[0].series);
});

test('metrics_transform converts both parts of a ratio', () => {
  const rate = seriesOf(metricOf('rate', { unit: 'kBy/s' }));
  const { feed, next } = createRig({
    transforms: [{ include: 'rate', action: 'update', new_unit: 'By/min' }],
  });
  feed([rate], 1, [2]);
  assert.deepEqual([...next.tables[0].values], [120_000]);
});

test('metrics_transform gives series of one resource the same new resource with "group"', () => {
  const { feed, next } = createRig({
    transforms: [{ include: 'hw.power', action: 'group', group_resource_labels: { rack: 'r1' } }],
  });
  feed([seriesOf(power, { id: 1 }), seriesOf(power, { id: 2 })], 1, [2, 3]);
  const [one, other] = next.tables[0].series;
  assert.deepEqual(one.resource.attributes, { 'host.name': 'node-1', rack: 'r1' });
  assert.equal(one.resource, other.resource);
});
