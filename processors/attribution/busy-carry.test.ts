import assert from 'node:assert/strict';
import test from 'node:test';
import { CpuCount } from './cpu-count.js';
import { BusyCarry } from './busy-carry.js';

const ms = 1e6;

test('BusyCarry keeps busy time beyond what was seen', () => {
  const carry = new BusyCarry(new CpuCount(2));
  assert.equal(carry.settle(100 * ms, 70 * ms), 100 * ms);
  assert.equal(carry.overlapNs, 0);
});

test('BusyCarry takes a lump of busy time for the usage that came before it', () => {
  const carry = new BusyCarry(new CpuCount(2));
  const lumps = [0, 0, 10, 0, 0, 10].map((busy) => carry.settle(busy * ms, 3 * ms) / ms);
  assert.deepEqual(lumps, [3, 3, 4, 3, 3, 4]);
});

test('BusyCarry carries no more than rounding explains', () => {
  const carry = new BusyCarry(new CpuCount(2));
  carry.settle(0, 250 * ms);
  assert.equal(carry.overlapNs, 150 * ms);
  assert.equal(carry.settle(500 * ms, 0), 400 * ms);
});
