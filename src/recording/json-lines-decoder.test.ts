import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { decode, gaugeOf, lineOf, ours } from './json-lines.fixture.js';
import { flatten } from './recording.fixture.js';

const sumOf = (points: readonly object[], sum: object) => ({
  name: 'x',
  unit: 'J',
  sum: { dataPoints: points, ...sum },
});

function describe({ tables }: ReturnType<typeof decode>): readonly string[] {
  return flatten(tables).map(
    ({ metric, time, value }) => `${metric.kind} ${metric.valueType} @${time} ${value ?? 'ended'}`,
  );
}

test('JsonLinesDecoder reads gauges, counters and up-down counters', () => {
  const points = [{ timeUnixNano: '5', startTimeUnixNano: '2', asDouble: 1.5 }];
  const found = decode(
    lineOf([gaugeOf(points)]),
    lineOf([sumOf(points, { aggregationTemporality: 2, isMonotonic: true })]),
    lineOf([sumOf(points, { aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE' })]),
  );
  assert.deepEqual(found.notes, []);
  // One name, resource and attribute set: each series replaces the previous one.
  assert.deepEqual(
    describe(found).filter((text) => !text.endsWith('ended')),
    ['gauge double @5 1.5', 'counter double @5 1.5', 'updowncounter double @5 1.5'],
  );
  assert.equal(found.tables[0]?.series[0]?.start, 2n);
});

test('JsonLinesDecoder reads the names of fields in either case', () => {
  const found = decode({
    resource_metrics: [
      {
        resource: { attributes: [{ key: 'a', value: { string_value: 'b' } }] },
        scope_metrics: [
          {
            metrics: [
              {
                name: 'x',
                sum: {
                  aggregation_temporality: 2,
                  is_monotonic: true,
                  data_points: [{ time_unix_nano: 5, start_time_unix_nano: 3, as_int: '7' }],
                },
              },
            ],
          },
        ],
      },
    ],
  });
  assert.deepEqual(describe(found), ['counter int @5 7']);
  const [series] = found.tables[0]?.series ?? [];
  assert.deepEqual([series?.resource.attributes, series?.start], [{ a: 'b' }, 3n]);
});

test('JsonLinesDecoder reads attribute values of every kind', () => {
  const attributes = Object.entries({
    text: { stringValue: 't' },
    whole: { intValue: '42' },
    huge: { intValue: '9007199254740993' },
    double: { doubleValue: 0.5 },
    infinite: { doubleValue: '-Infinity' },
    truth: { boolValue: false },
    list: { arrayValue: { values: [{ intValue: '1' }] } },
  }).map(([key, value]) => ({ key, value }));
  const odd = [{ key: 1, value: { stringValue: 'x' } }, { key: 'none' }, 'text', null];
  const { tables } = decode(
    lineOf([gaugeOf([{ timeUnixNano: '1', asDouble: 1, attributes: [...attributes, ...odd] }])]),
  );
  assert.deepEqual(tables[0]?.series[0]?.attributes, {
    text: 't',
    whole: 42,
    huge: '9007199254740993',
    double: 0.5,
    infinite: -Infinity,
    truth: false,
    list: '[1]',
  });
});

test('JsonLinesDecoder treats a point without a value as the end of its series', () => {
  const found = decode(
    lineOf([gaugeOf([{ timeUnixNano: '5000000', asDouble: 1 }])]),
    lineOf([gaugeOf([{ timeUnixNano: '6000000', flags: 1 }])]),
  );
  assert.deepEqual(describe(found), ['gauge double @5000000 1', 'gauge double @6000000 ended']);
});

test('JsonLinesDecoder moves an end written by joulemetry back to the last row', () => {
  const found = decode(
    lineOf([gaugeOf([{ timeUnixNano: '5000000', asDouble: 1 }])], ours),
    lineOf([gaugeOf([{ timeUnixNano: '6000000', flags: 1 }])], ours),
  );
  assert.deepEqual(describe(found), ['gauge double @5000000 1', 'gauge double @5000000 ended']);
});

test('JsonLinesDecoder makes a row of the points of an instant, and sorts rows by time', () => {
  const points = [
    { timeUnixNano: '20', asDouble: 2 },
    { timeUnixNano: '10', asDouble: 1 },
  ];
  const metrics = ['x', 'y'].map((name) => gaugeOf(points, { name }));
  const { tables } = decode(lineOf(metrics));
  assert.equal(tables.length, 1);
  const [table] = tables;
  assert.deepEqual(
    [table?.epoch, [...(table?.offsets ?? [])], [...(table?.values ?? [])]],
    [10n, [0, 10], [1, 1, 2, 2]],
  );
});

test('JsonLinesDecoder keeps tables of different lines separate', () => {
  const [first, second] = ['1', '2'].map((at) => lineOf([gaugeOf([{ timeUnixNano: at, asDouble: 1 }])]));
  const { tables } = decode(first, second);
  assert.equal(tables.length, 2);
  assert.equal(tables[0]?.series, tables[1]?.series);
});

test('JsonLinesDecoder counts points that tables do not support, and reads the rest of the line', () => {
  const point = [{ timeUnixNano: '1', asDouble: 1 }];
  const found = decode(
    lineOf([
      { name: 's', summary: { dataPoints: [{}, {}] } },
      { name: 'h', histogram: { aggregationTemporality: 1, dataPoints: [{}] } },
      sumOf(point, { aggregationTemporality: 1 }),
      { name: 'empty', summary: { dataPoints: [] } },
      { name: 'nothing' },
      gaugeOf(point),
    ]),
  );
  assert.deepEqual(found.notes, [
    '2 of summary',
    '1 of histogram of delta temporality',
    '1 of sum of delta temporality',
  ]);
  assert.deepEqual(describe(found), ['gauge double @1 1']);
});

test('JsonLinesDecoder reports a malformed line and reads the next', () => {
  const found = decode(
    '{"resourceMetrics":[',
    '[]',
    '7',
    '{"resourceLogs":[]}',
    lineOf([gaugeOf([{ timeUnixNano: '9223372036854775808', asDouble: 1 }])]),
    lineOf([gaugeOf([{ timeUnixNano: '1', asDouble: 1 }])]),
  );
  assert.match(found.notes[0] ?? '', /^expected a JSON object, found a syntax error(?: at column \d+)?$/u);
  assert.deepEqual(found.notes.slice(1), [
    'expected a JSON object, found a list',
    'expected a JSON object, found 7',
    'expected a list "resourceMetrics", found none',
    'expected an instant of 64 bits, found 9223372036854775808',
  ]);
  assert.deepEqual(describe(found), ['gauge double @1 1']);
});

test('JsonLinesDecoder reads a non-number as NaN, a gap', () => {
  const found = decode(
    lineOf([gaugeOf([{ timeUnixNano: '1', asDouble: 'NaN' }])]),
    lineOf([gaugeOf([{ timeUnixNano: '2', asDouble: 'Infinity' }])]),
    lineOf([gaugeOf([{ timeUnixNano: '3', asDouble: {} }])]),
  );
  assert.deepEqual(describe(found), [
    'gauge double @1 NaN',
    'gauge double @2 Infinity',
    'gauge double @3 NaN',
  ]);
});

test('JsonLinesDecoder reads more instants than it caches', () => {
  const times = Array.from({ length: 10_001 }, (_, i) => String(i + 1));
  const points = times.map((time) => ({ timeUnixNano: time, startTimeUnixNano: '1', asInt: time }));
  const { tables, notes } = decode(lineOf([gaugeOf(points)]), lineOf([gaugeOf(points)]));
  assert.deepEqual(notes, []);
  const found = flatten(tables).map(({ time, start, value }) => `${time} ${start} ${value}`);
  const expected = times.map((time) => `${time} 1 ${time}`);
  assert.deepEqual(found, [...expected, ...expected]);
});

const pairOf = (key: string, stringValue: string) => [{ key, value: { stringValue } }];

test('JsonLinesDecoder does not confuse attributes with similar text', () => {
  // The characters that separate and frame the texts of pairs.
  const text = fc.string({ unit: fc.constantFrom('1', ' ', ':'), maxLength: 2 });
  const value = fc.oneof(
    text.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.nat(2).map((whole) => ({ intValue: String(whole) })),
  );
  const pairs = fc.uniqueArray(fc.record({ key: text, value }), { maxLength: 3, selector: ({ key }) => key });
  fc.assert(
    fc.property(fc.array(pairs, { minLength: 2, maxLength: 10 }), (sets) => {
      const lines = sets.map((attributes) =>
        lineOf([gaugeOf([{ timeUnixNano: '1', asInt: 1, attributes }])]),
      );
      const found = flatten(decode(...lines).tables).map(({ attributes }) => attributes);
      const expected = sets.map((set) =>
        Object.fromEntries(
          set.map(({ key, value: one }) => [
            key,
            'intValue' in one ? Number(one.intValue) : Object.values(one)[0],
          ]),
        ),
      );
      assert.deepEqual(found, expected);
    }),
    { examples: [[[pairOf('1', ' 1'), pairOf('1 ', '1'), pairOf('', '1  1')]]] },
  );
});

test('JsonLinesDecoder reads a point twice that is duplicated in a line', () => {
  const point = { timeUnixNano: '5', asDouble: 1 };
  const found = decode(lineOf([gaugeOf([point, { ...point, asDouble: 2 }])]));
  assert.deepEqual(describe(found), ['gauge double @5 1', 'gauge double @5 2']);
});

test('JsonLinesDecoder ends no unknown series, and none with another start', () => {
  const found = decode(
    lineOf([gaugeOf([{ timeUnixNano: '5', flags: 1 }])]),
    lineOf([gaugeOf([{ timeUnixNano: '6', startTimeUnixNano: '2', asDouble: 1 }])]),
    lineOf([gaugeOf([{ timeUnixNano: '7', startTimeUnixNano: '3', flags: 1 }])]),
  );
  assert.deepEqual([describe(found), found.notes], [['gauge double @6 1'], []]);
});
