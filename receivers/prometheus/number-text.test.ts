import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { parseNumber } from './number-text.js';

function parse(text: string): number {
  const target = new Float64Array(1);
  const bytes = Buffer.from(`${text}\n`);
  assert.equal(parseNumber(bytes, 0, target, 0), text.length, text);
  return target[0] ?? 0;
}

test('parseNumber rounds like Number, for every number and notation', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.double({ min: 0, max: 1 }),
      ),
      fc.constantFrom(
        String,
        (value: number) => value.toExponential(),
        (value: number) => value.toFixed(6),
      ),
      (value, write) => {
        const text = write(value);
        assert.ok(Object.is(parse(text), Number(text)), text);
      },
    ),
  );
});

test('parseNumber reads the output of Go, and the special values', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['-0', -0],
    ['+1', 1],
    ['.5', 0.5],
    ['5.', 5],
    ['1.458255915e+09', 1_458_255_915],
    ['1E-5', 0.000_01],
    ['000123', 123],
    ['0.000000000000000000000000000000123', 1.23e-31],
    ['123456789012345678', 123_456_789_012_345_680],
    ['9007199254740993', 9_007_199_254_740_992],
    ['1e400', Infinity],
    ['+Inf', Infinity],
    ['-inf', -Infinity],
    ['NaN', NaN],
    ['nan', NaN],
  ];
  for (const [text, value] of cases) assert.ok(Object.is(parse(text), value), text);
});

test('parseNumber rejects invalid numbers', () => {
  for (const text of ['', 'e5', '1e', '1e+', '.', '-', '1.2.3', '0x10', '1_000', '12a', 'Infinit', '--1']) {
    assert.throws(() => parse(text), /expected a number, found "/u, text);
  }
});
