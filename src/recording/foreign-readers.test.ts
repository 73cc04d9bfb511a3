import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Attributes, Series } from '../model/series.js';
import { endDelayNs, timeOf, type Table } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { linesOf, writeParquet } from './formats.fixture.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';
import { anyTables } from './recording.fixture.js';

// Results of independent readers: `JSON.parse` with the field names of OTLP, and hyparquet.

interface Pair {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Point {
  readonly attributes?: readonly Pair[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
  readonly asInt?: string;
  readonly asDouble?: number | string;
  readonly flags?: number;
}

interface Points {
  readonly dataPoints: readonly Point[];
  readonly aggregationTemporality?: number;
  readonly isMonotonic?: boolean;
}

interface Line {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes?: readonly Pair[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly { readonly name: string; readonly gauge?: Points; readonly sum?: Points }[];
    }[];
  }[];
}

function plainAttributes(pairs: readonly Pair[] = []): Attributes {
  const plain = pairs.map(({ key, value }): [string, unknown] => {
    assert.equal(Object.keys(value).length, 1);
    return [key, 'intValue' in value ? Number(value['intValue']) : Object.values(value)[0]];
  });
  return Object.fromEntries(plain) as Attributes;
}

function kindOf({ aggregationTemporality, isMonotonic }: Points): string {
  if (aggregationTemporality === undefined) return 'gauge';
  assert.equal(aggregationTemporality, 2);
  return isMonotonic === true ? 'counter' : 'updowncounter';
}

function valueText({ asInt, asDouble, flags }: Point): string {
  if (flags !== undefined) return `none ${flags}`;
  return asInt === undefined ? `double ${Object.is(asDouble, -0) ? '-0' : asDouble}` : `int ${asInt}`;
}

/** Every point of a line, as one text. */
function readOtlp(line: string): readonly string[] {
  return (JSON.parse(line) as Line).resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .flatMap(({ name, gauge, sum }) => {
        const points = gauge ?? sum ?? assert.fail('no points');
        return points.dataPoints.map((point) =>
          JSON.stringify([
            [name, kindOf(points), plainAttributes(resource.attributes), plainAttributes(point.attributes)],
            [point.startTimeUnixNano ?? '0', point.timeUnixNano, valueText(point)],
          ]),
        );
      }),
  );
}

/** The text of a point as returned by `readOtlp`. NaN: it has no value. */
function expectedPoint({ metric, resource, attributes, start }: Series, at: bigint, value: number): string {
  const double = `double ${Object.is(value, -0) ? '-0' : value}`;
  const text = Number.isNaN(value) ? 'none 1' : metric.valueType === 'int' ? `int ${BigInt(value)}` : double;
  return JSON.stringify([
    [metric.name, metric.kind, resource.attributes, attributes],
    [String(start), String(at), text],
  ]);
}

function expectedPoints(table: Table): readonly string[] {
  const { series, values, offsets, ended = [] } = table;
  const cells = Array.from(values, (value, i) =>
    expectedPoint(series[i % series.length], timeOf(table, Math.floor(i / series.length)), value),
  );
  const end = timeOf(table, offsets.length - 1) + endDelayNs;
  return [...cells, ...ended.map((one) => expectedPoint(one, end, NaN))];
}

test('JSON.parse finds every point of every table in the lines, however short they are', () => {
  fc.assert(
    fc.property(anyTables, fc.constantFrom(1, 1500, 1_000_000), (tables, lineBytes) => {
      const encoder = new JsonLinesEncoder(lineBytes);
      for (const table of tables) encoder.add(table);
      const found = linesOf(encoder.take()).flatMap(readOtlp);
      assert.deepEqual(found.toSorted(), tables.flatMap(expectedPoints).toSorted());
    }),
  );
});

test('JsonLinesEncoder writes a point per line when no line has room for two', () => {
  fc.assert(
    fc.property(anyTables, (tables) => {
      const encoder = new JsonLinesEncoder(1);
      for (const table of tables) encoder.add(table);
      for (const line of linesOf(encoder.take())) assert.equal(readOtlp(line).length, 1, line);
    }),
  );
});

