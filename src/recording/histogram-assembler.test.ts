import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistogramTable } from '../model/histogram-table.js';
import { histogramOf, rowOf } from '../model/histogram.fixture.js';
import { HistogramAssembler, KnownLayouts } from './histogram-assembler.js';

const boundsOf = (...bounds: number[]) => ({ kind: 'histogram', bounds: Float64Array.from(bounds) }) as const;

function createAssembler() {
  const tables: HistogramTable[] = [];
  return { tables, assembler: new HistogramAssembler((table) => tables.push(table)) };
}

const series = histogramOf();

test('KnownLayouts keeps the layout of a series as long as it is equal', () => {
  const layouts = new KnownLayouts();
  const [one, equal, other] = [boundsOf(1, 2), boundsOf(1, 2), boundsOf(1, 3)];
  assert.equal(layouts.find(series, one), one);
  assert.equal(layouts.find(series, equal), one);
  assert.equal(layouts.find(series, other), other);
  assert.equal(layouts.find(series, equal), equal, 'only the last layout is known');
  const another = histogramOf({ name: 'other' });
  assert.equal(layouts.find(another, one), one, 'layouts are known by series');
});

test('HistogramAssembler combines rows in one table from the first instant on', () => {
  const { assembler, tables } = createAssembler();
  assembler.add(series, 1_000n, rowOf([1, 0, 0]));
  assembler.add(series, 1_500n, rowOf([1, 1, 0]));
  assert.equal(tables.length, 0);
  assembler.flush();
  const [table] = tables;
  assert.deepEqual([table?.epoch, [...(table?.offsets ?? [])]], [1_000n, [0, 500]]);
  assert.deepEqual(
    [[...(table?.counts ?? [])], [...(table?.buckets ?? [])]],
    [
      [1, 2],
      [1, 0, 0, 1, 1, 0],
    ],
  );
  assembler.flush();
  assert.equal(tables.length, 1);
});

test('HistogramAssembler starts another table when time goes back, or is too far ahead for an offset', () => {
  const { assembler, tables } = createAssembler();
  for (const at of [1_000n, 999n, 999n, 999n + BigInt(Number.MAX_SAFE_INTEGER), 2n ** 62n]) {
    assembler.add(series, at, rowOf([1, 0, 0]));
  }
  assembler.flush();
  assert.deepEqual(
    tables.map(({ epoch, offsets }) => [epoch, [...offsets]]),
    [
      [1_000n, [0]],
      [999n, [0, 0, Number.MAX_SAFE_INTEGER]],
      [2n ** 62n, [0]],
    ],
  );
});

test('HistogramAssembler limits the rows of a table', () => {
  const { assembler, tables } = createAssembler();
  for (let i = 0n; i < 1_025n; i += 1n) assembler.add(series, i, rowOf([1, 0, 0]));
  assembler.flush();
  assert.deepEqual(
    tables.map(({ epoch, offsets }) => [epoch, offsets.length]),
    [
      [0n, 1_024],
      [1_024n, 1],
    ],
  );
});

test('HistogramAssembler forwards ends after the rows before them, those of one instant together', () => {
  const { assembler, tables } = createAssembler();
  const [one, other] = [histogramOf({ name: 'a' }), histogramOf({ name: 'b' })];
  assembler.add(one, 10n, rowOf([1, 0, 0]));
  assembler.end(one, 20n);
  assembler.end(other, 20n);
  assembler.end(series, 30n);
  assembler.add(series, 40n, rowOf([2, 0, 0]));
  assembler.flush();
  assert.deepEqual(
    tables.map((table) => [table.epoch, table.series, table.ended ?? []]),
    [
      [10n, [one], []],
      [20n, [], [one, other]],
      [30n, [], [series]],
      [40n, [series], []],
    ],
  );
});
