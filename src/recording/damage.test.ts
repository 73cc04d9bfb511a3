import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parquetMetadata, parquetSchema } from 'hyparquet';
import { parquetWriteBuffer, type BasicType, type ColumnSource } from 'hyparquet-writer';
import type { Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { CsvEncoder } from './csv-encoder.js';
import { PointStream } from './decoder.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';
import { ParquetDecoder } from './parquet-decoder.js';
import { ParquetEncoder } from './parquet-encoder.js';
import { anyTables, createSink, flatten } from './recording.fixture.js';

// Recordings rewritten by other programs, and damaged recordings.

const epoch = 1_800_000_000_123_456_789n;
const metric = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy',
  kind: 'counter',
  valueType: 'double',
} as const;
const energy: Series = {
  metric,
  resource: { attributes: { 'host.name': 'a' } },
  attributes: { 'hw.id': 'package-0' },
  start: 5n,
};
const rows = [1, 2.5, 1e300].map((value, i) =>
  createRow([energy], epoch + BigInt(i) * 1_000_000_000n, Float64Array.of(value)),
);

function fileOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function writeParquet(tables: readonly Table[]): Buffer {
  const encoder = new ParquetEncoder(['hw.id']);
  return Buffer.concat([...tables.map((table) => encoder.encode([table])), encoder.footer()]);
}

async function readParquet(bytes: Uint8Array) {
  const sink = createSink();
  const stream = new PointStream(sink);
  for await (const _ of new ParquetDecoder(sink, stream).read(fileOf(bytes)));
  stream.flush();
  return sink;
}

/** Number of rows that were read or reported; the error text if the file was refused. */
async function readDamaged(bytes: Uint8Array): Promise<number | string> {
  try {
    const { tables, notes } = await readParquet(bytes);
    // A wrong byte in the start of a series, for example, ends the previous series.
    return flatten(tables).filter(({ value }) => value !== undefined).length + notes.length;
  } catch (error) {
    return String(error);
  }
}

test('a Parquet file with any wrong byte is read or refused with a plain message', async () => {
  const whole = writeParquet(rows);
  let refused = 0;
  for (let at = 0; at < whole.length; at += 3) {
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
    const found = await readDamaged(damaged);
    if (typeof found === 'number') assert.equal(found, rows.length, `byte ${at}`);
    else {
      assert.match(found, /^(?:ParquetError|Error): expected /u, `byte ${at}`);
      refused += 1;
    }
  }
  assert.ok(refused > whole.length / 12, `${refused} of ${whole.length} bytes`);
});

test('a Parquet file truncated anywhere is refused with a plain message', async () => {
  const whole = writeParquet(rows);
  for (let length = 0; length < whole.length; length += 1) {
    await assert.rejects(
      readParquet(whole.subarray(0, length)),
      /^ParquetError: expected a Parquet file, found (?:damaged metadata|one that cannot be read: \w)/u,
      `${length} bytes`,
    );
  }
});

test('a line of JSON truncated anywhere is reported, and the lines before it are read', () => {
  const encoder = new JsonLinesEncoder();
  for (const row of rows) encoder.add(row);
  const lines = encoder.take().toString().trimEnd().split('\n');
  const last = lines.pop() ?? '';
  for (let length = 1; length < last.length; length += 1) {
    const sink = createSink();
    const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
    for (const line of [...lines, last.slice(0, length)]) decoder.line(line);
    assert.equal(sink.notes.length, 1, last.slice(0, length));
    assert.deepEqual(flatten(sink.tables), flatten(rows.slice(0, lines.length)));
  }
});

test('the columns of a Parquet file have the types that data frames need', () => {
  const { element, children } = parquetSchema(parquetMetadata(fileOf(writeParquet(rows))));
  assert.equal(element.name, 'root');
  assert.deepEqual(
    children.map(({ element: { name, type, repetition_type: repetition, logical_type: logical } }) =>
      [name, type, repetition, logical?.type, logical && 'unit' in logical ? logical.unit : undefined]
        .filter((part) => part !== undefined)
        .join(' '),
    ),
    [
      'time INT64 REQUIRED TIMESTAMP NANOS',
      'metric BYTE_ARRAY REQUIRED STRING',
      'unit BYTE_ARRAY REQUIRED STRING',
      'value DOUBLE OPTIONAL',
      'kind BYTE_ARRAY REQUIRED STRING',
      'type BYTE_ARRAY REQUIRED STRING',
      'start_time INT64 OPTIONAL TIMESTAMP NANOS',
      'state BYTE_ARRAY OPTIONAL STRING',
      'resource BYTE_ARRAY REQUIRED STRING',
      'attributes BYTE_ARRAY REQUIRED STRING',
      'description BYTE_ARRAY REQUIRED STRING',
      'hw.id BYTE_ARRAY OPTIONAL STRING',
    ],
  );
});

