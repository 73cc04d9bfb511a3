import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertReading, decodeRaw, formatOf, parseFactors } from './conversion.js';

const linear = { m: 1, b: 0, k1: 0, k2: 0 };

test('decodeRaw decodes unsigned bytes and both complements', () => {
  assert.deepEqual(
    [0, 0x7f, 0x80, 0xff].map((raw) => decodeRaw(raw, 'unsigned')),
    [0, 127, 128, 255],
  );
  assert.deepEqual(
    [0, 0x7f, 0x80, 0xff].map((raw) => decodeRaw(raw, 'twos_complement')),
    [0, 127, -128, -1],
  );
  assert.deepEqual(
    [1, 0x7f, 0x80, 0xfe].map((raw) => decodeRaw(raw, 'ones_complement')),
    [1, 127, -127, -1],
  );
  assert.deepEqual([0x00, 0x40, 0x80, 0xc0].map(formatOf), [
    'unsigned',
    'ones_complement',
    'twos_complement',
    undefined,
  ]);
});

const parse = (...bytes: number[]) => parseFactors(Uint8Array.from(bytes));

test('parseFactors reads ten bits of M and B and four of each exponent, all signed', () => {
  assert.deepEqual(parse(0xff, 0x7f, 0xff, 0x7f, 0, 0x77), { m: 0x1ff, b: 0x1ff, k1: 7, k2: 7 });
  assert.deepEqual(parse(0x00, 0x80, 0x00, 0x80, 0, 0x88), { m: -512, b: -512, k1: -8, k2: -8 });
  assert.deepEqual(parse(0xfe, 0xff, 0x01, 0x3f, 0, 0xd2), { m: -2, b: 1, k1: 2, k2: -3 });
});

test('convertReading scales B and the result by powers of ten', () => {
  // 12 V rail: 60 mV per step; an inlet: y = raw - 128; a power supply: 8 W per step, starting at 16 W.
  assert.equal(convertReading(200, 'unsigned', { m: 60, b: 0, k1: 0, k2: -3 }, 0), 12);
  assert.equal(convertReading(151, 'unsigned', { m: 1, b: -128, k1: 0, k2: 0 }, 0), 23);
  assert.equal(convertReading(40, 'unsigned', { m: 8, b: 16, k1: 0, k2: 0 }, 0), 336);
  assert.equal(convertReading(100, 'unsigned', { m: 12, b: 5, k1: 2, k2: -1 }, 0), 170);
});

const apply = (linearization: number, raw: number) => convertReading(raw, 'unsigned', linear, linearization);

test('convertReading applies each linearization, and has no result outside its domain', () => {
  const close = (linearization: number, raw: number, expected: number) =>
    assert.ok(Math.abs(apply(linearization, raw) - expected) < 1e-12 * Math.abs(expected));
  close(1, 10, Math.LN10);
  assert.equal(apply(2, 100), 2);
  assert.equal(apply(3, 8), 3);
  close(4, 2, 7.38905609893065);
  assert.equal(apply(5, 2), 100);
  assert.equal(apply(6, 10), 1024);
  assert.equal(apply(7, 4), 0.25);
  assert.equal(apply(8, 12), 144);
  assert.equal(apply(9, 3), 27);
  assert.equal(apply(10, 81), 9);
  assert.equal(apply(11, 27), 3);
  assert.equal(apply(0x70, 42), 42, 'its factors belong to the reading');
  assert.deepEqual([apply(1, 0), apply(7, 0), apply(12, 1)], [NaN, NaN, NaN]);
});
