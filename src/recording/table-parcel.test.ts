import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramOf, histogramTable, rowOf } from '../model/histogram.fixture.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { anyHistograms, flattenHistograms } from './histogram-tables.fixture.js';
import { isHistograms, isNumbers, type RecordedTable } from './recorded-table.js';
import { anyTables, flatten } from './recording.fixture.js';
import { buffersOf, TablePacker, TableUnpacker } from './table-parcel.js';

function createSeries(id: number): Series {
  return {
    metric: { name: 'x', unit: '1', description: 'd', kind: 'counter', valueType: 'int' },
    resource: { attributes: { 'host.name': 'a' } },
    attributes: { id },
    start: BigInt(id),
  };
}

const [a, b, c] = [1, 2, 3].map(createSeries);

function tableOf(series: readonly Series[], rows: number, ended?: readonly Series[]): Table {
  return {
    series,
    epoch: 7n,
    offsets: Float64Array.from({ length: rows }, (_, row) => row),
    values: Float64Array.from({ length: rows * series.length }, (_, cell) => cell),
    ...(ended && { ended }),
  };
}

/** As between two threads: everything is cloned, buffers are transferred. */
function sendAny(
  tables: readonly RecordedTable[],
  packer: TablePacker,
  unpacker: TableUnpacker,
): readonly RecordedTable[] {
  for (const introduction of packer.introduce(tables)) unpacker.meet(structuredClone(introduction));
  const parcel = packer.pack(tables);
  return unpacker.unpack(structuredClone(parcel, { transfer: buffersOf(parcel) }));
}

function connect() {
  const [packer, unpacker] = [new TablePacker(), new TableUnpacker()];
  const send = (tables: readonly Table[]) => sendAny(tables, packer, unpacker).filter(isNumbers);
  return { packer, unpacker, send };
}

test('any tables arrive as they were sent', () => {
  fc.assert(
    fc.property(anyTables, (tables) => {
      assert.deepEqual(flatten(connect().send(tables)), flatten(tables));
    }),
  );
});

test('tables of histograms arrive among others, with one object for rows with the same layout', () => {
  fc.assert(
    fc.property(anyTables, anyHistograms, (numbers, histograms) => {
      const { packer, unpacker } = connect();
      const sent = [...numbers, ...histograms, ...numbers.slice(0, 1)];
      const arrived = sendAny(sent, packer, unpacker);
      assert.deepEqual(arrived.map(isHistograms), sent.map(isHistograms));
      assert.deepEqual(flattenHistograms(arrived.filter(isHistograms)), flattenHistograms(histograms));
    }),
  );
  const { packer, unpacker } = connect();
  const series = histogramOf();
  const rows = [1, 2].map((at) => histogramTable([[series, at, rowOf([1, 2, 3])]]));
  const layouts = rows.flatMap((table) =>
    sendAny([table], packer, unpacker)
      .filter(isHistograms)
      .flatMap((one) => one.layouts),
  );
  assert.equal(layouts[0], layouts[1]);
});

test('a series and a set of columns that are sent twice are one object', () => {
  const { send: sendTables } = connect();
  const [both, one] = [[a, b], [a]];
  const first = sendTables([tableOf(both, 2), tableOf(one, 1)]);
  const second = sendTables([tableOf(one, 3), tableOf(both, 1)]);
  assert.equal(first[0]?.series, second[1]?.series);
  assert.equal(first[1]?.series, second[0]?.series);
  assert.equal(first[0]?.series[0], first[1]?.series[0]);
});

test('introduce sends each series once, in small messages', () => {
  const packer = new TablePacker();
  const series = Array.from({ length: 1200 }, (_, id) => createSeries(id));
  const table = tableOf(series, 1);
  const sizesOf = (tables: readonly Table[]) =>
    [...packer.introduce(tables)].map((one) => [one.series.length, one.columns?.[1].length]);
  assert.deepEqual(sizesOf([table]), [
    [500, 500],
    [500, 500],
    [200, 200],
  ]);
  assert.deepEqual(sizesOf([table, { ...table, ended: series }]), []);
  assert.deepEqual(sizesOf([tableOf([...series], 1)]), [[0, 1200]]);
});

test('introduce builds messages on demand, so that the caller can yield to other work in between', () => {
  let made = 0;
  const series = Array.from({ length: 1200 }, (_, id): Series => ({
    ...createSeries(id),
    get metric() {
      made += 1;
      return a.metric;
    },
  }));
  const counts: number[] = [];
  for (const _ of new TablePacker().introduce([tableOf(series, 1)])) counts.push(made);
  assert.deepEqual(counts, [500, 1000, 1200]);
});

test('a set with more columns than a message holds arrives complete', () => {
  const { send: sendTables } = connect();
  const series = Array.from({ length: 12_001 }, (_, id) => createSeries(id));
  sendTables([tableOf(series, 1)]);
  const [table] = sendTables([tableOf(series.toReversed(), 2)]);
  assert.deepEqual(
    table?.series.map(({ start }) => start),
    series.map(({ start }) => start).toReversed(),
  );
});

test('ended series arrive with their table, including those without a column', () => {
  const { send: sendTables, unpacker } = connect();
  const [first, second] = sendTables([tableOf([a, b], 1, [c]), tableOf([a], 1, [a])]);
  assert.deepEqual(
    [first, second].map((table) => table?.ended?.map(({ attributes }) => attributes['id'])),
    [[3], [1]],
  );
  assert.deepEqual(
    unpacker.live.map(({ attributes }) => attributes['id']),
    [2],
  );
});

test('a series is sent without fields that a component has added', () => {
  const odd = { ...a, resource: { ...a.resource, lookUp: () => undefined }, cache: new WeakMap() };
  const [table] = connect().send([tableOf([odd], 1)]);
  assert.deepEqual(table?.series, [a]);
});

test('TableUnpacker forgets series on request, and reports unknown series', () => {
  const { unpacker, send: sendTables } = connect();
  sendTables([tableOf([a], 1)]);
  const [introduction] = new TablePacker().introduce([tableOf([a], 1)]);
  const number = introduction?.series[0]?.[0] ?? 0;
  unpacker.meet({ series: [], forgotten: [number], columns: undefined });
  assert.deepEqual(unpacker.live, []);
  assert.throws(
    () => sendTables([tableOf([b, a], 1)]),
    /^Error: Cannot unpack a table: expected a known series, found \d+$/u,
  );
});
