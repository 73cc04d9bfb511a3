import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackageBusyTime } from './busy-time.js';
import { CpuPackages } from './cpu-packages.js';
import type { CpuTimes } from './procfs.js';
import { bringOnline, createPackageSysfs } from './two-packages.fixture.js';

test('CpuPackages finds the packages of a machine with several, by numbers that may be sparse', () => {
  const packages = CpuPackages.find(createPackageSysfs([36, 0, 36, 0]));
  assert.deepEqual(packages?.numbers, [0, 36]);
  assert.deepEqual([...(packages?.byCpu ?? [])], [1, 0, 1, 0]);
});

test('CpuPackages finds none on a machine with one package, or without topology', () => {
  assert.equal(CpuPackages.find(createPackageSysfs([0, 0])), undefined);
  assert.equal(CpuPackages.find(createPackageSysfs([undefined, undefined])), undefined);
  assert.equal(CpuPackages.find('/none'), undefined);
});

test('CpuPackages takes up CPUs that come online', () => {
  const sysfs = createPackageSysfs([0, 1, undefined]);
  const packages = CpuPackages.find(sysfs);
  assert.deepEqual([...(packages?.byCpu ?? [])], [0, 1, 255]);
  bringOnline(sysfs, 2, 1);
  packages?.refresh();
  assert.deepEqual([...(packages?.byCpu ?? [])], [0, 1, 1]);
});

test('CpuPackages knows the package that some CPUs are on, if it is one', () => {
  const packages = CpuPackages.find(createPackageSysfs([0, 0, 1, 1, undefined]));
  assert.equal(packages?.findHome([2, 3]), 1);
  assert.equal(packages?.findHome([0, 4]), 0);
  assert.equal(packages?.findHome([1, 2]), undefined);
  assert.equal(packages?.findHome([4]), undefined);
  assert.equal(packages?.findHome([]), undefined);
});

const idle = (ticks: number): CpuTimes => {
  const others = { user: 0, nice: 0, system: 0, iowait: 0, irq: 0, softirq: 0, steal: 0 };
  return { ...others, idle: ticks, guest: 0, guestNice: 0 };
};

test('PackageBusyTime adds up the busy time of the CPUs of each package', () => {
  const sysfs = createPackageSysfs([0, 1, 1]);
  const packages = CpuPackages.find(sysfs);
  assert.ok(packages);
  const busy = new PackageBusyTime(packages);
  const read = (ticks: readonly number[], seconds: number) => {
    const byCpu = new Map([...ticks.entries()].map(([cpu, own]) => [cpu, idle(own)] as const));
    return busy.update({ total: idle(0), byCpu }, BigInt(seconds * 1e9));
  };
  assert.deepEqual(read([0, 0, 0], 0), [0, 0]);
  // Within 10 s the first CPU was idle for 10 s, the second for 4 s and the third for 9 s.
  assert.deepEqual(read([1000, 400, 900], 10), [0, 7e9]);
  assert.deepEqual(read([1500, 900, 1900], 20), [5e9, 12e9]);
});
