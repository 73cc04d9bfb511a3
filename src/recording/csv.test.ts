import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { CsvDecoder } from './csv-decoder.js';
import { CsvEncoder, headerOf } from './csv-encoder.js';
import { PointStream } from './decoder.js';
import { createSink } from './recording.fixture.js';

const epoch = 1_800_000_000_000_000_000n;
const host = { attributes: { 'host.name': 'node-1' } };

function seriesOf(name: string, more: Partial<Metric> = {}, attributes: Series['attributes'] = {}): Series {
  const metric: Metric = { name, unit: 'J', description: '', kind: 'counter', valueType: 'double', ...more };
  return { metric, resource: host, attributes, start: epoch };
}

const energy = seriesOf('hw.energy', {}, { 'hw.id': 'package-0' });
const count = seriesOf('count', { unit: '', valueType: 'int' }, { 'hw.id': 'package-0' });

function rowsOf(series: readonly Series[], values: readonly number[], ended?: readonly Series[]): Table {
  const rows = values.length / series.length;
  const offsets = Float64Array.from({ length: rows }, (_, row) => row * 1e9);
  return { series, epoch, offsets, values: Float64Array.from(values), ...(ended && { ended }) };
}

function encode(tables: readonly Table[], attributeColumns: readonly string[] = []): readonly string[] {
  const encoder = new CsvEncoder(attributeColumns);
  encoder.columns = encoder.findMissing(tables);
  return (encoder.header() + tables.map((table) => encoder.encode(table)).join('')).trimEnd().split('\n');
}

function decode([header = '', ...lines]: readonly string[]) {
  const sink = createSink();
  const stream = new PointStream(sink);
  const decoder = new CsvDecoder(header, sink, stream);
  for (const line of lines) decoder.line(line);
  stream.flush();
  return sink;
}

const shared = `2027-01-15T08:00:00.000000000Z,counter`;
const json = `"{""host.name"":""node-1""}","{""hw.id"":""package-0""}"`;

test('CsvEncoder writes a row for each instant and kind of points, and a column for each metric', () => {
  assert.deepEqual(encode([rowsOf([energy, count], [1.5, 7, 2.25, 8])], ['hw.id']), [
    'time,start_time,kind,type,state,resource,attributes,hw.id,hw.energy (J),count ()',
    `2027-01-15T08:00:00.000000000Z,${shared},double,,${json},package-0,1.5,`,
    `2027-01-15T08:00:00.000000000Z,${shared},int,,${json},package-0,,7`,
    `2027-01-15T08:00:01.000000000Z,${shared},double,,${json},package-0,2.25,`,
    `2027-01-15T08:00:01.000000000Z,${shared},int,,${json},package-0,,8`,
  ]);
});

test('CsvEncoder puts points of one row together in any order, and writes gaps as NaN', () => {
  const power = seriesOf('hw.power', {}, { 'hw.id': 'package-0' });
  const lines = encode([rowsOf([power, energy], [3, NaN]), rowsOf([energy, power], [1, 2])]);
  assert.match(lines[0] ?? '', /,hw\.power \(J\),hw\.energy \(J\)$/u);
  assert.match(lines[1] ?? '', /,3,NaN$/u);
  assert.match(lines[2] ?? '', /,2,1$/u);
});

test('CsvEncoder writes a row without values for ended series, at the instant of the last row', () => {
  const lines = encode([rowsOf([energy], [1, 2], [energy])]);
  assert.match(lines.at(-1) ?? '', /^2027-01-15T08:00:01\.000000000Z,.*,ended,.*,NaN$/u);
  assert.equal(lines.length, 4);
});

test('CsvEncoder leaves the start of gauges empty', () => {
  const gauge = { ...seriesOf('t', { kind: 'gauge', unit: 'Cel' }), start: 0n };
  assert.match(encode([rowsOf([gauge], [20])])[1] ?? '', /^2027-01-15T08:00:00\.000000000Z,,gauge,double,,/u);
});

