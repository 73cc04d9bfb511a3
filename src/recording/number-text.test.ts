import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../contract/fixed-seed.fixture.js';
import { doubleText, intText } from './number-text.js';

test('doubleText gives the same double again, whatever it is', () => {
  fc.assert(fc.property(fc.double({ noNaN: true }), (value) => Object.is(Number(doubleText(value)), value)));
});

test('doubleText writes exponents with two digits', () => {
  const texts = [1e-7, -2.5e-9, 1e-10, 1e21, 0.000_001, -0].map(doubleText);
  assert.deepEqual(texts, ['1e-07', '-2.5e-09', '1e-10', '1e+21', '0.000001', '-0']);
});

test('intText writes plain digits within 64 bits', () => {
  const texts = [-0, 2.5, 2 ** 53, 1e19, -1e300].map(intText);
  assert.deepEqual(texts, ['0', '3', '9007199254740992', '9223372036854774784', '-9223372036854775808']);
});
