import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { PointStream } from './decoder.js';
import { checkMetadata, orDamaged } from './parquet-check.js';
import { ParquetDecoder } from './parquet-decoder.js';
import { ParquetEncoder } from './parquet-encoder.js';
import { createSink, flatten } from './recording.fixture.js';

const epoch = 1_800_000_000_000_000_000n;

function seriesOf(name: string, attributes: Series['attributes'] = {}): Series {
  const metric = {
    name,
    unit: 'J',
    description: 'What it is',
    kind: 'counter',
    valueType: 'double',
  } as const;
  return { metric, resource: { attributes: { 'host.name': 'a', 'process.pid': 7 } }, attributes, start: 5n };
}

function tableOf(series: readonly Series[], values: readonly number[], ended?: readonly Series[]): Table {
  const offsets = Float64Array.from({ length: values.length / series.length }, (_, row) => row * 1e6);
  return { series, epoch, offsets, values: Float64Array.from(values), ...(ended && { ended }) };
}

const energy = seriesOf('hw.energy', { 'hw.id': 'package-0' });

function fileOf(...parts: readonly Buffer[]): ArrayBuffer {
  const bytes = Buffer.concat(parts);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

async function decode(file: ArrayBuffer) {
  const sink = createSink();
  const stream = new PointStream(sink);
  for await (const _ of new ParquetDecoder(sink, stream).read(file));
  stream.flush();
  return sink;
}

test('ParquetEncoder writes a row for each point, with columns that any reader understands', async () => {
  const encoder = new ParquetEncoder(['hw.id', 'process.pid', 'none']);
  const file = fileOf(encoder.encode([tableOf([energy], [1.5, NaN], [energy])]), encoder.footer());
  const rows = await parquetReadObjects({ file });
  const shown = rows.map((row) =>
    ['value', 'state', 'metric', 'unit', 'kind', 'type'].map((name) => row[name] ?? null),
  );
  const common = ['hw.energy', 'J', 'counter', 'double'];
  // A gap is null, not a number, and so is the value of an ended series.
  assert.deepEqual(shown, [
    [1.5, null, ...common],
    [null, null, ...common],
    [null, 'ended', ...common],
  ]);
  for (const row of rows) {
    const { resource, attributes, description, 'hw.id': id, 'process.pid': pid, none } = row;
    assert.deepEqual(JSON.parse(String(resource)), { 'host.name': 'a', 'process.pid': 7 });
    assert.deepEqual(JSON.parse(String(attributes)), { 'hw.id': 'package-0' });
    assert.deepEqual([description, id, pid, none ?? null], ['What it is', 'package-0', '7', null]);
  }
});

test('ParquetEncoder completes the file with every footer, and then continues in its place', async () => {
  const encoder = new ParquetEncoder([]);
  const first = encoder.encode([tableOf([energy], [1])]);
  const footer = encoder.footer();
  assert.deepEqual((await decode(fileOf(first, footer))).tables.length, 1);
  const second = encoder.encode([tableOf([energy], [2]), tableOf([energy], [3])]);
  const whole = fileOf(first, second, encoder.footer());
  assert.equal(encoder.rowGroups, 2);
  const { tables, notes } = await decode(whole);
  assert.deepEqual(notes, []);
  assert.deepEqual(
    flatten(tables).map(({ value }) => value),
    [1, 2, 3],
  );
});

test('ParquetEncoder describes any number of row groups, each with its own rows', async () => {
  const encoder = new ParquetEncoder([]);
  const groups: Buffer[] = [];
  // Thrift encodes the length of a list of up to 14 elements in another way than longer ones.
  for (let count = 1; count <= 40; count += 1) {
    groups.push(encoder.encode([tableOf([energy], [count])]));
    const file = fileOf(...groups, encoder.footer());
    const { num_rows: rows, row_groups: described } = parquetMetadata(file);
    assert.deepEqual([rows, described.length], [BigInt(count), count]);
    const { tables, notes } = await decode(file);
    assert.deepEqual(notes, []);
    assert.deepEqual(
      flatten(tables).map(({ value }) => value),
      Array.from({ length: count }, (_, i) => i + 1),
    );
  }
});

test('ParquetEncoder writes the same rows after it has cleared its values of series', async () => {
  const encoder = new ParquetEncoder([]);
  const many = Array.from({ length: 65_537 }, (_, i) => seriesOf('many', { 'hw.id': `id-${i}` }));
  const first = encoder.encode([
    tableOf(
      many,
      many.map((_, i) => i),
    ),
  ]);
  const again = encoder.encode([tableOf([energy, ...many.slice(-2)], [1, 2, 3])]);
  const rows = await parquetReadObjects({ file: fileOf(first, again, encoder.footer()), rowStart: 65_535 });
  assert.deepEqual(
    rows.map(({ metric, value, attributes }) => [metric, value, attributes]),
    [
      ['many', 65_535, '{"hw.id":"id-65535"}'],
      ['many', 65_536, '{"hw.id":"id-65536"}'],
      ['hw.energy', 1, '{"hw.id":"package-0"}'],
      ['many', 2, '{"hw.id":"id-65535"}'],
      ['many', 3, '{"hw.id":"id-65536"}'],
    ],
  );
});

test('ParquetEncoder gives every page a checksum, so that any damaged byte of it is detected', async () => {
  const encoder = new ParquetEncoder(['hw.id']);
  const group = encoder.encode([tableOf([energy], [1, 2, NaN, 4])]);
  const footer = encoder.footer();
  const { row_groups: groups } = parquetMetadata(fileOf(group, footer));
  for (const { meta_data: chunk } of groups.flatMap(({ columns }) => columns)) {
    const {
      path_in_schema: path,
      data_page_offset: dataAt,
      dictionary_page_offset: dictionaryAt,
    } = chunk ?? {};
    for (const offset of [dictionaryAt, dataAt]) {
      if (offset === undefined) continue;
      const reader = { view: new DataView(fileOf(group)), offset: Number(offset) };
      const { compressed_page_size: length } = parquetHeader(reader);
      const damaged = Buffer.from(group);
      damaged[reader.offset + length - 1] ^= 1;
      const expected = { message: 'expected a Parquet file, found a page with a wrong checksum' };
      await assert.rejects(decode(fileOf(damaged, footer)), expected, String(path));
    }
  }
});

test('ParquetEncoder writes no empty row group', () => {
  const encoder = new ParquetEncoder([]);
  const start = encoder.encode([]);
  assert.equal(encoder.rowGroups, 0);
  const { num_rows: rows, row_groups: groups } = parquetMetadata(fileOf(start, encoder.footer()));
  assert.deepEqual([rows, groups.length], [0n, 0]);
});

test('ParquetDecoder reads a row group of any size in pieces of 50000 rows, across their boundaries', async () => {
  const values = Array.from({ length: 100_001 }, (_, row) => row);
  const encoder = new ParquetEncoder([]);
  const file = fileOf(encoder.encode([tableOf([energy], values)]), encoder.footer());
  assert.equal(encoder.rowGroups, 1);
  const sink = createSink();
  const stream = new PointStream(sink);
  const read: number[] = [];
  for await (const _ of new ParquetDecoder(sink, stream).read(file)) {
    stream.flush();
    read.push(sink.tables.reduce((sum, table) => sum + table.values.length, 0));
  }
  assert.deepEqual(read, [50_000, 100_000, 100_001]);
  assert.deepEqual(
    sink.tables.flatMap((table) => Array.from(table.values)),
    values,
  );
});

test('ParquetDecoder ends the series of rows that mark an end', async () => {
  const encoder = new ParquetEncoder([]);
  const other = seriesOf('other');
  const file = fileOf(encoder.encode([tableOf([energy, other], [1, 2], [other])]), encoder.footer());
  const { tables } = await decode(file);
  const ended = tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric }) => metric.name),
    ['other'],
  );
});

