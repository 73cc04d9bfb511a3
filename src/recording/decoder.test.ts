import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { TableAssembler } from './decoder.js';

function createSeries(name: string): Series {
  return {
    metric: { name, unit: '', description: '', kind: 'gauge', valueType: 'double' },
    resource: { attributes: {} },
    attributes: {},
    start: 0n,
  };
}

const [a, b, c] = ['a', 'b', 'c'].map(createSeries);

function assemble(feed: (assembler: TableAssembler) => void): readonly Table[] {
  const tables: Table[] = [];
  const assembler = new TableAssembler((table) => void tables.push(table));
  feed(assembler);
  assembler.flush();
  return tables;
}

test('TableAssembler makes one table of rows with the same series', () => {
  const tables = assemble((assembler) => {
    assembler.add(a, 10n, 1);
    assembler.add(b, 10n, 2);
    assembler.add(a, 20n, 3);
    assembler.add(b, 20n, 4);
  });
  assert.deepEqual(tables, [
    { series: [a, b], epoch: 10n, offsets: Float64Array.of(0, 10), values: Float64Array.of(1, 2, 3, 4) },
  ]);
});

test('TableAssembler reuses the array of series when sources alternate', () => {
  const tables = assemble((assembler) => {
    for (const at of [1n, 2n]) {
      assembler.add(a, at * 10n, 0);
      assembler.add(b, at * 10n, 0);
      assembler.add(c, at * 10n + 1n, 0);
    }
  });
  assert.equal(tables.length, 4);
  assert.equal(tables[0].series, tables[2].series);
  assert.equal(tables[1].series, tables[3].series);
});

test('TableAssembler starts another row when a series is repeated at an instant or time goes back', () => {
  const tables = assemble((assembler) => {
    assembler.add(a, 10n, 1);
    assembler.add(a, 10n, 2);
    assembler.add(a, 5n, 3);
  });
  assert.deepEqual(
    tables.map(({ epoch, values }) => [epoch, values[0]]),
    [
      [10n, 1],
      [10n, 2],
      [5n, 3],
    ],
  );
});

test('TableAssembler starts another table when no double holds the time since the first row', () => {
  const later = 2n ** 53n + 11n;
  const tables = assemble((assembler) => {
    assembler.add(a, 10n, 1);
    assembler.add(a, later, 2);
  });
  assert.deepEqual(
    tables.map(({ epoch }) => epoch),
    [10n, later],
  );
});

test('TableAssembler keeps the position of ends between rows', () => {
  const tables = assemble((assembler) => {
    assembler.add(a, 10n, 1);
    assembler.end(b, 10n);
    assembler.end(c, 10n);
    assembler.add(a, 10n, 2);
  });
  assert.deepEqual(
    tables.map(({ values, ended }) => [values.length, ended?.length ?? 0]),
    [
      [1, 0],
      [0, 2],
      [1, 0],
    ],
  );
});

test('TableAssembler starts another table after 1024 rows', () => {
  const tables = assemble((assembler) => {
    for (let at = 0; at < 2049; at += 1) assembler.add(a, BigInt(at), at);
  });
  assert.deepEqual(
    tables.map(({ epoch, offsets, values }) => [epoch, offsets.length, values[0], values.at(-1)]),
    [
      [0n, 1024, 0, 1023],
      [1024n, 1024, 1024, 2047],
      [2048n, 1, 2048, 2048],
    ],
  );
});

test('TableAssembler makes a table of each set of series, for any order of points', () => {
  const tables = assemble((assembler) => {
    for (const [at, series] of [
      [1n, [a, b]],
      [2n, [b, a]],
      [3n, [a]],
      [4n, [a, b, c]],
    ] as const) {
      for (const one of series) assembler.add(one, at, Number(at));
    }
  });
  assert.deepEqual(
    tables.map(({ series }) => series.map(({ metric }) => metric.name).join('')),
    ['ab', 'ba', 'a', 'abc'],
  );
});

test('TableAssembler emits nothing twice, and no empty table', () => {
  const tables = assemble((assembler) => {
    assembler.flush();
    assembler.add(a, 1n, 1);
    assembler.end(a, 1n);
    assembler.flush();
    assembler.flush();
  });
  assert.deepEqual(
    tables.map(({ values, ended = [] }) => [values.length, ended.length]),
    [
      [1, 0],
      [0, 1],
    ],
  );
});
