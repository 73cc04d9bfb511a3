import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import { checkTables, sumLastValues } from './check-tables.js';
import { SeriesMap } from './map-series.js';
import { publisherOf, setPublisher, type Series } from './series.js';
import { rowAt, seriesOf } from './series.fixture.js';
import { createEnding, type Table } from './table.js';

/** A map that drops the attribute "pid", and the conflicts that it told of. */
function createDropPid() {
  const conflicts: Series[] = [];
  const seriesMap = new SeriesMap({
    map(series) {
      const { pid, ...attributes } = series.attributes;
      return pid === undefined ? series : { ...series, attributes };
    },
    onConflict: (series) => conflicts.push(series),
  });
  const apply = (table: Table) => {
    const mapped = seriesMap.apply(table);
    assert.ok(mapped);
    return mapped;
  };
  return { seriesMap, apply, conflicts };
}

test('apply passes on the table itself, when no series changes', () => {
  const { seriesMap } = createDropPid();
  const table = rowAt([seriesOf('counter', { name: 'a' })], 0, [1]);
  assert.equal(seriesMap.apply(table), table);
});

test('apply keeps the values and gives the same new array each time, when series only change their names', () => {
  const { apply } = createDropPid();
  const series = [seriesOf('counter', { pid: 1, name: 'a' }), seriesOf('counter', { pid: 2, name: 'b' })];
  const first = rowAt(series, 0, [1, 2]);
  const one = apply(first);
  const other = apply(rowAt(series, 1, [3, 4]));
  assert.deepEqual(
    one.series.map(({ attributes }) => attributes),
    [{ name: 'a' }, { name: 'b' }],
  );
  assert.equal(one.values, first.values);
  assert.equal(one.series, other.series);
  assert.equal(one.offsets, first.offsets);
});

test('apply gives a series the same new one, when it comes in another array', () => {
  const { apply } = createDropPid();
  const series = seriesOf('counter', { pid: 1 });
  const one = apply(rowAt([series], 0, [1]));
  const other = apply(rowAt([seriesOf('counter', { name: 'b' }), series], 1, [2, 3]));
  assert.equal(one.series[0], other.series[1]);
});

test('apply sums counters row by row, when they become the same', () => {
  const { apply } = createDropPid();
  const table: Table = {
    series: [
      seriesOf('counter', { pid: 1 }),
      seriesOf('counter', { name: 'b' }),
      seriesOf('counter', { pid: 2 }),
    ],
    epoch: 0n,
    offsets: Float64Array.of(0, 1, 2),
    values: Float64Array.of(0, 10, 0, 1, 11, 2, 3, 12, 5),
  };
  const mapped = apply(table);
  assert.deepEqual(
    mapped.series.map(({ attributes }) => attributes),
    [{}, { name: 'b' }],
  );
  assert.deepEqual([...mapped.values], [0, 10, 3, 11, 8, 12]);
});

test('apply starts a sum at its oldest member, when they come together', () => {
  const { apply } = createDropPid();
  const series = [seriesOf('counter', { pid: 1 }, 50n), seriesOf('counter', { pid: 2 }, 20n)];
  const mapped = apply(rowAt(series, 100, [1, 2]));
  assert.equal(mapped.series[0].start, 20n);
  assert.deepEqual([...mapped.values], [3]);
});

test('apply continues the same series as a sum, when a counter joins a live one', () => {
  const { apply } = createDropPid();
  const [old, young] = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 }, 10n)];
  const before = apply(rowAt([old], 10, [5]));
  const after = apply(rowAt([old, young], 20, [6, 0.5]));
  assert.equal(after.series[0], before.series[0]);
  assert.deepEqual([...after.values], [6.5]);
});

test('apply counts from its first reading, when a counter older than the sum joins', () => {
  const { apply } = createDropPid();
  const [old, young] = [seriesOf('counter', { pid: 1 }, 5n), seriesOf('counter', { pid: 2 }, 10n)];
  apply(rowAt([young], 20, [1]));
  assert.deepEqual([...apply(rowAt([young, old], 30, [2, 100])).values], [2]);
  assert.deepEqual([...apply(rowAt([young, old], 40, [3, 104])).values], [7]);
});

test('apply keeps what an ended counter counted, so that the sum does not fall', () => {
  const { apply, seriesMap } = createDropPid();
  const [one, two] = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  apply(rowAt([one, two], 10, [5, 7]));
  assert.equal(seriesMap.apply(createEnding([one], 11n)), undefined);
  assert.deepEqual([...apply(rowAt([two], 20, [8])).values], [13]);
});