test('ParquetDecoder names the columns that are missing in a file of another program', async () => {
  const encoder = new ParquetEncoder([]);
  const bytes = Buffer.concat([encoder.encode([tableOf([energy], [1])]), encoder.footer()]);
  // The schema is the first part of the footer that names it.
  bytes.write('Xtate', bytes.indexOf('state', bytes.length - bytes.readUInt32LE(bytes.length - 8) - 8));
  const expected = 'expected the columns of a recording, found none named "state"';
  await assert.rejects(decode(fileOf(bytes)), { message: expected });
});

test('ParquetDecoder reports the contents of a file that is not Parquet', async () => {
  const encoder = new ParquetEncoder([]);
  const bytes = Buffer.concat([encoder.encode([tableOf([energy], [1, 2, 3])]), encoder.footer()]);
  const cut = (from: number, to: number) => fileOf(bytes.subarray(from, to));
  for (const file of [cut(0, bytes.length - 4), cut(0, 20), cut(0, 0), fileOf(Buffer.from('hello, world'))]) {
    await assert.rejects(
      decode(file),
      /^ParquetError: expected a Parquet file, found (?:one that cannot be read: |damaged metadata$)/u,
    );
  }
  // A byte of the first page, in its checksum or header, is wrong.
  for (const at of [4, 6, 40, 60]) {
    const damaged = Buffer.from(bytes);
    damaged[at] ^= 0xff;
    await assert.rejects(decode(fileOf(damaged)), /^ParquetError: expected a Parquet file, found /u);
  }
});

