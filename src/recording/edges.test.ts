import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { CsvDecoder } from './csv-decoder.js';
import { CsvEncoder } from './csv-encoder.js';
import { PointStream } from './decoder.js';
import { formats, linesOf, withoutDescriptions, writeCsv } from './formats.fixture.js';
import { fieldsOf } from './parquet-columns.js';
import { createSink, flatten, type FlatPoint } from './recording.fixture.js';

const epoch = 1_800_000_000_123_456_789n;
const metric: Metric = { name: 'x', unit: 'J', description: '', kind: 'counter', valueType: 'double' };
const host: Resource = { attributes: { 'host.name': 'a' } };

function seriesOf(more: Partial<Metric> = {}, attributes: Attributes = {}, resource = host): Series {
  return { metric: { ...metric, ...more }, resource, attributes, start: 5n };
}

/** A table of one series with a row per value, a nanosecond apart. */
function columnOf(series: Series, values: readonly number[], at = epoch): Table {
  const offsets = Float64Array.from(values, (_, row) => row);
  return { series: [series], epoch: at, offsets, values: Float64Array.from(values) };
}

/** Asserts the result of every format for these tables. */
async function assertRead(tables: readonly Table[], expected: readonly FlatPoint[]): Promise<void> {
  for (const { name, roundTrip } of formats) {
    const { tables: read, notes } = await roundTrip(tables);
    assert.deepEqual(notes, [], name);
    assert.deepEqual(withoutDescriptions(flatten(read)), withoutDescriptions(expected), name);
  }
}

test('every format keeps doubles at the limits of their range', async () => {
  const { MAX_VALUE: largest, MIN_VALUE: smallest, EPSILON: epsilon } = Number;
  const values = [largest, -largest, smallest, -smallest, 1 + epsilon, -0, 0, NaN, Infinity, -Infinity];
  const table = columnOf(seriesOf({ kind: 'gauge' }), [...values, 2.2250738585072014e-308, 2 ** 53 + 2]);
  await assertRead([table], flatten([table]));
});

test('every format keeps integers that a double holds, up to 64 bits', async () => {
  const values = [2 ** 53, 2 ** 53 + 2, -(2 ** 53) - 2, 2 ** 63 - 1024, -(2 ** 63), -1, 0, NaN];
  const table = columnOf(seriesOf({ kind: 'updowncounter', valueType: 'int' }), values);
  await assertRead([table], flatten([table]));
});

test('every format keeps names, units and attributes with quotes, line breaks and any characters', async () => {
  const odd = ['"', '\\', "'", ',', '\n', '\r\n', '\0', '\u2028', '\ufeff', 'é', '電力', '👩‍🔬', ' ', ';'];
  const attributes = Object.fromEntries(odd.map((text) => [`a${text}b`, text]));
  const unit = '{requête "x"}';
  const one = seriesOf({ name: 'énergie "nette" (réelle), 電力 👩‍🔬', unit }, attributes, { attributes });
  const tables = [columnOf(one, [1, 2])];
  await assertRead(tables, flatten(tables));
});

test('every format keeps the type of an attribute: a text of digits is no number, and "true" no boolean', async () => {
  const texts = { digits: '7', truth: 'true', nothing: 'null', list: '[1]', empty: '', '': 'no name' };
  const others = { seven: 7, yes: true, no: false, tiny: 1e-7, negative: -1.5, wide: 2 ** 60 };
  const attributes = { ...texts, ...others, longest: Number.MAX_SAFE_INTEGER, largest: Number.MAX_VALUE };
  const tables = [columnOf(seriesOf({}, attributes, { attributes }), [1])];
  await assertRead(tables, flatten(tables));
});

test('every format keeps infinite or NaN attributes, as texts where it has no such numbers', async () => {
  const attributes = { up: Infinity, down: -Infinity, none: NaN };
  for (const { name, roundTrip } of formats) {
    const { tables } = await roundTrip([columnOf(seriesOf({}, attributes), [1])]);
    const read = Object.entries(tables[0]?.series[0]?.attributes ?? {});
    const shown = read.map(([key, value]) => `${key} ${value}`);
    assert.deepEqual(shown, ['up Infinity', 'down -Infinity', 'none NaN'], name);
  }
});

