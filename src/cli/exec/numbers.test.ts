import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCells, formatRatio, formatSize, formatValue } from './numbers.js';

test('formatValue chooses a prefix and shows four digits', () => {
  const joules = [0, 0.000012345, 0.0123456, 1.23456, 12.3456, 123.456, 1234.56, 1_234_567].map((value) =>
    formatValue(value, 'J'),
  );
  const wanted = ['0 J', '12.35 uJ', '12.35 mJ', '1.235 J', '12.35 J', '123.5 J', '1.235 kJ', '1.235 MJ'];
  assert.deepEqual(joules, wanted);
});

test('formatValue goes to the next prefix, when rounding reaches it', () => {
  assert.equal(formatValue(0.99999, 'W'), '1.000 W');
  assert.equal(formatValue(-0.5, 'J'), '-500.0 mJ');
});

test('formatValue leaves seconds seconds', () => {
  assert.deepEqual([formatValue(7265, 's'), formatValue(0.0042, 's')], ['7265 s', '4.200 ms']);
});

test('formatValue shows a dash, when there is no number', () => {
  assert.equal(formatValue(NaN, 'W'), '- W');
});

test('formatRatio shows a decimal below 100 %', () => {
  assert.deepEqual([0.1234, 0.9999, 1.876].map(formatRatio), ['12.3 %', '100 %', '188 %']);
});

test('formatSize shows megabytes and gigabytes', () => {
  assert.deepEqual([13_478_912, 2_345_000_000].map(formatSize), ['13.5 MB', '2.345 GB']);
});

test('formatCells puts numbers to the right and words to the left', () => {
  const lines = formatCells([
    ['', 'energy', ''],
    ['machine', '1.2 J', 'measured'],
    ['cpu', '10.25 J', ''],
  ]);
  assert.deepEqual(lines, ['             energy', '  machine     1.2 J   measured', '  cpu       10.25 J']);
});
