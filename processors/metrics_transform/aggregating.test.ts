import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import type { Series } from '../../src/model/series.js';
import { createEnding } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { createRig, metricOf, packageOf, power, seriesOf, sumPackages } from './rig.fixture.js';

test('metrics_transform sums counters across starts, resets and gaps, and never lets the sum fall', () => {
  const { feed, readings } = createRig({ transforms: [sumPackages] });
  const [one, other] = [packageOf('package-0'), packageOf('package-1')];
  feed([one, other], 10, [100, 50]);
  feed([one, other], 20, [110, NaN]);
  // package-0 is reset: its earlier count is kept, and the new count is added.
  const again = packageOf('package-0', 25n);
  feed([again, other], 30, [4, 60], [one]);
  // It started before the sum, and is seen from now on: its first reading adds nothing.
  const older = packageOf('package-2', -5n);
  feed([again, other, older], 40, [5, 60, 1000]);
  feed([again, other, older], 50, [5, 61, 1003]);
  assert.deepEqual(
    readings('hw.energy').map(({ at, value }) => [at, value]),
    [
      [10, 150],
      [20, 160],
      [30, 174],
      [40, 175],
      [50, 179],
    ],
  );
});

test('metrics_transform ends the sum with its last member', () => {
  const { feed, processor, next } = createRig({ transforms: [sumPackages] });
  const [one, other] = [packageOf('package-0'), packageOf('package-1')];
  feed([one, other], 10, [1, 2]);
  processor.consume(createEnding([one], 11n));
  feed([other], 12, [5]);
  processor.consume(createEnding([other], 13n));
  const [sum] = next.tables[0].series;
  assert.deepEqual(
    next.tables.map(({ values, ended }) => [[...values], ended ?? []]),
    [
      [[3], []],
      [[6], []],
      [[], [sum]],
    ],
  );
});

test('metrics_transform sums random counters by adding their growth', () => {
  const anyStep = fc.record({
    which: fc.nat(3),
    more: fc.nat(1000),
    isGap: fc.boolean(),
    isReset: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  holdsFor(fc.array(anyStep, { minLength: 1, maxLength: 40 }), (steps) => {
    const { feed, readings, next } = createRig({ transforms: [sumPackages] });
    const members = [0, 1, 2, 3].map((i) => ({ series: packageOf(`package-${i}`), counted: 0, seen: 0 }));
    let expected = 0;
    for (const [i, { which, more, isGap, isReset }] of steps.entries()) {
      const at = 10 * (i + 1);
      const member = members[which];
      const ended: Series[] = [];
      if (isReset) {
        ended.push(member.series);
        member.series = packageOf(`package-${which}`, BigInt(at - 1));
        member.counted = 0;
        member.seen = 0;
      }
      member.counted += more;
      const isRead = (each: (typeof members)[number]) => !(isGap && each === member);
      for (const each of members.filter(isRead)) {
        expected += each.counted - each.seen;
        each.seen = each.counted;
      }
      const values = members.map((each) => (isRead(each) ? each.counted : NaN));
      feed(
        members.map(({ series }) => series),
        at,
        values,
        ended,
      );
    }
    assert.equal(readings('hw.energy').at(-1)?.value, expected);
    checkTables(next.tables);
  });
});

test('metrics_transform reduces gauges row by row, even if they arrive in different tables', () => {
  const domains = ['cpu', 'cpu', 'memory'].map((type, i) => seriesOf(power, { type, id: i }));
  for (const [aggregation, expected] of [
    ['sum', [30, 70, 33]],
    ['mean', [15, 35, 16.5]],
    ['min', [10, 30, 3]],
    ['max', [20, 40, 30]],
  ] as const) {
    const operations = [{ action: 'aggregate_labels', label_set: ['type'], aggregation_type: aggregation }];
    const { processor, feed, readings } = createRig({
      transforms: [{ include: 'hw.power', action: 'update', operations }],
    });
    const offsets = Float64Array.of(0, 10);
    processor.consume({ series: domains, epoch: 0n, offsets, values: Float64Array.of(10, 20, 5, 30, 40, 6) });
    feed(domains.slice(1, 2), 20, [3]);
    const ofCpu = readings('hw.power').filter(({ attributes }) => attributes['type'] === 'cpu');
    assert.deepEqual(
      ofCpu.map(({ value }) => value),
      expected,
      aggregation,
    );
  }
});

function aggregateLabels(labels: readonly string[], type: string) {
  return { action: 'aggregate_labels', label_set: labels, aggregation_type: type };
}

test('metrics_transform computes the maximum of sums when a second transform aggregates the result of the first one', () => {
  const { feed, readings } = createRig({
    transforms: [
      { include: 'hw.power', action: 'update', operations: [aggregateLabels(['node'], 'sum')] },
      {
        include: 'hw.power',
        action: 'insert',
        new_name: 'hw.power.max',
        operations: [aggregateLabels([], 'max')],
      },
      { include: 'hw.power.max', action: 'update', new_unit: 'mW' },
    ],
  });
  // An empty list keeps no label.
  const series = ['a', 'a', 'b'].map((node, i) => seriesOf(power, { node, socket: i }));
  feed(series, 1, [3, 4, 5]);
  assert.deepEqual(
    readings('hw.power').map(({ attributes, value }) => [attributes['node'], value]),
    [
      ['a', 7],
      ['b', 5],
    ],
  );
  assert.deepEqual(
    readings('hw.power.max').map(({ attributes, value }) => [attributes, value]),
    [[{}, 7000]],
  );
});

test('metrics_transform sums maxima when a second transform sums the result of the first one', () => {
  const { feed, readings } = createRig({
    transforms: [
      { include: 'hw.power', action: 'update', operations: [aggregateLabels(['node'], 'max')] },
      { include: 'hw.power', action: 'update', operations: [aggregateLabels([], 'sum')] },
    ],
  });
  const series = ['a', 'a', 'b'].map((node, i) => seriesOf(power, { node, socket: i }));
  feed(series, 1, [3, 4, 5]);
  assert.deepEqual(
    readings('hw.power').map(({ attributes, value }) => [attributes, value]),
    [[{}, 9]],
  );
});

test('metrics_transform leaves a counter unchanged if the aggregation is not a sum', () => {
  const operations = [{ action: 'aggregate_labels', label_set: [], aggregation_type: 'mean' }];
  const { feed, readings, log } = createRig({
    transforms: [{ include: 'hw.energy', action: 'update', operations }],
  });
  feed([packageOf('package-0'), packageOf('package-1')], 1, [1, 2]);
  assert.equal(readings('hw.energy').length, 2);
  assert.deepEqual(log.lines, [
    'warn: Cannot aggregate the counter "hw.energy" by mean: expected "sum", as counts have no other that means something, found "mean"; its series are forwarded unchanged',
  ]);
});

test('metrics_transform uses doubles for the mean of integers', () => {
  const count = metricOf('count', { valueType: 'int' });
  const operations = [{ action: 'aggregate_labels', label_set: [], aggregation_type: 'mean' }];
  const { feed, next } = createRig({ transforms: [{ include: 'count', action: 'update', operations }] });
  feed(
    [1, 2].map((id) => seriesOf(count, { id })),
    1,
    [1, 2],
  );
  const [{ series, values }] = next.tables;
  assert.deepEqual([series[0].metric.valueType, ...values], ['double', 1.5]);
});
