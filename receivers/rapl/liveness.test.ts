import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Domain } from './domain.js';
import { Liveness } from './liveness.js';

const packageDomain: Domain = { kind: 'package', package: 0 };
const core: Domain = { kind: 'core', package: 0 };

function watch(part: Domain, isAlive: boolean, begin: readonly number[] = [0, 0]): Liveness {
  const liveness = new Liveness([packageDomain, part], [true, isAlive], 0);
  liveness.update(Float64Array.from(begin), 0);
  return liveness;
}

test('Liveness takes a part for dead, when it stands still while its package draws 200 J in a minute', () => {
  const liveness = watch(core, true, [0, 5]);
  assert.deepEqual(liveness.update(Float64Array.of(200, 5), 59_999), []);
  assert.deepEqual(liveness.update(Float64Array.of(199, 5), 60_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(200, 5), 60_001), [1]);
  assert.equal(liveness.isAlive(1), false);
});

test('Liveness takes a part for alive, when it moves', () => {
  const liveness = watch(core, false);
  assert.deepEqual(liveness.update(Float64Array.of(100, 0), 10_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(200, 0.001), 20_000), [1]);
  assert.equal(liveness.isAlive(1), true);
});

test('Liveness counts the minute from the last movement', () => {
  const liveness = watch(core, true);
  liveness.update(Float64Array.of(1_000, 1), 50_000);
  assert.deepEqual(liveness.update(Float64Array.of(2_000, 1), 100_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(2_000, 1), 110_000), [1]);
});

test('Liveness lets an integrated GPU rest, and a machine that draws nothing', () => {
  const uncore = watch({ kind: 'uncore', package: 0 }, true);
  assert.deepEqual(uncore.update(Float64Array.of(1e6, 0), 3_600_000), []);
  const idle = watch(core, true);
  assert.deepEqual(idle.update(Float64Array.of(0, 0), 3_600_000), []);
});

test('Liveness judges nothing by readings that failed', () => {
  const liveness = watch(core, true);
  assert.deepEqual(liveness.update(Float64Array.of(Number.NaN, 0), 60_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(500, Number.NaN), 70_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(500, 0), 80_000), [1]);
});

test('Liveness begins anew with a package whose counter does', () => {
  const liveness = watch(core, true);
  liveness.update(Float64Array.of(500, 1), 10_000);
  assert.deepEqual(liveness.update(Float64Array.of(0, 1), 100_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(199, 1), 200_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(200, 1), 200_001), [1]);
});

test('Liveness judges a part by the package that holds it', () => {
  const domains: readonly Domain[] = [
    packageDomain,
    { kind: 'package', package: 1 },
    { kind: 'dram', package: 1 },
  ];
  const liveness = new Liveness(domains, [true, true, true], 0);
  liveness.update(Float64Array.of(0, 0, 0), 0);
  assert.deepEqual(liveness.update(Float64Array.of(1_000, 10, 0), 60_000), []);
  assert.deepEqual(liveness.update(Float64Array.of(1_000, 200, 0), 60_001), [2]);
});