test('every format reads nothing for tables without rows, series or ends', async () => {
  const none = new Float64Array(0);
  const one = seriesOf();
  for (const tables of [
    [],
    [{ series: [], epoch, offsets: none, values: none }],
    [{ series: [one], epoch, offsets: none, values: none, ended: [] }],
    [{ series: [], epoch, offsets: Float64Array.of(0, 1), values: none }],
  ]) {
    await assertRead(tables, []);
  }
});

test('every format keeps rows in the order in which they were written, even where time goes back', async () => {
  const one = seriesOf({ kind: 'gauge' });
  const tables = [10n, 5n, 5n, 10n, 7n].map((delay, i) => columnOf(one, [i], epoch + delay));
  await assertRead(tables, flatten(tables));
});

test('every format ends a restarted counter at its next row, unless it ended before', async () => {
  const first = seriesOf();
  const second = { ...first, start: epoch };
  const [before, after] = [columnOf(first, [7]), columnOf(second, [1], epoch + 9n)];
  const expected = [before, createEnding([first], epoch + 9n), after];
  await assertRead([before, after], flatten(expected));
  await assertRead([{ ...before, ended: [first] }, after], flatten([{ ...before, ended: [first] }, after]));
});

test('every format starts a new series after the end of an equal one', async () => {
  const one = seriesOf({ kind: 'gauge' });
  const tables = [columnOf(one, [1]), createEnding([one], epoch + 1n), columnOf(one, [2], epoch + 2n)];
  for (const { name, roundTrip } of formats) {
    const { tables: read } = await roundTrip(tables);
    assert.deepEqual(flatten(read), flatten(tables), name);
    assert.notEqual(read.at(0)?.series[0], read.at(-1)?.series[0], name);
  }
});

test('every format distinguishes the resources of a file, and creates one object for each', async () => {
  const resources = ['a', 'b', 'c'].map((name) => ({ attributes: { 'host.name': name } }));
  // The columns of one resource are not adjacent.
  const series = ['x', 'y'].flatMap((name) => resources.map((resource) => seriesOf({ name }, {}, resource)));
  const tables = [0n, 1n].map((delay) => createRow(series, epoch + delay, Float64Array.of(1, 2, 3, 4, 5, 6)));
  for (const { name, roundTrip } of formats) {
    const { tables: read } = await roundTrip(tables);
    assert.deepEqual(flatten(read), flatten(tables), name);
    const found = new Set(read.flatMap((table) => table.series.map(({ resource }) => resource)));
    assert.equal(found.size, resources.length, name);
  }
});

test('an attribute column named like an inherited member is empty without such an attribute', () => {
  const names = ['constructor', 'toString', '__proto__'];
  const encoder = new CsvEncoder(names, ['x (J)']);
  assert.match(encoder.encode(columnOf(seriesOf(), [1])), /,\{\},,,,1\n$/u);
  assert.match(encoder.encode(columnOf(seriesOf({}, { toString: 'a' }), [1])), /,,a,,1\n$/u);
  const fields = fieldsOf(seriesOf({}, {}, { attributes: { constructor: 'b' } }), undefined, names);
  assert.deepEqual(fields.slice(-3), ['b', undefined, undefined]);
});

test('a CSV row truncated before its last field is reported, and the rows before it are read', () => {
  const attributes = { 'hw.id': 'say "x"' };
  const [header = '', first = '', last = ''] = linesOf(
    writeCsv([columnOf(seriesOf({}, attributes), [1, 2])]),
  );
  for (let length = 0; length <= last.lastIndexOf(','); length += 1) {
    const sink = createSink();
    const stream = new PointStream(sink);
    const decoder = new CsvDecoder(header, sink, stream);
    for (const line of [first, last.slice(0, length)]) decoder.line(line);
    stream.flush();
    assert.match(sink.notes.join(), /^expected 9 fields as in the header, found \d$/u, last.slice(0, length));
    assert.deepEqual(
      flatten(sink.tables).map(({ value }) => value),
      [1],
    );
  }
});
