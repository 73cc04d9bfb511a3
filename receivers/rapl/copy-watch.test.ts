import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyWatch } from './copy-watch.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findZones, nameFolder } from './find-powercap.js';

/** Compares MSR with MMIO every 10 s. */
function watch(t: { after(callback: () => void): void }, started = 7_000_000) {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: started });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 900_000_000 });
  const zones = findZones(sysfs.root);
  const copies = new CopyWatch(zones, 0);
  let nowMs = 0;
  const look = (microjoules: number | string, copy: number | string, wasRead = microjoules !== '') => {
    sysfs.writeEnergy('intel-rapl:0', microjoules);
    sysfs.writeEnergy('intel-rapl-mmio:0', copy);
    nowMs += 10_000;
    assert.equal(copies.isDue(nowMs - 1), false);
    assert.equal(copies.isDue(nowMs), true);
    return copies.check(nowMs, () => wasRead);
  };
  const check = (microjoules: number, copy: number | string) =>
    look(microjoules, copy).notes.map(({ level, text }) => `${level}: ${text}`);
  const take = (...shown: Parameters<typeof look>) =>
    look(...shown).takeovers.map(({ from, to, counter: { joules, startedMs } }) => {
      const names = [from, to, ...to.copies].map(({ path }) => nameFolder(path));
      return names.concat(`${joules} J since ${startedMs} ms`);
    });
  return { sysfs, zones, copies, check, take };
}

test('CopyWatch logs nothing when both grow alike, whatever their start values', (t) => {
  const { check } = watch(t);
  assert.deepEqual(check(107_000_000, 1_002_000_000), []);
});

test('CopyWatch warns once that two zones differ, and logs once that they agree again', (t) => {
  const { check } = watch(t);
  assert.deepEqual(check(107_000_000, 950_000_000), [
    'warn: intel-rapl:0 and intel-rapl-mmio:0, both package-0, do not agree: 100 J and 50 J; the first is read',
  ]);
  assert.deepEqual(check(207_000_000, 1_000_000_000), []);
  assert.deepEqual(check(307_000_000, 1_100_000_000), [
    'info: intel-rapl:0 and intel-rapl-mmio:0, both package-0, agree again',
  ]);
});

test('CopyWatch waits for a joule of growth, and ignores failed readings and wraps', (t) => {
  const { check } = watch(t);
  assert.deepEqual(check(7_900_000, 900_000_000), []);
  assert.deepEqual(check(107_000_000, ''), []);
  assert.deepEqual(check(207_000_000, 1_000_000), []);
  assert.deepEqual(check(1_000, 2_000), []);
  assert.deepEqual(check(50_001_000, 50_002_000), []);
});

test('CopyWatch does nothing without copies', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  const copies = new CopyWatch(findZones(sysfs.root), 0);
  sysfs.writeEnergy('intel-rapl:0', 9_000_000);
  assert.equal(copies.isDue(10_000), false);
});

test('CopyWatch replaces a zone that never moves by its copy, including the energy counted since the start', (t) => {
  for (const started of [0, 7_000_000]) {
    const { take } = watch(t, started);
    assert.deepEqual(take(started, 912_000_000), [
      ['intel-rapl:0', 'intel-rapl-mmio:0', 'intel-rapl:0', '12 J since 0 ms'],
    ]);
  }
});

test('CopyWatch counts the copy from the time at which the zone stopped moving', (t) => {
  const { take } = watch(t);
  assert.deepEqual(take(57_000_000, 950_000_000), []);
  assert.deepEqual(take(57_000_000, 953_000_000), [
    ['intel-rapl:0', 'intel-rapl-mmio:0', 'intel-rapl:0', '3 J since 10000 ms'],
  ]);
});

test('CopyWatch keeps a zone that is idle like its copy, or while one of the two cannot be read', (t) => {
  const { take } = watch(t);
  assert.deepEqual(take(7_000_000, 900_400_000), []);
  assert.deepEqual(take('', 950_000_000), []);
  assert.deepEqual(take(7_100_000, 990_000_000), []);
  assert.deepEqual(take(7_100_000, ''), []);
});

test('CopyWatch returns to a zone that counts again when its copy does not change', (t) => {
  const { take } = watch(t);
  assert.equal(take(7_000_000, 912_000_000).length, 1);
  // Both count: the copy is kept.
  assert.deepEqual(take(17_000_000, 922_000_000), []);
  assert.deepEqual(take(27_000_000, 922_000_000), [
    ['intel-rapl-mmio:0', 'intel-rapl:0', 'intel-rapl-mmio:0', '10 J since 20000 ms'],
  ]);
});

test('CopyWatch keeps its comparisons when the zones are opened again', (t) => {
  const { sysfs, zones, copies } = watch(t);
  sysfs.writeEnergy('intel-rapl-mmio:0', 905_000_000);
  const again = new CopyWatch(zones, 9_000, copies);
  const [takeover] = again.check(10_000, () => true).takeovers;
  assert.deepEqual([takeover?.counter.joules, takeover?.counter.startedMs], [5, 0]);
});

test('CopyWatch replaces a zone without readings by its copy, from the first failure on', (t) => {
  const { take } = watch(t);
  assert.deepEqual(take(57_000_000, 950_000_000), []);
  // The energy that the zone counted before it failed is published.
  assert.deepEqual(take('', 999_000_000, true), []);
  assert.deepEqual(take('', 1_004_000_000), [
    ['intel-rapl:0', 'intel-rapl-mmio:0', 'intel-rapl:0', '5 J since 20000 ms'],
  ]);
});

test('CopyWatch keeps a zone that fails periodically', (t) => {
  const { take } = watch(t);
  for (let i = 1; i <= 4; i++) assert.deepEqual(take('', 900_000_000 + i * 50_000_000, true), []);
});
