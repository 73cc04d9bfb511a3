import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import { checkTables } from './check-tables.js';
import { createPublishers } from './one-publisher.fixture.js';
import { setPublisher, type MetricKind, type Series } from './series.js';
import { rowAt, seriesOf as anySeriesOf } from './series.fixture.js';
import { createEnding, type Table } from './table.js';

/** A series of a receiver, with equal but separate metric, resource and attributes each time. */
function seriesOf(
  publisher: string | undefined,
  name = 'a',
  kind: MetricKind = 'counter',
  start = 0n,
): Series {
  const series = anySeriesOf(kind, { name }, start);
  if (publisher !== undefined) setPublisher(series, publisher);
  return series;
}

test('apply returns the table itself, when no other receiver publishes its series', () => {
  const { publishers, conflicts } = createPublishers();
  const table = rowAt([seriesOf('host', 'a'), seriesOf(undefined, 'a')], 0, [1, 2]);
  assert.equal(publishers.apply(table), table);
  assert.equal(publishers.apply(table), table);
  assert.deepEqual(conflicts, []);
});

test('apply leaves out what another receiver published first, and nothing else', () => {
  const { publishers, conflicts, valuesOf } = createPublishers();
  publishers.apply(rowAt([seriesOf('host', 'b')], 0, [7]));
  const series = [seriesOf('host/slow', 'a'), seriesOf('host/slow', 'b'), seriesOf('host/slow', 'c')];
  assert.deepEqual(valuesOf(rowAt(series, 1, [1, 2, 3])), [1, 3]);
  assert.deepEqual(valuesOf(rowAt(series, 2, [4, 5, 6])), [4, 6]);
  assert.deepEqual(conflicts, ['b of host']);
  assert.equal(publishers.apply(rowAt([seriesOf('host/slow', 'b')], 3, [8])), undefined);
});

test('apply gives the same array each time, when columns are left out', () => {
  const { publishers } = createPublishers();
  publishers.apply(rowAt([seriesOf('host')], 0, [7]));
  const series = [seriesOf('other'), seriesOf('other', 'b')];
  const [one, two] = [1, 2].map((at) => publishers.apply(rowAt(series, at, [1, 2])));
  assert.deepEqual(one?.series, [series[1]]);
  assert.equal(one?.series, two?.series);
});

test('apply ends no series that was left out', () => {
  const { publishers } = createPublishers();
  const [own, other] = [seriesOf('host'), seriesOf('other')];
  publishers.apply(rowAt([own], 0, [7]));
  publishers.apply(rowAt([other], 1, [7]));
  assert.equal(publishers.apply(createEnding([other], 2n)), undefined);
  assert.deepEqual(publishers.apply(createEnding([own], 2n))?.ended, [own]);
});

test('apply lets the first publisher keep its series, when that is reset', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [old, again, other] = [seriesOf('host'), seriesOf('host', 'a', 'counter', 9n), seriesOf('other')];
  publishers.apply(rowAt([old], 0, [7]));
  publishers.apply(rowAt([other], 1, [7]));
  publishers.apply(createEnding([old], 2n));
  assert.deepEqual(valuesOf(rowAt([other], 3, [8])), []);
  clock.ms = 4999;
  assert.deepEqual(valuesOf(rowAt([again], 10, [1])), [1]);
  clock.ms = 1e6;
  assert.deepEqual(valuesOf(rowAt([other], 11, [9])), []);
});

test('apply lets the first publisher keep its series, when a table resets it', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [old, again, other] = [seriesOf('host'), seriesOf('host', 'a', 'counter', 9n), seriesOf('other')];
  publishers.apply(rowAt([old], 0, [7]));
  publishers.apply(rowAt([other], 1, [7]));
  assert.deepEqual(publishers.apply({ ...rowAt([again], 10, [1]), ended: [old] })?.ended, [old]);
  clock.ms = 1e6;
  assert.deepEqual(valuesOf(rowAt([other], 11, [9])), []);
  assert.deepEqual(valuesOf(rowAt([again], 12, [2])), [2]);
});

