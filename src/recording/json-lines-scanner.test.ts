import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { endDelayNs, type Table } from '../model/table.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { PointStream } from './decoder.js';
import { linesOf } from './formats.fixture.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';
import { JsonLinesScanner } from './json-lines-scanner.js';
import { anyTables, createSink, flatten } from './recording.fixture.js';

function encode(tables: readonly Table[], lineBytes = 1_000_000): readonly string[] {
  const encoder = new JsonLinesEncoder(lineBytes);
  for (const table of tables) encoder.add(table);
  return linesOf(encoder.take());
}

/** The result of a decoder for lines. The position of a mistake depends on the length of the line. */
function decode(lines: readonly string[]) {
  const sink = createSink();
  const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
  for (const line of lines) decoder.line(line);
  return {
    points: flatten(sink.tables),
    notes: sink.notes.map((note) => note.replace(/ at column \d+/u, '')),
  };
}

/** The same lines in a form that the scanner leaves to `JSON.parse`. */
function spaced(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `${line} `);
}

/** @param described every series that the scanner describes, which are those that it does not remember */
function createScanner(maxSeries?: number, described: Series[] = []): JsonLinesScanner {
  return new JsonLinesScanner(
    {
      resource: () => ({ attributes: {} }),
      attributes: () => ({}),
      metric: (_, kind, isInt) => ({
        name: '',
        unit: '',
        description: '',
        kind,
        valueType: isInt ? 'int' : 'double',
      }),
      series: (record) => {
        described.push(record);
        return record;
      },
    },
    maxSeries,
  );
}

function seriesOf(name: string, more: Partial<Series['metric']> = {}): Series {
  const metric = { name, unit: 'J', description: '', kind: 'counter', valueType: 'double', ...more } as const;
  return { metric, resource: { attributes: { 'host.name': 'a' } }, attributes: { id: 1 }, start: 5n };
}

function withId(series: Series, id: number): Series {
  return { ...series, attributes: { id } };
}

const energy = seriesOf('energy');
const count = seriesOf('count', { valueType: 'int', kind: 'gauge' });
const epoch = 1_800_000_000_000_000_000n;
const table: Table = {
  series: [energy, count],
  epoch,
  offsets: Float64Array.of(0, 100),
  values: Float64Array.of(1.5, -3, NaN, 4),
};

test('JsonLinesScanner reads the output of JsonLinesEncoder: gaps, ends, and lines of a few rows', () => {
  const scanner = createScanner();
  for (const lineBytes of [1, 600, 1_000_000]) {
    for (const line of encode([table, { ...table, ended: [energy] }], lineBytes))
      assert.notEqual(scanner.scan(line), undefined, line);
  }
});

test('JsonLinesScanner reads a line of the Collector', () => {
  const point = '"timeUnixNano":"1800000000000000000","asDouble":1.5';
  const attributes = '"attributes":[{"key":"id","value":{"intValue":"1"}}]';
  const line =
    `{"resourceMetrics":[{"resource":{${attributes}},"scopeMetrics":[{"scope":{},"metrics":[` +
    `{"name":"x","sum":{"dataPoints":[{${attributes},"startTimeUnixNano":"5",${point}}],` +
    `"aggregationTemporality":2,"isMonotonic":true}},{"name":"y","gauge":{"dataPoints":[{${point}}]}}]}]}]}`;
  const instants = createScanner().scan(line);
  assert.deepEqual([...(instants?.keys() ?? [])], [epoch]);
  assert.deepEqual(decode([line]), decode(spaced([line])));
  assert.equal(decode([line]).points.length, 2);
});

test('JsonLinesScanner leaves every other form to JSON.parse: unknown fields, or another order', () => {
  const [line = ''] = encode([table]);
  const scanner = createScanner();
  assert.notEqual(scanner.scan(line), undefined);
  for (const [part, other] of [
    [']}}]}]}]}', ']}} ]}]}]}'],
    [']}]}]}', ']}]}]} '],
    ['"asInt":"4"', '"asInt":4'],
    ['"asInt":"4"', '"asInt":"4","flags":0'],
    ['"asInt":"4"', '"asInt":"4.5"'],
    ['"asInt":"4"', '"asInt":"4e3"'],
    ['"timeUnixNano":"18', '"timeUnixNano":"018'],
    [`"timeUnixNano":"${epoch}"`, '"timeUnixNano":""'],
    ['"asDouble":1.5', '"asDouble":"Infinity"'],
    ['{"attributes":[{"key":"id"', '{"exemplars":[],"attributes":[{"key":"id"'],
    ['"startTimeUnixNano"', '"start_time_unix_nano"'],
    ['"unit":"J"', '"unit":"J","exponentialHistogram":{}'],
    ['"sum":{', '"sum":{"isMonotonic":true,'],
    ['"aggregationTemporality":2', '"aggregationTemporality":1'],
    [',"aggregationTemporality":2,"isMonotonic":true', ''],
    ['"scopeMetrics":[', '"scopeMetrics":[{"scope":{},"metrics":[]},'],
    ['"scopeMetrics":[', '"scopeMetrics":[{},'],
    [']}]}]}', ']}],"schemaUrl":"x"}]}'],
    ['"resourceMetrics"', '"resource_metrics"'],
  ] as const) {
    const changed = line.replace(part, () => other);
    assert.notEqual(changed, line, part);
    assert.equal(scanner.scan(changed), undefined, changed);
  }
});

