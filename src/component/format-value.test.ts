import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRatio, formatSize, formatValue } from './format-value.js';

test('formatValue shows four digits and a prefix that suits them', () => {
  const expected: readonly (readonly [number, string])[] = [
    [0, '0 J'],
    [1e-9, '0 J'],
    [0.000012345, '12.35 µJ'],
    [0.0123456, '12.35 mJ'],
    [0.5, '500.0 mJ'],
    [1.23456, '1.235 J'],
    [12.3456, '12.35 J'],
    [123.456, '123.5 J'],
    [1234.56, '1.235 kJ'],
    [1_234_567, '1.235 MJ'],
    [1.5e10, '15.00 GJ'],
    [1.5e13, '15000 GJ'],
    [-3.456, '-3.456 J'],
  ];
  for (const [value, text] of expected) assert.equal(formatValue(value, 'J'), text);
});

test('formatValue goes to the next prefix, when rounding reaches it', () => {
  assert.equal(formatValue(0.99999, 'W'), '1.000 W');
  assert.equal(formatValue(999.96, 'W'), '1.000 kW');
  assert.equal(formatValue(999.94, 'W'), '999.9 W');
  assert.equal(formatValue(-0.5, 'J'), '-500.0 mJ');
  for (let value = 1e-6; value < 1e9; value *= 1.0001) {
    assert.match(formatValue(value, 'W'), /^(\d\.\d{3}|\d\d\.\d\d|\d{3}\.\d) [GMkmµ]?W$/, String(value));
  }
});

test('formatValue leaves seconds seconds', () => {
  assert.deepEqual([formatValue(7265, 's'), formatValue(0.0042, 's')], ['7265 s', '4.200 ms']);
});

test('formatValue and formatRatio show a dash, when there is no number', () => {
  for (const value of [NaN, Infinity]) {
    assert.deepEqual([formatValue(value, 'W'), formatRatio(value)], ['-', '-']);
  }
});

test('formatRatio shows a decimal below 100 %', () => {
  assert.deepEqual([0.1234, 0.9999, 1.876].map(formatRatio), ['12.3 %', '100 %', '188 %']);
});

test('formatSize shows bytes in powers of ten', () => {
  assert.deepEqual([13_478_912, 2_345_000_000].map(formatSize), ['13.48 MB', '2.345 GB']);
});