test('apply lets no sum fall by the rounding of another order, when a member ends', () => {
  const { apply } = createDropPid();
  const series = [1, 2, 3].map((pid) => seriesOf('counter', { pid }));
  assert.deepEqual([...apply(rowAt(series, 10, [0.1, 0.2, 0.6])).values], [0.9]);
  apply({ ...rowAt(series.slice(0, 2), 12, [0.1, 0.2]), ended: [series[2]] });
  assert.deepEqual([...apply(rowAt(series.slice(0, 2), 20, [0.1, 0.2])).values], [0.9]);
});

test('apply goes on counting from the first reading of an older counter, when it is left alone', () => {
  const { apply } = createDropPid();
  const [old, young] = [seriesOf('counter', { pid: 1 }, 5n), seriesOf('counter', { pid: 2 }, 10n)];
  apply(rowAt([young], 20, [0]));
  apply(rowAt([young, old], 30, [0, 100]));
  apply({ ...rowAt([old], 40, [103]), ended: [young] });
  assert.deepEqual([...apply(rowAt([old], 50, [104])).values], [4]);
});

test('apply takes the last row of a series into the sum, when it ends in the same table', () => {
  const { apply } = createDropPid();
  const [one, two] = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  apply(rowAt([one, two], 10, [5, 7]));
  const last = apply({ ...rowAt([one, two], 20, [6, 7]), ended: [one] });
  assert.deepEqual([[...last.values], last.ended], [[13], undefined]);
  assert.deepEqual([...apply(rowAt([two], 30, [8])).values], [14]);
});

test('apply ends the new series, when the last of its members ended', () => {
  const { apply } = createDropPid();
  const series = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  const mapped = apply(rowAt(series, 10, [5, 7]));
  const ending = apply(createEnding(series, 11n));
  assert.deepEqual(ending.ended, mapped.series);
  assert.deepEqual(ending.series, []);
});

test('apply begins another new series, when a counter starts again in the table that ends the old one', () => {
  const { apply } = createDropPid();
  const [old, again] = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 1 }, 15n)];
  const before = apply(rowAt([old], 10, [5]));
  const after = apply({ ...rowAt([again], 20, [1]), ended: [old] });
  assert.deepEqual(after.ended, before.series);
  assert.equal(after.series[0].start, 15n);
  assert.deepEqual([...after.values], [1]);
});

test('apply lets an ended up-down counter leave the sum', () => {
  const { apply } = createDropPid();
  const [one, two] = [seriesOf('updowncounter', { pid: 1 }), seriesOf('updowncounter', { pid: 2 })];
  assert.deepEqual([...apply(rowAt([one, two], 10, [5, 7])).values], [12]);
  apply({ ...rowAt([two], 20, [7]), ended: [one] });
  assert.deepEqual([...apply(rowAt([two], 30, [6])).values], [6]);
});

test('apply keeps the first gauge and reports the other, when gauges become the same', () => {
  const { apply, conflicts } = createDropPid();
  const [one, two] = [seriesOf('gauge', { pid: 1 }), seriesOf('gauge', { pid: 2 })];
  assert.deepEqual([...apply(rowAt([one, two], 10, [5, 7])).values], [5]);
  assert.equal(conflicts.length, 1);
  apply({ ...rowAt([two], 20, [8]), ended: [one] });
  assert.deepEqual([...apply(rowAt([two], 30, [9])).values], [9]);
});

test('apply passes on nothing, when the only gauge of a table is left out', () => {
  const { apply, seriesMap } = createDropPid();
  apply(rowAt([seriesOf('gauge', { pid: 1 })], 10, [5]));
  assert.equal(seriesMap.apply(rowAt([seriesOf('gauge', { pid: 2 })], 10, [5])), undefined);
});

test('apply sums the last readings, when members come in different tables', () => {
  const { apply } = createDropPid();
  const [one, two] = [[seriesOf('counter', { pid: 1 })], [seriesOf('counter', { pid: 2 })]];
  apply(rowAt(one, 10, [5]));
  assert.deepEqual([...apply(rowAt(two, 10, [7])).values], [12]);
  assert.deepEqual([...apply(rowAt(one, 20, [6])).values], [13]);
  assert.deepEqual([...apply(rowAt(two, 15, [9])).values], [NaN], 'older than a row passed on already');
  assert.deepEqual([...apply(rowAt(one, 30, [6])).values], [15]);
});