/** A recording as rewritten by another program: the same columns, with other types. */
function writeForeign(
  columns: Readonly<Record<string, readonly unknown[]>>,
  types: Record<string, BasicType> = {},
) {
  const standard = {
    time: [new Date(1_800_000_000_123)],
    metric: ['hw.energy'],
    unit: ['J'],
    value: [1.5],
    kind: ['counter'],
    type: ['double'],
    start_time: [new Date(0)],
    state: [null],
    resource: ['{}'],
    attributes: ['{}'],
    description: ['Energy'],
  };
  const columnData = Object.entries({ ...standard, ...columns }).map(([name, data]): ColumnSource => {
    const type = types[name] ?? (name === 'state' ? 'STRING' : undefined);
    return type === undefined ? { name, data: [...data] } : { name, data: [...data], type };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

test('ParquetDecoder reads instants in milliseconds and values of every type of number', async () => {
  const wide = 2n ** 60n;
  for (const [data, type, expected] of [
    [[1.5], 'DOUBLE', 1.5],
    [[1.5], 'FLOAT', 1.5],
    [[7], 'INT32', 7],
    [[wide], 'INT64', Number(wide)],
    [[null], 'DOUBLE', NaN],
  ] as const) {
    const { tables, notes } = await readParquet(writeForeign({ value: data }, { value: type }));
    assert.deepEqual(notes, []);
    const [point] = flatten(tables);
    assert.deepEqual(
      [point?.time, point?.start, point?.value],
      [1_800_000_000_123_000_000n, 0n, expected],
      type,
    );
  }
});

test('ParquetDecoder reports a row that lacks a required cell', async () => {
  for (const [name, found] of [
    ['time', 'expected an instant in the column "time", found nothing'],
    ['metric', 'expected a text in the column "metric", found nothing'],
    [
      'kind',
      'expected gauge, counter, updowncounter, histogram or exponential_histogram in the column "kind", found nothing',
    ],
  ] as const) {
    const types: Record<string, BasicType> = { [name]: name === 'time' ? 'TIMESTAMP' : 'STRING' };
    const { tables, notes } = await readParquet(writeForeign({ [name]: [null] }, types));
    assert.deepEqual([tables, notes], [[], [found]]);
  }
});

test('ParquetDecoder reports a row with cells of other types, and their contents', async () => {
  for (const [name, cell, type, found] of [
    ['time', 1.5, 'DOUBLE', 'expected an instant in the column "time", found a number'],
    ['time', 'noon', 'STRING', 'expected an instant in the column "time", found "noon"'],
    ['metric', 7n, 'INT64', 'expected a text in the column "metric", found a bigint'],
    [
      'kind',
      'summary',
      'STRING',
      'expected gauge, counter, updowncounter, histogram or exponential_histogram in the column "kind", found "summary"',
    ],
    ['resource', '[]', 'STRING', 'expected a JSON object, found a list'],
    ['attributes', '7', 'STRING', 'expected a JSON object, found 7'],
  ] as const) {
    const { tables, notes } = await readParquet(writeForeign({ [name]: [cell] }, { [name]: type }));
    assert.deepEqual([tables, notes], [[], [found]]);
  }
});

test('ParquetDecoder reads non-numbers as gaps, and ignores unknown value types', async () => {
  for (const [column, cell, type] of [
    ['value', '1.5', 'STRING'],
    ['value', true, 'BOOLEAN'],
    ['type', null, 'STRING'],
  ] as const) {
    const { tables, notes } = await readParquet(writeForeign({ [column]: [cell] }, { [column]: type }));
    assert.deepEqual(notes, []);
    const [point] = flatten(tables);
    assert.deepEqual([point?.value, point?.metric.valueType], [column === 'value' ? NaN : 1.5, 'double']);
  }
});

test('ParquetDecoder treats missing texts as empty', async () => {
  const types: Record<string, BasicType> = { unit: 'STRING', description: 'STRING' };
  const { tables, notes } = await readParquet(writeForeign({ unit: [null], description: [null] }, types));
  assert.deepEqual(notes, []);
  const [point] = flatten(tables);
  assert.deepEqual([point?.metric.unit, point?.metric.description], ['', '']);
});

/** RFC 4180, implemented independently of joulemetry's writer. */
function parseRfc4180(text: string): readonly (readonly string[])[] {
  const records: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/gsuy;
  while (field.lastIndex < text.length) {
    const [, quoted, plain = '', end] = field.exec(text) ?? assert.fail('no field');
    records.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\n') records.push([]);
  }
  return records.slice(0, -1);
}

test('CsvEncoder writes tables that any reader of RFC 4180 reads', () => {
  fc.assert(
    fc.property(anyTables, (tables) => {
      const encoder = new CsvEncoder(['hw.id']);
      encoder.columns = encoder.findMissing(tables);
      const text = encoder.header() + tables.map((table) => encoder.encode(table)).join('');
      const [heads = [], ...records] = parseRfc4180(text);
      for (const record of records) {
        assert.equal(record.length, heads.length);
        const resource: unknown = JSON.parse(record[heads.indexOf('resource')] ?? '');
        assert.ok(
          tables.some(({ series }) => series.some((one) => sameText(one.resource.attributes, resource))),
          text,
        );
      }
      const cells = records.flatMap((record) => record.slice(8)).filter((cell) => cell !== '');
      const values = tables.reduce((sum, { values: own, ended = [] }) => sum + own.length + ended.length, 0);
      assert.equal(cells.length, values);
    }),
  );
});

function sameText(one: unknown, other: unknown): boolean {
  return sortedText(one) === sortedText(other);
}

function sortedText(value: unknown): string {
  return JSON.stringify(Object.entries(value as object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