const column = {
  path_in_schema: ['value'],
  num_values: 3n,
  data_page_offset: 4n,
  total_compressed_size: 10n,
};
const groupOf = (more: object = {}) => ({ num_rows: 3n, columns: [{ meta_data: { ...column, ...more } }] });

function check(groups: readonly object[], rows = 3n): void {
  // Only these fields of a footer are checked.
  const footer = { num_rows: rows, row_groups: groups } as unknown as Parameters<typeof checkMetadata>[0];
  checkMetadata(footer, 100);
}

test('checkMetadata compares the counts and offsets of a footer with each other', () => {
  check([groupOf()]);
  check([groupOf(), groupOf({ dictionary_page_offset: 50n })], 6n);
  for (const [groups, found] of [
    [[groupOf({ num_values: 4n })], '4 values in a column of 3 rows'],
    [
      [groupOf({ path_in_schema: ['bounds', 'list', 'element'], num_values: 2n })],
      '2 values in a column of 3 rows',
    ],
    [[groupOf({ data_page_offset: 95n })], 'a column from byte 95 to 105 of 100'],
    [[groupOf({ data_page_offset: 0n })], 'a column from byte 0 to 10 of 100'],
    [[groupOf({ total_compressed_size: -1n })], 'a column from byte 4 to 3 of 100'],
    [[{ ...groupOf(), num_rows: -1n }], 'a row group of -1 rows'],
    [[{ ...groupOf(), num_rows: 2n ** 40n }], 'a row group of 1099511627776 rows'],
    [[groupOf(), groupOf()], '3 rows, and row groups of 6'],
    [[{ num_rows: 3n, columns: [{}] }], 'damaged metadata'],
  ] as const) {
    assert.throws(() => check(groups), { message: `expected a Parquet file, found ${found}` });
  }
});

async function fail(error: Error): Promise<never> {
  throw error;
}

const failing = (error: Error) => orDamaged(() => fail(error));

test('orDamaged replaces errors of the engine by a plain message, and keeps those of the system', async () => {
  for (const error of [new TypeError('x is undefined'), new RangeError('Offset is outside')]) {
    await assert.rejects(failing(error), {
      message: 'expected a Parquet file, found damaged metadata',
      cause: error,
    });
  }
  await assert.rejects(failing(new Error('parquet unsupported codec: LZO')), {
    message: 'expected a Parquet file, found one that cannot be read: parquet unsupported codec: LZO',
  });
  const systems = Object.assign(new Error('EIO: i/o error, read'), { syscall: 'read' });
  await assert.rejects(failing(systems), systems);
  assert.equal(await orDamaged(() => Promise.resolve(7)), 7);
});
