import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../../src/contract/fakes.js';
import { CopyWatch } from './copy-watch.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findZones } from './find-powercap.js';

function watch(t: { after(callback: () => void): void }) {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 900_000_000 });
  const log = createLogCollector();
  const copies = new CopyWatch(findZones(sysfs.root), log);
  const check = (microjoules: number, copy: number | string) => {
    sysfs.writeEnergy('intel-rapl:0', microjoules);
    sysfs.writeEnergy('intel-rapl-mmio:0', copy);
    copies.check();
    return log.lines.splice(0);
  };
  return { copies, check };
}

test('CopyWatch is content, when both grow alike, whatever they count from', (t) => {
  const { copies, check } = watch(t);
  assert.equal(copies.hasCopies, true);
  assert.deepEqual(check(107_000_000, 1_002_000_000), []);
});

test('CopyWatch says once that two do not agree, and once that they agree again', (t) => {
  const { check } = watch(t);
  assert.deepEqual(check(107_000_000, 950_000_000), [
    'warn: intel-rapl:0 and intel-rapl-mmio:0, both package-0, do not agree: 100 J and 50 J; the first is read',
  ]);
  assert.deepEqual(check(207_000_000, 1_000_000_000), []);
  assert.deepEqual(check(307_000_000, 1_100_000_000), [
    'info: intel-rapl:0 and intel-rapl-mmio:0, both package-0, agree again',
  ]);
});

test('CopyWatch waits for a joule, and judges by no reading that failed nor by a wrap', (t) => {
  const { check } = watch(t);
  assert.deepEqual(check(7_900_000, 900_000_000), []);
  assert.deepEqual(check(107_000_000, ''), []);
  assert.deepEqual(check(207_000_000, 1_000_000), []);
  assert.deepEqual(check(1_000, 2_000), []);
  assert.deepEqual(check(50_001_000, 50_002_000), []);
});

test('CopyWatch has nothing to do, when there are no copies', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  assert.equal(new CopyWatch(findZones(sysfs.root), createLogCollector()).hasCopies, false);
});
