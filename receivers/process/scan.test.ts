import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scan } from './scan.js';

const previous = { wallNs: 5_000_000_000n, bootNs: 1_000_003_000n };
const at = { wallNs: 6_000_000_000n, bootNs: 2_000_003_000n };

test('Scan finds the birth of a process that was started since the previous scan', () => {
  assert.equal(new Scan(at, previous).findBirth(150), 5_499_997_000n);
});

test('Scan takes a birth in the tick of the previous scan as just after it', () => {
  assert.equal(new Scan(at, previous).findBirth(100), 5_000_000_000n);
  assert.equal(new Scan(at, previous).findBirth(99), undefined);
});

test('Scan finds no birth if it is the first', () => {
  const scan = new Scan(at, undefined);
  assert.equal(scan.isFirst, true);
  assert.equal(scan.findBirth(199), undefined);
});
