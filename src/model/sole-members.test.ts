import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeriesMap } from './map-series.js';
import type { Series } from './series.js';
import { rowAt, seriesOf } from './series.fixture.js';
import { maxSoleMembers, SoleMembers } from './sole-members.js';
import { createEnding, type Table } from './table.js';

/** A map that drops the attribute "pid". */
function createDropPid(isKept?: (mapped: Series) => boolean) {
  const seriesMap = new SeriesMap({
    map(series) {
      const { pid, ...attributes } = series.attributes;
      return pid === undefined ? series : { ...series, attributes };
    },
    onConflict() {},
    ...(isKept && { isKept }),
  });
  return (table: Table) => {
    const mapped = seriesMap.apply(table);
    assert.ok(mapped);
    return mapped;
  };
}

test('SoleMembers takes over the reading of a series in another array, which is outdated then', () => {
  const [one, other] = [seriesOf('counter', { pid: 1 }), seriesOf('counter', { pid: 2 })];
  const mapped = seriesOf('counter', {});
  const before = new SoleMembers([other, one]);
  before.add(1, mapped);
  before.readings.values[1] = 7;
  before.readings.note({ at: 5, epoch: 5n, offset: 0 });
  const after = new SoleMembers([one]);
  after.adopt(0, one, before);
  assert.equal(after.mappedOf(one), mapped);
  assert.deepEqual([...after.readings.values], [7]);
  assert.equal(after.readings.time, 5n);
  assert.deepEqual([before.isOutdated, after.isOutdated], [true, false]);
});

test('apply remembers the reading of a sole series through several arrays, when another joins', () => {
  const apply = createDropPid();
  const series = ['a', 'b', 'c'].map((name, pid) => seriesOf('counter', { pid, name }));
  const [a, b, c] = series as [Series, Series, Series]; // three were made
  const [first] = apply(rowAt([a, b], 0, [1, 10])).series;
  assert.equal(apply(rowAt([b, a, c], 1, [20, 2, 100])).series[1], first);
  const arrays = [
    [a, b],
    [c, a],
  ];
  for (let at = 2; at < 8; at += 1) {
    const [row, column] = [arrays[at % 2] ?? [], at % 2];
    const mapped = apply(
      rowAt(
        row,
        at,
        row.map((one) => (one === a ? at : 50)),
      ),
    );
    assert.equal(mapped.series[column], first);
    assert.equal(mapped.values[column], at);
  }
  const joined = apply(rowAt([seriesOf('counter', { pid: 9, name: 'a' })], 8, [5]));
  assert.deepEqual([joined.series, [...joined.values]], [[first], [12]]);
});

test('apply sums series of an array with more columns than are searched', () => {
  const apply = createDropPid();
  const series = Array.from({ length: maxSoleMembers + 1 }, (_, name) =>
    seriesOf('counter', { pid: 0, name }),
  );
  const last = maxSoleMembers;
  const mapped = apply(
    rowAt(
      series,
      0,
      series.map((_, i) => i),
    ),
  );
  const joined = apply(rowAt([seriesOf('counter', { pid: 1, name: last })], 1, [3]));
  assert.deepEqual([joined.series, [...joined.values]], [[mapped.series[last]], [last + 3]]);
});

test('apply keeps what a sole series counted, if the mapping keeps it', () => {
  const apply = createDropPid(() => true);
  const ended = seriesOf('counter', { pid: 1 });
  apply(rowAt([ended], 0, [3]));
  apply({ ...createEnding([ended], 1n), ...rowAt([seriesOf('counter', { pid: 3, name: 'b' })], 1, [1]) });
  assert.deepEqual([...apply(rowAt([seriesOf('counter', { pid: 2 })], 2, [4])).values], [7]);
});

test('apply searches no array with more columns than that, neither for its first rows nor at the end', () => {
  const apply = createDropPid();
  const series = Array.from({ length: maxSoleMembers + 1 }, (_, name) =>
    seriesOf('counter', { pid: 0, name }),
  );
  series.indexOf = () => assert.fail('expected no search of a large array');
  const row = rowAt(
    series,
    0,
    series.map((_, i) => i),
  );
  const mapped = apply(row);
  assert.deepEqual(mapped.values, row.values);
  assert.deepEqual(apply(createEnding(series, 1n)).ended, mapped.series);
});
