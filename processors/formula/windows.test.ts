import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEnding } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { createSeries, epoch, unixNs } from '../../src/windows/windows.fixture.js';
import { create } from './formula.fixture.js';

test('formula keeps what a process used that was started and died in a window, and ends with the last one', () => {
  const [old, brief] = [
    createSeries('e', { resource: { pid: 1 } }),
    createSeries('e', { resource: { pid: 2 }, startS: 1.2 }),
  ];
  const { feed, consume, points, out } = create([
    { name: 'all', expression: 'e', inputs: [{ name: 'e', metric: 'e' }] },
    { name: 'each', expression: 'e', group_by: ['pid'], inputs: [{ name: 'e', metric: 'e' }] },
  ]);
  feed(0, [old], [0]);
  feed(1, [old], [1]);
  feed(1.7, [old, brief], [1.7, 5]);
  consume(createEnding([brief], unixNs(1.7)));
  feed(2, [old], [2]);
  feed(3, [old], [3]);
  assert.deepEqual(points('all'), [
    [1, 1],
    [2, 6],
    [3, 1],
  ]);
  assert.deepEqual(points('each'), [
    [1, 1, 1],
    [2, 1, 1],
    [2, 5, 2],
    [3, 1, 1],
  ]);
  const ended = out.tables
    .flatMap(({ ended: gone = [] }) => gone)
    .filter(({ metric }) => metric.name === 'each');
  assert.deepEqual(
    ended.map(({ resource }) => resource.attributes['pid']),
    [2],
  );
});

test('formula waits for a slow input, and gives it up after max_lag', () => {
  const [fast, slow] = [createSeries('a'), createSeries('b')];
  const { feed, points } = create(
    [
      {
        name: 'x',
        expression: 'a + b',
        inputs: [
          { name: 'a', metric: 'a' },
          { name: 'b', metric: 'b' },
        ],
      },
    ],
    { max_lag: '4s' },
  );
  feed(0, [slow], [0]);
  for (const s of [0, 1, 2, 3]) feed(s, [fast], [s]);
  assert.deepEqual(points('x'), []);
  feed(3, [slow], [30]);
  assert.deepEqual(points('x'), [
    [1, 11],
    [2, 11],
    [3, 11],
  ]);
  for (const s of [4, 5, 6, 7, 8]) feed(s, [fast], [s]);
  assert.deepEqual(points('x').at(-1), [4, NaN]);
});

test('formula spans gaps, and leaves the windows of a gauge out that are not known', () => {
  const series = [createSeries('c'), createSeries('g', { kind: 'gauge', startS: -5 })];
  const { feed, points } = create([
    { name: 'x', expression: 'c', inputs: [{ name: 'c', metric: 'c' }] },
    { name: 'y', expression: 'g', inputs: [{ name: 'g', metric: 'g' }] },
  ]);
  feed(0.5, series, [5, 100]);
  feed(1.5, series, [NaN, NaN]);
  feed(2.5, series, [25, 300]);
  feed(3.5, series, [35, 300]);
  assert.deepEqual(points('x'), [
    [1, 10],
    [2, 10],
    [3, 10],
  ]);
  assert.deepEqual(points('y'), [
    [1, NaN],
    [2, 200],
    [3, 287.5],
  ]);
});

test('formula gives a row for each window of a table with many rows', () => {
  const series = [createSeries('c')];
  const { consume, points, out } = create(
    [{ name: 'x', expression: 'c', inputs: [{ name: 'c', metric: 'c' }] }],
    {
      window: '10ms',
    },
  );
  const offsets = Float64Array.from({ length: 10_001 }, (_, i) => i * 1e5);
  consume({ series, epoch, offsets, values: Float64Array.from(offsets, (offset) => offset / 1e9) });
  assert.equal(points('x').length, 100);
  assert.ok(points('x').every(([, value]) => value === 0.01));
  assert.equal(out.tables.length, 2);
});

test('the windows of a counter add up to all that it counted, however it is read and cut into tables', () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 900 }), fc.nat(50), fc.boolean());
  holdsFor(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
    const { feed, points } = create(
      [{ name: 'x', kind: 'counter', expression: 'c', inputs: [{ name: 'c', metric: 'c' }] }],
      {
        window: '250ms',
      },
    );
    const series = [createSeries('c')];
    let [ms, count] = [0, 0];
    const known: (readonly [number, number])[] = [[0, 0]];
    feed(0, series, [0]);
    for (const [wait, growth, isRead] of steps) {
      ms += wait;
      count += growth;
      feed(ms / 1000, series, [isRead ? count : NaN]);
      if (isRead) known.push([ms, count]);
    }
    for (const [seconds, value] of points('x') as unknown as (readonly [number, number])[]) {
      const next = known.findIndex(([at]) => at >= seconds * 1000);
      const [at, to] = known[next] ?? [NaN, NaN];
      const [before, from] = known[next - 1] ?? [0, 0];
      const expected = at === before ? to : from + ((to - from) * (seconds * 1000 - before)) / (at - before);
      assert.ok(Math.abs(value - expected) < 1e-5, `${value}, expected ${expected} at ${seconds} s`);
    }
    assert.equal(points('x').length, Math.floor((known.at(-1)?.[0] ?? 0) / 250));
  });
});
