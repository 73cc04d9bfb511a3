import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import {
  attributesOf,
  attributesText,
  hasNoValue,
  instantOf,
  parseAttributes,
  parseObject,
  pointsOf,
  textOf,
  valueOf,
} from './otlp-json.js';

/** Not every version of the engine reports the position. */
function withoutPlace(error: unknown): string {
  return String(error).replace(/ at column \d+$/u, '');
}

test('parseObject reports its input in words that do not depend on the engine', () => {
  for (const [text, found] of [
    ['[1]', 'a list'],
    ['7', '7'],
    ['null', 'null'],
    ['"a"', '"a"'],
    ['', 'a syntax error'],
    ['{"a":1', 'a syntax error'],
    ["{'a':1}", 'a syntax error at column 2'],
  ] as const) {
    assert.throws(
      () => parseObject(text),
      (error) => withoutPlace(error) === withoutPlace(`Error: expected a JSON object, found ${found}`),
      text,
    );
  }
  assert.deepEqual(parseObject(' {"a": [1]} '), { a: [1] });
});

test('instantOf reads instants as texts and numbers, 0 if absent, and none beyond 64 bits', () => {
  const last = 2n ** 63n - 1n;
  for (const [value, expected] of [
    ['1800000000123456789', 1_800_000_000_123_456_789n],
    [1_800_000_000, 1_800_000_000n],
    [String(last), last],
    ['', 0n],
    ['-1', 0n],
    [-1, 0n],
    [0.5, 0n],
    ['1e9', 0n],
    [undefined, 0n],
    [{ toString: 1 }, 0n],
  ] as const) {
    assert.equal(instantOf(value), expected);
  }
  assert.throws(
    () => instantOf(String(last + 1n)),
    /expected an instant of 64 bits, found 9223372036854775808/u,
  );
  assert.throws(() => instantOf('9'.repeat(20)), /expected an instant of 64 bits/u);
});

test("valueOf reads numbers in every form of protobuf's JSON", () => {
  const cases: readonly (readonly [object, number, boolean])[] = [
    [{ asDouble: 1.5 }, 1.5, false],
    [{ as_double: '1.5' }, 1.5, false],
    [{ asDouble: 'Infinity' }, Infinity, false],
    [{ asDouble: '-inf' }, -Infinity, false],
    [{ asDouble: 'NaN' }, NaN, false],
    [{ asInt: '9007199254740993' }, 9_007_199_254_740_992, true],
    [{ as_int: -7 }, -7, true],
    [{ asInt: 0, asDouble: 3 }, 0, true],
    // A non-number is a gap, and never 0, which would look like a counter reset.
    [{ asDouble: '' }, NaN, false],
    [{ asInt: ' ' }, NaN, true],
    [{ asInt: 'x' }, NaN, true],
    [{ asDouble: { valueOf: 1 } }, NaN, false],
    [{ asDouble: true }, NaN, false],
  ];
  for (const [point, value, isInt] of cases) {
    assert.deepEqual(valueOf({ ...point }), { value, isInt }, JSON.stringify(point));
  }
  for (const point of [{}, { asDouble: null }, { asInt: null }]) assert.equal(valueOf(point), undefined);
});

test('hasNoValue checks only the lowest flag', () => {
  assert.deepEqual(
    [0, 1, 2, 3, '1', undefined, null, {}].map((flags) => hasNoValue({ flags })),
    [false, true, false, true, true, false, false, false],
  );
});

test('pointsOf recognizes the kinds that tables support, and counts the points of others', () => {
  const dataPoints = [{ asInt: 1 }, 7, null, { asInt: 2 }];
  const points = [{ asInt: 1 }, { asInt: 2 }];
  for (const [metric, expected] of [
    [{ gauge: { dataPoints } }, { kind: 'gauge', points }],
    [{ sum: { data_points: dataPoints, isMonotonic: true } }, { kind: 'counter', points }],
    [{ sum: { dataPoints, is_monotonic: true, aggregationTemporality: 2 } }, { kind: 'counter', points }],
    [{ sum: { dataPoints, isMonotonic: 'true' } }, { kind: 'updowncounter', points }],
    [
      { sum: { dataPoints, isMonotonic: true, aggregation_temporality: 'AGGREGATION_TEMPORALITY_DELTA' } },
      { unsupported: 'sum of delta temporality', count: 2 },
    ],
    [{ histogram: { dataPoints } }, { kind: 'histogram', points }],
    [{ exponential_histogram: { dataPoints } }, { kind: 'exponential_histogram', points }],
    [
      { exponentialHistogram: { dataPoints, aggregationTemporality: 1 } },
      { unsupported: 'histogram of delta temporality', count: 2 },
    ],
    [
      { name: 'a', summary: { dataPoints } },
      { unsupported: 'summary', count: 2 },
    ],
    [{ name: 'a', summary: { dataPoints: [] } }, undefined],
    [{ name: 'a' }, undefined],
    [{ gauge: {} }, { kind: 'gauge', points: [] }],
  ] as const) {
    assert.deepEqual(pointsOf(metric), expected, JSON.stringify(metric));
  }
});

test('attributesOf keeps supported attribute values, and converts others to texts', () => {
  for (const [value, expected] of [
    [{ stringValue: '' }, ''],
    [{ bool_value: false }, false],
    [{ intValue: '42' }, 42],
    [{ intValue: '9007199254740993' }, '9007199254740993'],
    [{ doubleValue: 'Infinity' }, Infinity],
    [{ arrayValue: { values: [{ intValue: 1 }, { stringValue: 'b' }, {}] } }, '[1,"b",null]'],
    [{ kvlistValue: { values: [{ key: 'k', value: { array_value: {} } }] } }, '{"k":[]}'],
    [{ bytesValue: 'AQL/' }, 'AQL/'],
    [{ otherValue: 1 }, undefined],
    [{}, undefined],
    [7, undefined],
  ] as const) {
    assert.equal(attributesOf([{ key: 'a', value }])['a'], expected, JSON.stringify(value));
  }
  assert.deepEqual(attributesOf([{ value: { stringValue: 'no key' } }, 7, null]), {});
  assert.deepEqual(attributesOf({ key: 'a' }), {});
});

test('textOf converts any value to text', () => {
  assert.deepEqual(['a', '', 7, true, null, undefined, { a: [1] }].map(textOf), [
    'a',
    '',
    '7',
    'true',
    '',
    '',
    '{"a":[1]}',
  ]);
});

test('parseAttributes reads back the output of attributesText, and converts unsupported values to texts', () => {
  const anyValue = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), anyValue, { noNullPrototype: true }), (attributes) => {
      assert.deepEqual(parseAttributes(attributesText(attributes)), attributes);
    }),
  );
  assert.deepEqual(parseAttributes('{"a": null, "b": [1, 2], "c": {"d": 1}}'), {
    a: 'null',
    b: '[1,2]',
    c: '{"d":1}',
  });
});
