import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import { nameDomain } from './domain.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import type { FakeSysfs } from './fake-sysfs.fixture.js';
import { describeCopies } from './copy-watch.js';
import { mergeAliases } from './discovery.js';
import { findZones, nameFolder, powercapFolder } from './find-powercap.js';
import { findResting } from './open-reader.js';

/** Domain and folder of each zone that is left. */
function merge({ root }: FakeSysfs): string[] {
  const folder = powercapFolder(root);
  return mergeAliases(findZones(root)).map(
    ({ domain, path }) => `${nameDomain(domain)} ${relative(folder, path)}`,
  );
}

function writeDies(sysfs: FakeSysfs, ...microjoules: readonly number[]): void {
  for (const [die, energy] of microjoules.entries()) {
    sysfs.writeZone(`intel-rapl:${die}`, { name: `package-0-die-${die}`, microjoules: energy });
  }
}

test('mergeAliases keeps one of several dies that all show the counter of their package', (t) => {
  const sysfs = createFakeSysfs(t);
  writeDies(sysfs, 7_000, 7_000);
  sysfs.writeZone('intel-rapl:2', { name: 'package-1-die-0', microjoules: 8_000 });
  sysfs.writeZone('intel-rapl:3', { name: 'package-1-die-1', microjoules: 9_000 });
  assert.deepEqual(merge(sysfs), [
    'package-0 intel-rapl:0',
    'package-1-die-0 intel-rapl:2',
    'package-1-die-1 intel-rapl:3',
  ]);
});

test('mergeAliases takes dies that all stand at 0 for different counters', (t) => {
  const sysfs = createFakeSysfs(t);
  writeDies(sysfs, 0, 0);
  assert.deepEqual(merge(sysfs), ['package-0-die-0 intel-rapl:0', 'package-0-die-1 intel-rapl:1']);
});

test('mergeAliases keeps all dies, when only some show the same', (t) => {
  const sysfs = createFakeSysfs(t);
  writeDies(sysfs, 7_000, 7_000, 8_000);
  assert.equal(merge(sysfs).length, 3);
});

test('mergeAliases keeps psys once, when several sockets show that of the machine', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:2', { name: 'psys', microjoules: 5_000_000 });
  sysfs.writeZone('intel-rapl:3', { name: 'psys-1', microjoules: 5_000_000 });
  assert.deepEqual(merge(sysfs), ['psys intel-rapl:2']);
  sysfs.writeEnergy('intel-rapl:3', 6_000_000);
  assert.deepEqual(merge(sysfs), ['psys intel-rapl:2', 'psys-1 intel-rapl:3']);
});

test('findResting finds what stands at 0, packages where another package counts', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 0 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'core', microjoules: 0 });
  sysfs.writeZone('intel-rapl:0:1', { name: 'dram', microjoules: '' });
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 0 });
  const find = () => [...findResting(findZones(sysfs.root))].map(nameFolder);
  assert.deepEqual(find(), ['intel-rapl:0:0']);
  sysfs.writeEnergy('intel-rapl:0', 1_000);
  assert.deepEqual(find(), ['intel-rapl:0:0', 'intel-rapl:1']);
});

test('describeCopies says which of several interfaces is read and whether the others show the same', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 7_500_000 });
  const describe = () => describeCopies(findZones(sysfs.root));
  const text = 'package-0 is read from intel-rapl:0, not from intel-rapl-mmio:0';
  assert.deepEqual(describe(), [`${text}, which shows the same`]);
  sysfs.writeEnergy('intel-rapl-mmio:0', 12_000_000);
  assert.deepEqual(describe(), [`${text}, which has a count of its own`]);
  sysfs.writeEnergy('intel-rapl-mmio:0', '');
  assert.deepEqual(describe(), [text]);
});