test('CsvEncoder writes each row on one line, and protects formulas', () => {
  const odd = seriesOf('=1+1', {}, { name: '=cmd|x', text: 'a\nb\r\nc', plus: '+1', number: -5 });
  const [header = '', row = ''] = encode([rowsOf([odd], [1])], ['name', 'text', 'plus', 'number']);
  assert.match(header, /,'=1\+1 \(J\)$/u);
  assert.ok(row.endsWith(",'=cmd|x,a b c,'+1,-5,1"), row);
  assert.deepEqual(decode([header, row]).tables[0]?.series[0]?.metric.name, '=1+1');
});

test('findMissing lists missing columns, including those of ended series', () => {
  const encoder = new CsvEncoder([], ['hw.energy (J)']);
  assert.deepEqual(encoder.findMissing([rowsOf([energy], [1])]), []);
  assert.deepEqual(encoder.findMissing([rowsOf([energy], [1], [count]), rowsOf([count], [1])]), ['count ()']);
  encoder.columns = [];
  assert.deepEqual(encoder.findMissing([rowsOf([energy], [1])]), ['hw.energy (J)']);
});

test('CsvEncoder leaves out a metric that has no column', () => {
  const encoder = new CsvEncoder([], ['count ()']);
  assert.match(encoder.encode(rowsOf([energy], [1])), /"\{""hw\.id"":""package-0""\}",\n$/u);
});

const header = headerOf([], ['x (W)', 'y (1)']);
const rowOf = (cells: string, time = '2027-01-15T08:00:00Z', rest = 'gauge,double,,{},{}') =>
  `${time},,${rest},${cells}`;

test('CsvDecoder reads rows of an instant as one row of a table, and ignores empty cells', () => {
  const { tables, notes } = decode([header, rowOf('1,2'), rowOf('3,', '2027-01-15T08:00:01.5Z')]);
  assert.deepEqual(notes, []);
  assert.deepEqual(
    tables.map(({ series, values }) => [series.map(({ metric }) => metric.name), [...values]]),
    [
      [
        ['x', 'y'],
        [1, 2],
      ],
      [['x'], [3]],
    ],
  );
  assert.equal(tables[1]?.epoch, epoch + 1_500_000_000n);
});

test('CsvDecoder finds columns by their headers, in any order, and ignores others', () => {
  const heads = 'note,x (W),attributes,resource,state,type,kind,start_time,time';
  const { tables, notes } = decode([heads, 'hi,5,{},{},,int,gauge,,2027-01-15T08:00:00Z']);
  assert.deepEqual(notes, []);
  const [table] = tables;
  assert.deepEqual([table?.series.length, table?.series[0]?.metric.valueType], [1, 'int']);
  assert.deepEqual([...(table?.values ?? [])], [5]);
});

test('CsvDecoder ends only the series of a row that marks their end', () => {
  const { tables } = decode([
    header,
    rowOf('1,2'),
    rowOf('NaN,', '2027-01-15T08:00:01Z', 'gauge,double,ended,{},{}'),
  ]);
  assert.deepEqual(
    tables.flatMap(({ ended = [] }) => ended.map(({ metric }) => metric.name)),
    ['x'],
  );
});

test('CsvDecoder reports a malformed row and reads the next', () => {
  const { tables, notes } = decode([
    header,
    'a,b',
    rowOf('1,2', 'noon'),
    rowOf('1,2', undefined, 'summary,double,,{},{}'),
    rowOf('one,2'),
    rowOf('1,2', undefined, 'gauge,double,,[],{}'),
    rowOf('7,8'),
  ]);
  assert.deepEqual(notes, [
    'expected 9 fields as in the header, found 2',
    'expected an instant such as "2026-01-02T03:04:05.678901234Z", found "noon"',
    'expected one of gauge, counter, updowncounter, histogram, exponential_histogram, found "summary"',
    'expected a number, found "one"',
    'expected a JSON object, found a list',
  ]);
  assert.deepEqual([...(tables[0]?.values ?? [])], [7, 8]);
  assert.equal(tables.length, 1);
});

test('CsvDecoder refuses the header of another file', () => {
  const expected =
    /found none with a column "start_time", "kind", "type", "state", "resource", "attributes"$/u;
  assert.throws(() => decode(['time,x (W)']), expected);
});

test('CsvDecoder uses the same objects for equal contents', () => {
  const { tables } = decode([
    header,
    rowOf('1,'),
    rowOf('2,', '2027-01-15T08:00:01Z'),
    rowOf('3,4', '2027-01-15T08:00:02Z'),
  ]);
  const [first, second] = tables;
  assert.equal(first?.values.length, 2);
  assert.equal(first?.series[0], second?.series[0]);
  assert.equal(second?.series[0]?.resource, second?.series[1]?.resource);
});

const powerHeader = 'time,start_time,kind,type,state,resource,attributes,hw.power (W)';

/** The content of a cell: its value, or why it has none. */
function readCell(cell: string): number | string | undefined {
  const { tables, notes } = decode([
    powerHeader,
    `2027-01-15T08:00:00.000000000Z,,gauge,double,,{},{},${cell}`,
  ]);
  return notes[0] ?? tables[0]?.values[0];
}

test('CsvDecoder reads every number that CsvEncoder writes, and treats a blank cell as empty', () => {
  for (const [cell, value] of [
    ['1.5', 1.5],
    ['-0', -0],
    ['5e-324', 5e-324],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['NaN', NaN],
    ['  ', 'expected a number, found "  "'],
    ['1,5', 'expected 8 fields, found 9'],
    ['1.5 J', 'expected a number, found "1.5 J"'],
  ] as const) {
    const found = readCell(cell);
    if (typeof found === 'string') assert.equal(found.includes(String(value).slice(0, 10)), true, found);
    else assert.equal(found, value, cell);
  }
});

const histogramHeader =
  'time,start_time,kind,type,state,resource,attributes,h (s),x (W),count,bounds,bucket_counts';
const histogramRow = (cells: string, state = '') =>
  `2027-01-15T08:00:00Z,,histogram,double,${state},{},{},${cells}`;

test('CsvDecoder reads a histogram with the sum in the column of its metric', () => {
  const { histogramTables, tables, notes } = decode([histogramHeader, histogramRow('4.5,,3,[1],"[1,2]"')]);
  assert.deepEqual([notes, tables.length], [[], 0]);
  const [table] = histogramTables;
  assert.deepEqual(
    table?.series.map(({ metric }) => [metric.name, metric.unit, metric.kind]),
    [['h', 's', 'histogram']],
  );
  assert.deepEqual(
    [[...(table?.counts ?? [])], [...(table?.sums ?? [])], [...(table?.buckets ?? [])]],
    [[3], [4.5], [1, 2]],
  );
});

test('CsvDecoder reports a row of a histogram with no metric, or with two', () => {
  const { histogramTables, notes } = decode([
    histogramHeader,
    histogramRow(',,3,[1],"[1,2]"'),
    histogramRow('4.5,1,3,[1],"[1,2]"'),
    histogramRow('4.5,,4,[1],"[1,2]"'),
  ]);
  assert.deepEqual(notes, [
    'expected one metric in the row of a histogram, found 0',
    'expected one metric in the row of a histogram, found 2',
    'expected buckets that add up to the count of 4, found 3',
  ]);
  assert.equal(histogramTables.length, 0);
});

test('CsvDecoder ends a histogram by a row that marks its end', () => {
  const { histogramTables } = decode([
    histogramHeader,
    histogramRow('4.5,,3,[1],"[1,2]"'),
    histogramRow('NaN,,,,', 'ended'),
  ]);
  assert.deepEqual(
    histogramTables.map(({ series, ended = [] }) => [series.length, ended.length]),
    [
      [1, 0],
      [0, 1],
    ],
  );
});

test('CsvDecoder names the one column that a header lacks', () => {
  assert.throws(() => decode([header.replace('kind,', '')]), /found none with a column "kind"$/u);
});
