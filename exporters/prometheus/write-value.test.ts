import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { maxValueBytes, writeValue } from './write-value.js';

const out = Buffer.alloc(maxValueBytes + 2);

function textOf(value: number): string {
  out.fill(1);
  const end = writeValue(value, out, 1);
  assert.equal(out[0], 1, 'nothing before is touched');
  assert.ok(end <= maxValueBytes + 1);
  return out.toString('latin1', 1, end);
}

test('writeValue writes whole numbers without an exponent, and infinity as Go does', () => {
  assert.equal(textOf(2 ** 53), '9007199254740992');
  assert.equal(textOf(2 ** 64), '18446744073709552000');
  assert.equal(textOf(0.1), '0.1');
  assert.equal(textOf(1e-9), '1e-9');
  assert.equal(textOf(-Infinity), '-Inf');
  assert.equal(textOf(Infinity), '+Inf');
});

test('writeValue writes what String does', () => {
  const whole = [
    0,
    -0,
    1,
    -1,
    9,
    10,
    99,
    100,
    999_999_999,
    1e9,
    1_000_000_001,
    1e15,
    1e20,
    1e21,
    2 ** 53 - 1,
  ];
  const decimal = [1e-6, 1.1e-6, 9.99e-7, 1e-7, 0.5, 1e6 - 1e-9, 1e6 + 0.5, 999_999.999_999_999, 2 ** -14];
  const long = [Number.MAX_VALUE, Number.MIN_VALUE, 0.1 + 0.2, -1.234567890123456e-100, -(2 ** 53)];
  for (const value of [...whole, ...decimal, ...long]) assert.equal(textOf(value), String(value));
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const billionths = fc.integer({ min: -(10 ** 15), max: 10 ** 15 });
  holdsFor(fc.oneof(finite, billionths, fc.maxSafeInteger()), (number) => {
    for (const value of [number, number / 1e9, number / 1e6, number * 1e-9, number + 0.1]) {
      if (Number.isFinite(value)) assert.equal(textOf(value), String(value));
    }
  });
});