test('apply counts from 0 at its first row, when a counter takes the place of one that ended', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [own, other] = [seriesOf('host'), [seriesOf('other'), seriesOf('other', 'b')]];
  publishers.apply(rowAt([own], 0, [7]));
  assert.deepEqual(valuesOf(rowAt(other, 1, [100, 1])), [1]);
  publishers.apply(createEnding([own], 2n));
  clock.ms = 5000;
  const taken = publishers.apply(rowAt(other, 50, [103, 2]));
  assert.deepEqual([[...(taken?.values ?? [])], taken?.series[0].start], [[0, 2], 50n]);
  assert.deepEqual(valuesOf(rowAt(other, 60, [NaN, 3])), [NaN, 3]);
  const last = publishers.apply({ ...rowAt(other, 70, [105, 4]), ended: other });
  assert.deepEqual([...(last?.values ?? [])], [2, 4]);
  assert.deepEqual(last?.ended, taken?.series);
});

test('apply passes a gauge as it is, when it takes the place of one that ended', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [own, other] = [seriesOf('host', 'a', 'gauge'), [seriesOf('other', 'a', 'gauge')]];
  publishers.apply(rowAt([own], 0, [7]));
  assert.deepEqual(valuesOf(rowAt(other, 1, [8])), []);
  publishers.apply(createEnding([own], 2n));
  clock.ms = 5000;
  assert.deepEqual(valuesOf(rowAt(other, 3, [9])), [9]);
  assert.deepEqual(valuesOf(rowAt([seriesOf('host', 'a', 'gauge')], 4, [7])), []);
});

test('apply lets another receiver publish at once, when none waited for the series that ended', () => {
  const { publishers, valuesOf } = createPublishers();
  const own = seriesOf('host');
  publishers.apply(rowAt([own], 0, [7]));
  publishers.apply(createEnding([own], 2n));
  assert.deepEqual(valuesOf(rowAt([seriesOf('other')], 3, [8])), [8]);
});

test('release lets others publish what a receiver published that has stopped', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const other = [seriesOf('other', 'a', 'updowncounter')];
  publishers.apply(rowAt([seriesOf('host', 'a', 'updowncounter')], 0, [7]));
  assert.deepEqual(valuesOf(rowAt(other, 1, [8])), []);
  publishers.release('host');
  clock.ms = 5000;
  assert.deepEqual(valuesOf(rowAt(other, 2, [9])), [9]);
});

test('apply lets the next publisher wait for 5 s, and no longer', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [own, other] = [seriesOf('host', 'a', 'gauge'), seriesOf('other', 'a', 'gauge')];
  publishers.apply(rowAt([own], 0, [7]));
  publishers.apply(rowAt([other], 1, [8]));
  clock.ms = 100;
  publishers.apply(createEnding([own], 2n));
  clock.ms = 5099;
  assert.deepEqual(valuesOf(rowAt([other], 3, [9])), []);
  clock.ms = 5100;
  assert.deepEqual(valuesOf(rowAt([other], 4, [9])), [9]);
});

test('apply keeps a series for its publisher, while that has another live one of the same key', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [old, again, other] = [seriesOf('host'), seriesOf('host', 'a', 'counter', 9n), seriesOf('other')];
  publishers.apply(rowAt([old], 0, [7]));
  publishers.apply(rowAt([other], 1, [7]));
  publishers.apply(rowAt([again], 10, [1]));
  publishers.apply(createEnding([old], 11n));
  clock.ms = 1e6;
  assert.deepEqual(valuesOf(rowAt([other], 12, [9])), []);
});

test('apply lets the next publisher have one series, when another that ended earlier was started again', () => {
  const { publishers, clock, valuesOf } = createPublishers();
  const [a, b] = ['a', 'b'].map((name) => seriesOf('host', name, 'gauge'));
  const others = ['a', 'b'].map((name) => seriesOf('other', name, 'gauge'));
  publishers.apply(rowAt([a, b], 0, [1, 2]));
  publishers.apply(rowAt(others, 1, [3, 4]));
  publishers.apply(createEnding([a, b], 2n));
  publishers.apply(rowAt([seriesOf('host', 'a', 'gauge')], 3, [5]));
  clock.ms = 5000;
  assert.deepEqual(valuesOf(rowAt(others, 4, [6, 7])), [7]);
});

