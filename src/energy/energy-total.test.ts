import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balance, EnergyTotal } from './energy-total.js';

function totalOf(...parts: readonly number[]): EnergyTotal {
  const total = new EnergyTotal();
  for (const part of parts) total.add(part);
  return total;
}

function balanceOf(gain: EnergyTotal, loss: EnergyTotal): number {
  const balance = new Balance();
  balance.plus(gain);
  balance.minus(loss);
  return balance.energyNj;
}

test('EnergyTotal adds nanojoules to joules', () => {
  assert.equal(totalOf(1.5e9, 0.5e9, 1).joules, 2.000000001);
});

test('EnergyTotal is exact far beyond 2^53 nanojoules', () => {
  const total = new EnergyTotal();
  const other = new EnergyTotal();
  for (let i = 0; i < 10_000; i++) {
    total.add(9e15);
    total.add(1);
    other.add(4.5e15);
    other.add(4.5e15);
  }
  assert.equal(balanceOf(total, other), 10_000);
});

test('EnergyTotal adds another total', () => {
  const total = totalOf(999_999_999);
  total.addTotal(totalOf(7e9, 2));
  assert.deepEqual([total.wholeJ, total.restNj], [8, 1]);
});

test('Balance shows a single nanojoule', () => {
  assert.equal(balanceOf(totalOf(3e15, 1), totalOf(1e15, 2e15)), 1);
});
