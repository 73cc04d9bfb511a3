import type { HistogramTable } from '../model/histogram-table.js';
import { attributesKey, type Attributes, type Metric, type Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import type { Sink } from './decoder.js';

/** A sink that keeps what it receives. */
export function createSink() {
  const tables: Table[] = [];
  const histogramTables: HistogramTable[] = [];
  const notes: string[] = [];
  const sink: Sink = {
    table: (table) => void tables.push(table),
    histograms: (table) => void histogramTables.push(table),
    malformed: (reason) => void notes.push(reason),
    unsupported: (kind, points) => void notes.push(`${points} of ${kind}`),
  };
  return { ...sink, tables, histogramTables, notes };
}

/** A cell with all its properties. NaN: a gap; undefined: its series ended. */
export interface FlatPoint {
  readonly metric: Metric;
  readonly resource: Attributes;
  readonly attributes: Attributes;
  readonly start: bigint;
  readonly time: bigint;
  readonly value: number | undefined;
}

/** The cells of tables, sorted within each table, since columns may be in any order. */
export function flatten(tables: readonly Table[]): readonly FlatPoint[] {
  return tables.flatMap((table) => sortPoints([...cellsOf(table), ...endsOf(table)]));
}

function cellsOf({ series, epoch, offsets, values }: Table): FlatPoint[] {
  return Array.from(values, (value, cell) => {
    const row = Math.floor(cell / series.length);
    return flat(series[cell % series.length], epoch + BigInt(offsets[row]), value);
  });
}

function endsOf({ epoch, offsets, ended = [] }: Table): FlatPoint[] {
  return ended.map((series) => flat(series, epoch + BigInt(offsets.at(-1) ?? 0), undefined));
}

function flat(
  { metric, resource, attributes, start }: Series,
  time: bigint,
  value: number | undefined,
): FlatPoint {
  return { metric: { ...metric }, resource: resource.attributes, attributes, start, time, value };
}

/** Sorts so that the order depends on that of rows, but not on that of columns. */
export function sortPoints(points: readonly FlatPoint[]): readonly FlatPoint[] {
  const keyOf = (point: FlatPoint) =>
    [
      point.time.toString().padStart(20, '0'),
      point.value === undefined ? 1 : 0,
      JSON.stringify([point.metric, attributesKey(point.resource), attributesKey(point.attributes)]),
    ].join(' ');
  return points.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const text = fc.oneof(
  fc.constantFrom(
    'cpu',
    'hw.id',
    '=1+1',
    "'@x",
    '-5',
    '\t=1',
    'a,b',
    'say "x"',
    'line\nbreak',
    'é😀',
    '',
    ' ',
    '__proto',
    '0',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const attributeValue = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const attributes: fc.Arbitrary<Attributes> = fc
  .dictionary(
    text.filter((key) => key !== '__proto__'),
    attributeValue,
    { maxKeys: 3 },
  )
  .map((plain) => Object.fromEntries(Object.entries(plain)));

const metric: fc.Arbitrary<Metric> = fc
  .record({
    name: fc.constantFrom('hw.energy', 'process.cpu.time', 'x', 'odd (J), "name"', '=1+1', "'-x"),
    kind: fc.constantFrom('gauge', 'counter', 'updowncounter'),
    valueType: fc.constantFrom('int', 'double'),
  })
  .map(({ name, kind, valueType }) => ({
    // A name is used for one kind of metric only.
    name: `${name}.${kind}.${valueType}`,
    unit: name === 'x' ? '' : 'J',
    description: `What ${name} is`,
    kind,
    valueType,
  }));

const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(
    NaN,
    -0,
    0,
    5e-324,
    1.7976931348623157e308,
    Infinity,
    -Infinity,
    0.1,
    1e21,
    123_456_789.123,
  ),
);
const anyWhole = fc
  .oneof(fc.maxSafeInteger(), fc.constantFrom(NaN, 2 ** 60, -(2 ** 62), 0))
  .map((value) => value + 0);

/** Tables of some series, some of which end. Instants increase from table to table. */
export const anyTables: fc.Arbitrary<readonly Table[]> = fc
  .uniqueArray(fc.tuple(metric, attributes, attributes), {
    minLength: 1,
    maxLength: 5,
    selector: ([one, a, b]) => JSON.stringify([one.name, attributesKey(a), attributesKey(b)]),
  })
  .chain((identities) => {
    const resources = new Map<string, Series['resource']>();
    const series = identities.map(([one, own, ofResource], i): Series => {
      const key = attributesKey(ofResource);
      const resource = resources.get(key) ?? { attributes: ofResource };
      resources.set(key, resource);
      return { metric: one, resource, attributes: own, start: BigInt(i) * 1_700_000_000_123_456_789n };
    });
    return fc
      .array(
        fc.record({
          rows: fc.integer({ min: 1, max: 3 }),
          seed: fc.array(fc.tuple(anyDouble, anyWhole), { minLength: 15, maxLength: 15 }),
          isLast: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      )
      .map((shapes) => shapes.map((shape, at) => createTable(series, shape, at, at === shapes.length - 1)));
  });

interface Shape {
  readonly rows: number;
  readonly seed: readonly (readonly [number, number])[];
  readonly isLast: boolean;
}

function createTable(
  series: readonly Series[],
  { rows, seed, isLast }: Shape,
  at: number,
  isEnd: boolean,
): Table {
  const values = Float64Array.from({ length: rows * series.length }, (_, cell) => {
    const [double, whole] = seed[cell % seed.length];
    return series[cell % series.length].metric.valueType === 'int' ? whole : double;
  });
  return {
    series,
    epoch: 1_800_000_000_123_456_789n + BigInt(at) * 1_000_000_000n,
    offsets: Float64Array.from({ length: rows }, (_, row) => row * 999_999),
    values,
    ...(isEnd && isLast && { ended: series }),
  };
}
