import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { nameDomain } from './domain.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findZones } from './find-powercap.js';

/** Domain and folder of each zone. */
function list(sysfs: string): string[] {
  const folder = join(sysfs, 'class/powercap');
  return findZones(sysfs).map(({ domain, path }) => `${nameDomain(domain)} ${relative(folder, path)}`);
}

test('findZones names zones by what they say they are, not by their numbers', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-1', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 2 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-0', microjoules: 3 });
  sysfs.writeZone('intel-rapl:1:0', { name: 'core', microjoules: 4 });
  sysfs.writeZone('intel-rapl:1:1', { name: 'uncore', microjoules: 5 });
  sysfs.writeZone('intel-rapl:2', { name: 'psys', microjoules: 6 });
  sysfs.write('class/powercap/intel-rapl/enabled', '1\n');
  assert.deepEqual(list(sysfs.root), [
    'package-1 intel-rapl:0',
    'dram-1 intel-rapl:0:0',
    'package-0 intel-rapl:1',
    'core-0 intel-rapl:1:0',
    'uncore-0 intel-rapl:1:1',
    'psys intel-rapl:2',
  ]);
});

test('findZones follows nested folders and links to them, each zone once', (t) => {
  const sysfs = createFakeSysfs(t);
  const nested = '../../devices/virtual/powercap/intel-rapl/intel-rapl:0';
  sysfs.writeZone(nested, { name: 'package-0', microjoules: 1 });
  sysfs.writeZone(`${nested}/intel-rapl:0:0`, { name: 'dram', microjoules: 1 });
  mkdirSync(join(sysfs.root, 'class/powercap'), { recursive: true });
  symlinkSync('../../devices/virtual/powercap/intel-rapl', join(sysfs.root, 'class/powercap/intel-rapl'));
  symlinkSync(nested, join(sysfs.root, 'class/powercap/intel-rapl:0'));
  symlinkSync(`${nested}/intel-rapl:0:0`, join(sysfs.root, 'class/powercap/intel-rapl:0:0'));
  assert.deepEqual(
    findZones(sysfs.root).map(({ domain }) => nameDomain(domain)),
    ['package-0', 'dram-0'],
  );
});

test('findZones names the dies of a package and of its memory', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0-die-0', microjoules: 1_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 2_000 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-0-die-1', microjoules: 3_000 });
  sysfs.writeZone('intel-rapl:1:0', { name: 'dram', microjoules: 4_000 });
  assert.deepEqual(list(sysfs.root), [
    'package-0-die-0 intel-rapl:0',
    'dram-0-die-0 intel-rapl:0:0',
    'package-0-die-1 intel-rapl:1',
    'dram-0-die-1 intel-rapl:1:0',
  ]);
});

test('findZones keeps two sockets that happen to show the same', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 7_000 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0', 'package-1 intel-rapl:1']);
});

test('findZones takes a package through MSR rather than MMIO, and through MMIO where there is no other', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 2 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
  sysfs.remove('class/powercap/intel-rapl:0');
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl-mmio:0']);
});

test('findZones leaves out what AMD calls core, the counter of a single core', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeAmd();
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'core', microjoules: 1 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
});

test('findZones leaves out zones that it does not know', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'npu', microjoules: 1 });
  sysfs.writeZone('intel-rapl:1:0', { name: 'dram', microjoules: 1 });
  sysfs.writeZone('dtpm', { name: 'package-0', microjoules: 1 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
});

test('findZones bounds a domain by its limits where it states them, else by its kind', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.write('class/powercap/intel-rapl:0/constraint_0_max_power_uw', '125000000\n');
  sysfs.write('class/powercap/intel-rapl:0/constraint_1_max_power_uw', '0\n');
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 1 });
  assert.deepEqual(
    findZones(sysfs.root).map((zone) => zone.mostWatts),
    [1_250, 1_000],
  );
});
