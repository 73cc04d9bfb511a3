import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDuration, describeQuantity, describeShare } from './quantity.js';

test('describeQuantity gives three digits and a prefix', () => {
  const expected: [number, string][] = [
    [12.34, '12.3 W'],
    [1, '1.00 W'],
    [999.4, '999 W'],
    [999.6, '1.00 kW'],
    [1033, '1.03 kW'],
    [0.5, '500 mW'],
    [0.000_25, '250 µW'],
    [0.001, '1.00 mW'],
    [1000, '1.00 kW'],
    [1e6, '1.00 MW'],
    [1.5e10, '15.0 GW'],
    [1.5e13, '15000 GW'],
    [-3.456, '-3.46 W'],
    [0, '0 W'],
    [1e-9, '0 W'],
    [NaN, '-'],
  ];
  for (const [value, text] of expected) assert.equal(describeQuantity(value, 'W'), text);
});

test('describeShare gives per cent with one decimal', () => {
  assert.equal(describeShare(0.1234), '12.3 %');
  assert.equal(describeShare(2), '200.0 %');
  assert.equal(describeShare(NaN), '-');
  assert.equal(describeShare(Infinity), '-');
});

test('describeDuration gives the two largest units', () => {
  assert.equal(describeDuration(12.9), '12 s');
  assert.equal(describeDuration(184), '3 min 04 s');
  assert.equal(describeDuration(7500), '2 h 05 min');
});