test('JsonLinesScanner rejects numbers that are not valid JSON', () => {
  const [line = ''] = encode([{ ...table, values: Float64Array.of(1.5, 2, 3, 4) }]);
  for (const value of ['0', '-0', '1e5', '-1.25E-7', '0.1'])
    assert.notEqual(createScanner().scan(line.replace('1.5', value)), undefined, value);
  for (const value of [
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
    'NaN',
    'Infinity',
    '1e',
    '-',
    '',
    ' 1',
    '1 ',
    '1_0',
    'null',
  ])
    assert.equal(createScanner().scan(line.replace('1.5', value)), undefined, value);
});

test('the scanner and JSON.parse read the same from a line', () => {
  fc.assert(
    fc.property(anyTables, fc.constantFrom(1, 900, 1_000_000), (tables, lineBytes) => {
      const lines = encode(tables, lineBytes);
      const read = decode(lines);
      assert.deepEqual(read.notes, []);
      assert.deepEqual(read, decode(spaced(lines)));
    }),
  );
});

test('the scanner and JSON.parse read the same from a damaged line among others', () => {
  const characters = fc.constantFrom(...'{}[]",:\\0129.-+eE aé\u0001'.split(''));
  fc.assert(
    fc.property(anyTables, fc.nat(), characters, fc.nat(2), (tables, place, character, removed) => {
      const lines = encode([...tables, table, table]);
      const text = lines.join('\n');
      const at = place % text.length;
      const damaged = (text.slice(0, at) + character + text.slice(at + removed)).split('\n');
      assert.deepEqual(decode(damaged), decode(spaced(damaged)));
    }),
    { numRuns: 300 },
  );
});

test('JsonLinesScanner reads the same after it has cleared its caches', () => {
  const scanner = createScanner(0);
  const [line = ''] = encode([table]);
  const first = scanner.scan(line);
  assert.deepEqual(scanner.scan(line), first);
  assert.equal(first?.get(epoch)?.length, 2);
});

test('JsonLinesScanner remembers series up to its maximum, and then forgets all of them', () => {
  const others = [energy, count].map((one) => withId(one, 2));
  const [line = '', other = ''] = [...encode([table]), ...encode([{ ...table, series: others }])];
  const described: Series[] = [];
  const scanner = createScanner(2, described);
  const counts = [line, line, other, line, line].map((one) => {
    scanner.scan(one);
    return described.length;
  });
  assert.deepEqual(counts, [2, 2, 4, 6, 6]);
});

/** The type of the values of each point of a line. */
function typesOf(scanner: JsonLinesScanner, line = ''): readonly string[] {
  const points = [...(scanner.scan(line)?.values() ?? [])].flat();
  return points.map(({ record }) => record.metric.valueType);
}

test('JsonLinesScanner reads the type of values from each line', () => {
  const scanner = createScanner();
  const row = { ...table, offsets: Float64Array.of(0), values: Float64Array.of(3) };
  const lines = (['int', 'double', 'int'] as const).flatMap((valueType) =>
    encode([{ ...row, series: [seriesOf('x', { valueType })] }]),
  );
  assert.deepEqual(
    lines.flatMap((line) => typesOf(scanner, line)),
    ['int', 'double', 'int'],
  );
});

test('JsonLinesScanner reads the type of a metric that has only gaps, after a metric with more points', () => {
  const counts = [1, 2, 3].map((id) => withId(count, id));
  const [line] = encode([
    {
      ...table,
      series: [...counts, energy],
      offsets: Float64Array.of(0),
      values: Float64Array.of(1, 2, 3, NaN),
    },
  ]);
  assert.deepEqual(typesOf(createScanner(), line), ['int', 'int', 'int', 'double']);
});

/** The instants of a line that have points. */
function instantsOf(line: string): readonly bigint[] {
  const instants = createScanner().scan(line) ?? [];
  return [...instants].flatMap(([at, points]) => (points.length > 0 ? [at] : []));
}

test('JsonLinesScanner places the end of a series before the delay of ends, and never before 0', () => {
  const row = { ...table, series: [energy], offsets: Float64Array.of(0), values: Float64Array.of(1) };
  const line = encode([{ ...row, ended: [energy] }]).find((one) => one.includes('"flags":1')) ?? '';
  assert.ok(instantsOf(line).includes(epoch));
  const early = line.replace(`${epoch + endDelayNs}`, '7');
  assert.notEqual(early, line);
  assert.ok(instantsOf(early).includes(7n), instantsOf(early).join(', '));
  assert.deepEqual(decode([early]), decode(spaced([early])));
});

test('an equal series that restarts after its end is a new object, and the same object until then', () => {
  const row = { ...table, offsets: Float64Array.of(0), values: Float64Array.of(1, 2) };
  const lines = encode([
    row,
    { ...row, epoch: epoch + 1_000_000_000n, ended: [energy] },
    { ...row, epoch: epoch + 2_000_000_000n },
  ]);
  const sink = createSink();
  const stream = new PointStream(sink);
  for (const line of lines) new JsonLinesDecoder(sink, stream).line(line);
  const found = sink.tables.flatMap(({ series }) => series.filter(({ metric }) => metric.name === 'energy'));
  assert.equal(found.length, 3);
  assert.deepEqual([found[0] === found[1], found[1] === found[2]], [true, false]);
});