test('JsonLinesEncoder does not change earlier output, and returns nothing twice', () => {
  const [name, long] = ['x', 'y'.repeat(300_000)];
  const tableOf = (text: string): Table => ({
    series: [
      {
        metric: { name, unit: '', description: text, kind: 'gauge', valueType: 'double' },
        resource: { attributes: {} },
        attributes: {},
        start: 0n,
      },
    ],
    epoch: 1n,
    offsets: Float64Array.of(0),
    values: Float64Array.of(1),
  });
  const encoder = new JsonLinesEncoder();
  encoder.add(tableOf('short'));
  const first = encoder.take();
  const before = first.toString();
  encoder.add(tableOf('other'));
  encoder.add(tableOf(long));
  const lines = linesOf(encoder.take());
  assert.equal(first.toString(), before);
  assert.deepEqual(
    lines.map((line) => [line.includes('other'), line.includes(long), readOtlp(line).length]),
    [
      [true, false, 1],
      [false, true, 1],
    ],
  );
  assert.equal(encoder.take().length, 0);
});

const parsers = { timestampFromNanoseconds: (ns: bigint) => ns };

/** The cells of `time`, `metric`, `value`, `start_time`, `state` and `hw.id` in every row of a table. */
function expectedRows(table: Table): readonly (readonly unknown[])[] {
  const { series, values, offsets, ended = [] } = table;
  const rows = Array.from(values, (value, i) => [
    timeOf(table, Math.floor(i / series.length)),
    ...expectedCells(series[i % series.length], value),
  ]);
  const last = timeOf(table, offsets.length - 1);
  for (const one of ended) rows.push([last, ...expectedCells(one, NaN, 'ended')]);
  return rows;
}

function expectedCells({ metric, resource, attributes, start }: Series, value: number, state?: string) {
  const id = attributes['hw.id'] ?? resource.attributes['hw.id'];
  const present = Number.isNaN(value) ? undefined : value;
  return [metric.name, present, start === 0n ? undefined : start, state, id?.toString()];
}

test('hyparquet finds every point of every table in the rows, in their order', async () => {
  const columns = ['time', 'metric', 'value', 'start_time', 'state', 'hw.id'];
  await fc.assert(
    fc.asyncProperty(anyTables, async (tables) => {
      const rows = await parquetReadObjects({ file: writeParquet(tables), parsers });
      const found = rows.map((row) => columns.map((name) => row[name] ?? undefined));
      assert.deepEqual(found, tables.flatMap(expectedRows));
    }),
  );
});

/** The statistics of the columns by which readers filter, of every row group. */
function readRanges(file: ArrayBuffer, name: string) {
  return parquetMetadata(file, { parsers }).row_groups.map(({ columns }) => {
    const column = columns.find(({ meta_data: one }) => one?.path_in_schema[0] === name);
    return column?.meta_data?.statistics ?? assert.fail(`no statistics of ${name}`);
  });
}

/** Asserts that a range covers every value; missing ones do not count. */
function assertWithin(
  { values }: Table,
  { min_value: min, max_value: max }: ReturnType<typeof readRanges>[0],
) {
  const present = values.filter((value) => !Number.isNaN(value));
  const outside = present.filter((value) => !(Number(min) <= value && value <= Number(max)));
  assert.deepEqual([...outside], [], `range from ${String(min)} to ${String(max)}`);
}

test('the statistics in a Parquet file cover every value, so that a reader may skip row groups', () => {
  fc.assert(
    fc.property(anyTables, (tables) => {
      const file = writeParquet(tables);
      const times = readRanges(file, 'time');
      for (const [i, range] of readRanges(file, 'value').entries()) {
        const table = tables[i] ?? assert.fail('no table');
        assertWithin(table, range);
        const gaps = table.values.filter(Number.isNaN).length + (table.ended?.length ?? 0);
        assert.equal(range.null_count ?? 0n, BigInt(gaps));
        const [first, last] = [0, table.offsets.length - 1].map((row) => timeOf(table, row));
        assert.deepEqual([times[i]?.min_value, times[i]?.max_value], [first, last]);
      }
    }),
  );
});

test('the statistics of names in a Parquet file use byte order', () => {
  // JavaScript orders these texts differently: a surrogate pair comes before U+FF5E.
  const names = ['～', '😀', 'é', 'z'];
  const series = names.map((name): Series => {
    const metric = { name, unit: '', description: '', kind: 'gauge', valueType: 'double' } as const;
    return { metric, resource: { attributes: {} }, attributes: {}, start: 0n };
  });
  const table = { series, epoch: 1n, offsets: Float64Array.of(0), values: Float64Array.of(1, 2, 3, 4) };
  const [range] = readRanges(writeParquet([table]), 'metric');
  assert.deepEqual([String(range?.min_value), String(range?.max_value)], ['z', '😀']);
});