test('apply leaves a gap in a sum, when no member has a reading, and sums the last ones, when one has', () => {
  const { apply } = createDropPid();
  const series = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  apply(rowAt(series, 10, [5, 7]));
  assert.deepEqual([...apply(rowAt(series, 20, [NaN, NaN])).values], [NaN]);
  assert.deepEqual([...apply(rowAt(series, 30, [NaN, 8])).values], [13]);
});

test('apply remembers the last reading before a gap, when a counter joins later', () => {
  const { apply } = createDropPid();
  const [one, two] = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  apply({
    series: [one],
    epoch: 0n,
    offsets: Float64Array.of(0, 1),
    values: Float64Array.of(5, NaN),
  });
  assert.deepEqual([...apply(rowAt([two], 20, [1])).values], [6]);
});

test('apply joins nothing that two receivers publish, and passes the publisher on', () => {
  const { apply, conflicts } = createDropPid();
  const series = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  const ids = ['host', 'container'];
  for (const [i, one] of series.entries()) setPublisher(one, ids[i]);
  const mapped = apply(rowAt(series, 10, [5, 7]));
  assert.deepEqual([mapped.series.map(publisherOf), [...mapped.values], conflicts], [ids, [5, 7], []]);
});

test('apply passes on no end of a series that it never passed on', () => {
  const { apply, seriesMap } = createDropPid();
  const unknown = seriesOf('counter', { pid: 1 });
  assert.equal(seriesMap.apply(createEnding([unknown], 1n)), undefined);
  const known = [seriesOf('counter', { name: 'a' })];
  assert.equal(apply({ ...rowAt(known, 2, [1]), ended: [unknown] }).ended, undefined);
});

test('apply ends a series under its new name, with its last row or after it', () => {
  const { apply } = createDropPid();
  const [one, two] = [seriesOf('counter', { pid: 1, name: 'a' }), seriesOf('counter', { pid: 2, name: 'b' })];
  const mapped = apply(rowAt([one, two], 10, [1, 2]));
  const last = apply({ ...rowAt([one], 20, [3]), ended: [one] });
  assert.deepEqual([last.ended, [...last.values]], [[mapped.series[0]], [3]]);
  assert.deepEqual(apply(createEnding([two], 30n)).ended, [mapped.series[1]]);
});

test('apply gives the same array as before, when series join elsewhere', () => {
  const { apply } = createDropPid();
  const series = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  const before = apply(rowAt(series, 10, [1, 2]));
  const others = [3, 4].map((pid) => seriesOf('counter', { pid, name: 'b' }));
  assert.deepEqual([...apply(rowAt(others, 11, [3, 4])).values], [7]);
  assert.equal(apply(rowAt(series, 20, [5, 6])).series, before.series);
});

test('apply reports a gauge that is left out once, not with each table', () => {
  const { apply, conflicts } = createDropPid();
  const series = [1, 2, 3].map((pid) => seriesOf('gauge', { pid }));
  for (const at of [10, 20, 30]) assert.deepEqual([...apply(rowAt(series, at, [at, 1, 2])).values], [at]);
  assert.deepEqual(
    conflicts.map(({ attributes }) => attributes),
    [{}, {}],
  );
});

/** By how much each of five processes counted until a row; undefined: it does not run. */
const anyRow = fc.array(fc.option(fc.nat(1000), { nil: undefined }), { minLength: 5, maxLength: 5 });

test('apply loses and adds nothing to counters, whichever processes begin and end', () => {
  holdsFor(fc.array(anyRow, { maxLength: 20 }), (rows) => {
    const { seriesMap } = createDropPid();
    const live = new Map<number, { readonly series: Series; count: number }>();
    const passed: Table[] = [];
    let total = 0;
    for (const [at, counts] of rows.entries()) {
      const ended: Series[] = [];
      for (const [pid, more] of counts.entries()) {
        const known = live.get(pid);
        if (more === undefined) {
          live.delete(pid);
          if (known) ended.push(known.series);
          continue;
        }
        const one = known ?? {
          series: seriesOf('counter', { pid, name: pid % 2 === 0 ? 'even' : 'odd' }, BigInt(at)),
          count: 0,
        };
        live.set(pid, one);
        one.count += more;
        total += more;
      }
      const running = [...live.values()];
      const values = running.map(({ count }) => count);
      const series = running.map((one) => one.series);
      const mapped = seriesMap.apply({ ...rowAt(series, at, values), ended });
      if (mapped) passed.push(mapped);
    }
    checkTables(passed);
    assert.equal(sumLastValues(passed, 'test.counter'), total);
  });
});
