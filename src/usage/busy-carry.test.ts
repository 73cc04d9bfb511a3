import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuCount } from '../energy/floor-learner.js';
import { BusyCarry } from './busy-carry.js';

const ms = 1e6;

test('BusyCarry keeps busy time beyond the seen usage', () => {
  const carry = new BusyCarry(new CpuCount(2));
  assert.equal(carry.settle(100 * ms, 70 * ms), 100 * ms);
  assert.equal(carry.overlapNs, 0);
});

test('BusyCarry offsets a step of busy time against earlier usage', () => {
  const carry = new BusyCarry(new CpuCount(2));
  const lumps = [0, 0, 10, 0, 0, 10].map((busy) => carry.settle(busy * ms, 3 * ms) / ms);
  assert.deepEqual(lumps, [3, 3, 4, 3, 3, 4]);
});

test('BusyCarry carries at most what rounding explains', () => {
  const carry = new BusyCarry(new CpuCount(2));
  carry.settle(0, 250 * ms);
  assert.equal(carry.overlapNs, 150 * ms);
  assert.equal(carry.settle(500 * ms, 0), 400 * ms);
});
