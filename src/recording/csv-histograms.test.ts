import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
  twoBounds,
} from '../model/histogram.fixture.js';
import { CsvEncoder } from './csv-encoder.js';
import { isFigureColumn, parseFigures } from './csv-histograms.js';
import { linesOf } from './formats.fixture.js';

function encode(table: HistogramTable): readonly (readonly [string, string])[] {
  const encoder = new CsvEncoder([]);
  encoder.columns = encoder.findMissing([table]);
  const [header = '', ...rows] = linesOf(encoder.header() + encoder.encode(table));
  return rows.map((row) => [header, row] as const);
}

const start = '1970-01-01T00:00:00.000002000Z,1970-01-01T00:00:00.000001000Z';
const identity = '"{""service.name"":""shop""}",{}';
const fixed = 'time,start_time,kind,type,state,resource,attributes';

test('CsvEncoder adds the columns of explicit buckets only, if there are no others', () => {
  const [[header, row] = ['', '']] = encode(
    histogramTable([[histogramOf(), 2_000, rowOf([1, 2, 3], { sum: 4.5, min: 0.05, max: 2 })]]),
  );
  assert.equal(header, `${fixed},http.server.request.duration (s),count,min,max,bounds,bucket_counts`);
  assert.equal(row, `${start},histogram,double,,${identity},4.5,6,0.05,2,"[0.1,1]","[1,2,3]"`);
});

test('CsvEncoder adds the columns of exponential buckets only, if there are no others', () => {
  const [[header, row] = ['', '']] = encode(
    histogramTable([[exponentialOf(), 2_000, rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo, sum: 9 })]]),
  );
  assert.equal(
    header,
    `${fixed},rpc.duration (s),count,min,max,scale,zero_threshold,zero_count,positive_offset,positive_counts,negative_offset,negative_counts`,
  );
  assert.equal(row, `${start},exponential_histogram,double,,${identity},9,15,,,0,0,1,0,"[2,3,4]",-1,[5]`);
});

test('CsvEncoder writes an unknown sum and a gap as NaN; a gap has no count', () => {
  const series = histogramOf();
  const rows = encode(
    histogramTable([
      [series, 2_000, rowOf([1, 2, 3])],
      [series, 2_000, new HistogramRow().clear(twoBounds)],
    ]),
  ).map(([, row]) => row.split(identity)[1]);
  assert.deepEqual(rows, [',NaN,6,,,"[0.1,1]","[1,2,3]"', ',NaN,,,,,']);
});

test('CsvEncoder shares the columns that both kinds of histograms have', () => {
  const encoder = new CsvEncoder([]);
  const tables = [
    histogramTable([[histogramOf(), 2_000, rowOf([1, 2, 3])]]),
    histogramTable([[exponentialOf(), 2_000, rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo })]]),
  ];
  const missing = encoder.findMissing(tables);
  assert.equal(new Set(missing).size, missing.length);
  assert.equal(missing.filter(isFigureColumn).length, 12);
});

test('isFigureColumn knows the columns of histograms, and the sum is that of the metric', () => {
  assert.ok(['count', 'bounds', 'negative_counts'].every(isFigureColumn));
  assert.ok(!['sum', 'time', 'Count', 'x (J)'].some(isFigureColumn));
});

test('parseFigures reads the fields that exist, and takes the sum from the column of the metric', () => {
  const fields: Readonly<Record<string, string>> = {
    count: '6',
    min: '',
    bounds: '[0.1,1]',
    bucket_counts: '[1,2,3]',
  };
  const figures = parseFigures((column) => fields[column], 4.5);
  assert.deepEqual([figures.count, figures.sum, figures.min, figures.max], [6, 4.5, undefined, undefined]);
  assert.deepEqual(figures.bounds, Float64Array.of(0.1, 1));
  assert.equal(parseFigures(() => undefined, NaN).sum, undefined);
  assert.throws(() => parseFigures(() => 'x', 1), /expected a number in the column "count", found "x"/u);
});