test('apply leaves out a third receiver, when the second takes the place of the first', () => {
  const { publishers, clock, conflicts, valuesOf } = createPublishers();
  const [first, second, third] = ['first', 'second', 'third'].map((id) => seriesOf(id, 'a', 'gauge'));
  publishers.apply(rowAt([first, second, third], 0, [1, 2, 3]));
  publishers.apply(createEnding([first], 1n));
  clock.ms = 5000;
  assert.deepEqual(valuesOf(rowAt([second, third], 2, [4, 5])), [4]);
  assert.deepEqual(conflicts, ['a of first', 'a of first', 'a of second']);
});

test('apply passes on no end of a series that had no row since its place was free', () => {
  const { publishers, clock } = createPublishers();
  const [own, other] = [seriesOf('host'), seriesOf('other')];
  publishers.apply(rowAt([own], 0, [7]));
  publishers.apply(rowAt([other], 1, [7]));
  publishers.apply(createEnding([own], 2n));
  clock.ms = 5000;
  assert.equal(publishers.apply(createEnding([other], 3n)), undefined);
});

test('apply leaves the table as it was, when it counts a counter from 0 in several rows', () => {
  const { publishers, clock } = createPublishers();
  const [own, other] = [seriesOf('host'), seriesOf('other')];
  publishers.apply(rowAt([own], 0, [7]));
  publishers.apply(rowAt([other], 1, [90]));
  publishers.apply(createEnding([own], 2n));
  clock.ms = 5000;
  const values = Float64Array.of(NaN, 100, 103);
  const table = { series: [other], epoch: 50n, offsets: Float64Array.of(0, 1, 2), values };
  assert.deepEqual(publishers.apply(table)?.values, Float64Array.of(NaN, 0, 3));
  assert.deepEqual(table.values, Float64Array.of(NaN, 100, 103));
});

test('apply passes a counter of the next receiver under one series, in whatever array it comes', () => {
  const { publishers, clock } = createPublishers();
  const [first, next, other] = [seriesOf('host'), seriesOf('slow'), seriesOf('slow', 'b')];
  publishers.apply(rowAt([first], 0, [7]));
  publishers.apply(rowAt([next], 1, [100]));
  publishers.apply(createEnding([first], 2n));
  clock.ms = 5_000;
  const one = publishers.apply(rowAt([next], 3, [110]));
  const two = publishers.apply(rowAt([other, next], 4, [1, 115]));
  assert.equal(one?.series[0], two?.series[1]);
  assert.deepEqual(
    [one?.series[0]?.start, [...(one?.values ?? [])], [...(two?.values ?? [])]],
    [3n, [0], [1, 5]],
  );
  const ending = publishers.apply(createEnding([next], 5n));
  assert.deepEqual(ending?.ended, [one?.series[0]]);
});

/** What one of three receivers does with its counter, some milliseconds after the step before. */
const anyStep = fc.record({
  who: fc.nat(2),
  act: fc.constantFrom('count', 'count', 'count', 'reset', 'end', 'stop'),
  more: fc.nat(100),
  ms: fc.constantFrom(0, 5000),
});

test('apply passes on one live series that never falls, whatever three receivers do', () => {
  holdsFor(fc.array(anyStep, { maxLength: 40 }), (steps) => {
    const { publishers, clock } = createPublishers();
    const live = new Map<number, { readonly series: Series; readonly count: number }>();
    const passed: Table[] = [];
    for (const [at, { who, act, more, ms }] of steps.entries()) {
      clock.ms += ms;
      const known = live.get(who);
      const isOver = act === 'end' || act === 'stop';
      const isNew = act === 'reset' || known === undefined;
      const series = isNew ? seriesOf(`receiver/${who}`, 'a', 'counter', BigInt(at)) : known.series;
      const count = isNew ? more : known.count + more;
      const ended = known && act !== 'count' ? [known.series] : [];
      const table = isOver ? createEnding(ended, BigInt(at)) : { ...rowAt([series], at, [count]), ended };
      const left = publishers.apply(table);
      if (left) passed.push(left);
      if (act === 'stop') publishers.release(`receiver/${who}`);
      if (isOver) live.delete(who);
      else live.set(who, { series, count });
    }
    checkTables(passed);
  });
});
