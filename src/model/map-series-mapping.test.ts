import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeriesMap, type SeriesMapping } from './map-series.js';
import { rowAt, seriesOf } from './series.fixture.js';
import { createEnding, createRow, type Table } from './table.js';

/** A map that replaces the attribute "id" by the name that it has at present, and what it was asked. */
function createNaming(more: Partial<SeriesMapping> = {}) {
  const names = new Map<unknown, string>();
  const moves: (bigint | undefined)[] = [];
  const seriesMap = new SeriesMap({
    map(series, movedAt) {
      const { id, ...attributes } = series.attributes;
      const name = names.get(id) ?? 'none';
      moves.push(movedAt);
      return { ...series, attributes: { ...attributes, name }, start: movedAt ?? series.start };
    },
    onConflict: () => {},
    ...more,
  });
  const valuesOf = (table: Table) => [...(seriesMap.apply(table)?.values ?? [])];
  return { seriesMap, names, moves, valuesOf };
}

test('move ends what a counter was, and counts only later growth in what it becomes', () => {
  const { seriesMap, names, moves } = createNaming();
  const series = seriesOf('counter', { id: 1 });
  const table = createRow([series], 1_800_000_000_123_456_789n, Float64Array.of(7));
  const before = seriesMap.apply({ ...table, offsets: Float64Array.of(11) });
  names.set(1, 'web');
  assert.deepEqual(seriesMap.move([series]), before?.series);
  const at = 1_800_000_000_123_456_800n;
  assert.deepEqual(moves, [undefined, at]);
  const after = seriesMap.apply(createRow([series], at + 5n, Float64Array.of(10)));
  assert.deepEqual([...(after?.values ?? [])], [3]);
  assert.deepEqual([after?.series[0]?.attributes, after?.series[0]?.start], [{ name: 'web' }, at]);
});

test('move adds a counter to a live sum from its last reading on', () => {
  const { seriesMap, names, valuesOf } = createNaming();
  names.set(1, 'web');
  const [member, moved] = [seriesOf('counter', { id: 1 }), seriesOf('counter', { id: 2 })];
  assert.deepEqual(valuesOf(rowAt([member, moved], 1, [10, 100])), [10, 100]);
  names.set(2, 'web');
  assert.equal(seriesMap.move([moved]).length, 1);
  assert.deepEqual(valuesOf(rowAt([member, moved], 2, [11, 104])), [15]);
});

test('move ignores a series that was never applied, and begins with one that has no row at its start', () => {
  const { seriesMap, names, moves, valuesOf } = createNaming();
  const series = seriesOf('counter', { id: 1 }, 5n);
  assert.deepEqual(seriesMap.move([series]), []);
  assert.deepEqual(moves, []);
  seriesMap.apply({ series: [series], epoch: 6n, offsets: new Float64Array(0), values: new Float64Array(0) });
  names.set(1, 'web');
  seriesMap.move([series]);
  assert.equal(moves.at(-1), 5n);
  assert.deepEqual(valuesOf(rowAt([series], 7, [3])), [3]);
});

test('move shows a gauge under its new name with its next reading, unchanged', () => {
  const { seriesMap, names } = createNaming();
  const series = seriesOf('gauge', { id: 1 });
  seriesMap.apply(rowAt([series], 1, [20]));
  names.set(1, 'web');
  seriesMap.move([series]);
  const after = seriesMap.apply(rowAt([series], 2, [21]));
  assert.deepEqual([[...(after?.values ?? [])], after?.series[0]?.attributes], [[21], { name: 'web' }]);
});

test('apply reduces gauges as the mapping asks, and leaves out those that it reduces to nothing', () => {
  const gauges = [seriesOf('gauge', { id: 1 }), seriesOf('gauge', { id: 2 })];
  for (const [reduction, expected] of [
    ['mean', [3]],
    ['max', [4]],
    ['min', [2]],
    ['sum', [6]],
    ['first', [2]],
    ['none', []],
  ] as const) {
    const { valuesOf } = createNaming({ reductionOf: () => reduction });
    assert.deepEqual(valuesOf(rowAt(gauges, 1, [2, 4])), expected, reduction);
  }
});

test('apply ends no series that is reduced to nothing', () => {
  const { seriesMap } = createNaming({ reductionOf: () => 'none' });
  const series = seriesOf('gauge', { id: 1 });
  seriesMap.apply(rowAt([series], 1, [2]));
  assert.equal(seriesMap.apply(createEnding([series], 2n)), undefined);
});

test('apply keeps a series without members with what they counted, if the mapping keeps it', () => {
  const { seriesMap, valuesOf } = createNaming({ isKept: () => true });
  const first = seriesOf('counter', { id: 1 });
  assert.deepEqual(valuesOf(rowAt([first], 1, [7])), [7]);
  assert.equal(seriesMap.apply(createEnding([first], 2n)), undefined);
  assert.deepEqual(valuesOf(rowAt([seriesOf('counter', { id: 2 })], 3, [5])), [12]);
});

test('apply ends one series and keeps another in the same table', () => {
  const { seriesMap, names } = createNaming();
  names.set(1, 'web').set(2, 'db');
  const [one, other] = [seriesOf('counter', { id: 1 }), seriesOf('counter', { id: 2 })];
  const first = seriesMap.apply(rowAt([one, other], 1, [1, 2]));
  const last = seriesMap.apply({ ...rowAt([other], 2, [3]), ended: [one] });
  assert.deepEqual([last?.ended, last?.series], [[first?.series[0]], [first?.series[1]]]);
});

test('apply sums a series that maps to itself with one of another table, whichever is read', () => {
  const own = seriesOf('counter', {});
  const other = seriesOf('counter', { id: 1 });
  const seriesMap = new SeriesMap({
    map: (series) => (series === other ? { ...series, attributes: {} } : series),
    onConflict: () => {},
  });
  const valuesOf = (table: Table) => {
    const mapped = seriesMap.apply(table);
    assert.deepEqual(mapped?.series, [own]);
    return [...(mapped?.values ?? [])];
  };
  const alone = [own];
  assert.deepEqual(valuesOf(rowAt(alone, 1, [5])), [5]);
  assert.deepEqual(valuesOf(rowAt([other], 2, [7])), [12]);
  assert.deepEqual(valuesOf(rowAt(alone, 3, [6])), [13]);
  assert.deepEqual(valuesOf(rowAt(alone, 4, [8])), [15]);
});
