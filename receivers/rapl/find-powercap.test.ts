import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { nameDomain, type DomainKind } from './domain.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findMaxWatts, findZones, nameFolder } from './find-powercap.js';

/** Domain and folder of each zone. */
function list(sysfs: string): string[] {
  const folder = join(sysfs, 'class/powercap');
  return findZones(sysfs).map(({ domain, path }) => `${nameDomain(domain)} ${relative(folder, path)}`);
}

test('findZones names zones by their contents, not by their numbers', (t) => {
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

test('findZones ignores zones of other control types, whatever their names', (t) => {
  const sysfs = createFakeSysfs(t);
  for (const type of ['arm-scmi', 'dtpm', 'idle-injection']) {
    sysfs.write(`class/powercap/${type}/enabled`, '1\n');
    sysfs.writeZone(`${type}:0`, { name: 'package-0', microjoules: 1 });
    sysfs.writeZone(`${type}:0:0`, { name: 'core', microjoules: 1 });
  }
  assert.deepEqual(list(sysfs.root), []);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
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

test('findZones keeps two sockets that happen to show the same value', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 7_000 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0', 'package-1 intel-rapl:1']);
});

test('findZones reads a package through MSR rather than MMIO, and through MMIO if there is no other interface', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 2 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
  sysfs.remove('class/powercap/intel-rapl:0');
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl-mmio:0']);
});

test("findZones leaves out AMD's core zone, the counter of a single core", (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeAmd();
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'core', microjoules: 1 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
});

test('findZones leaves out unknown zones', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'npu', microjoules: 1 });
  sysfs.writeZone('intel-rapl:1:0', { name: 'dram', microjoules: 1 });
  sysfs.writeZone('dtpm', { name: 'package-0', microjoules: 1 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
});

test('findZones prefers intel-rapl to TPMI of its own, and both to MMIO, and keeps the others as copies', (t) => {
  const sysfs = createFakeSysfs(t);
  for (const type of ['intel-rapl-mmio', 'intel-rapl-tpmi', 'intel-rapl']) {
    sysfs.writeZone(`${type}:0`, { name: 'package-0', microjoules: 1 });
    sysfs.writeZone(`${type}:0:0`, { name: 'dram', microjoules: 1 });
  }
  sysfs.remove('class/powercap/intel-rapl:0:0');
  const zones = findZones(sysfs.root).map(({ domain, path, copies }) =>
    [nameDomain(domain), ...[path, ...copies.map((copy) => copy.path)].map(nameFolder)].join(' '),
  );
  assert.deepEqual(zones, [
    'package-0 intel-rapl:0 intel-rapl-tpmi:0 intel-rapl-mmio:0',
    'dram-0 intel-rapl-tpmi:0:0 intel-rapl-mmio:0:0',
  ]);
});

test('findZones distinguishes two sockets that TPMI shows, each with dies', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl-tpmi:0', { name: 'package-0-die-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0-die-1', microjoules: 1 });
  assert.deepEqual(list(sysfs.root), [
    'package-0-die-0 intel-rapl-tpmi:0',
    'package-0-die-1 intel-rapl-mmio:0',
  ]);
});

test('findZones treats psys of socket 0 as the machine and numbers the others', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:2', { name: 'psys', microjoules: 1 });
  sysfs.writeZone('intel-rapl:3', { name: 'psys-1', microjoules: 2 });
  sysfs.writeZone('intel-rapl:4', { name: 'psyche', microjoules: 2 });
  assert.deepEqual(list(sysfs.root), ['psys intel-rapl:2', 'psys-1 intel-rapl:3']);
});

test('findZones reads a zone whose capping is not enabled, since it still counts', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.write('class/powercap/intel-rapl:0/enabled', '0\n');
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
});

test('findZones does not know the range of a zone when it is missing, 0 or not a number', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1, maxMicrojoules: 0 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 1, maxMicrojoules: 'N/A' });
  sysfs.writeZone('intel-rapl:2', { name: 'package-2', microjoules: 1 });
  sysfs.remove('class/powercap/intel-rapl:2/max_energy_range_uj');
  assert.deepEqual(
    findZones(sysfs.root).map(({ maxMicrojoules }) => maxMicrojoules),
    [Infinity, Infinity, Infinity],
  );
});

test('findZones counts the package once, where AMD shows a zone for each die', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeAmd();
  sysfs.writeZone('intel-rapl:0', { name: 'package-0-die-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-0-die-1', microjoules: 9_000_000 });
  assert.deepEqual(list(sysfs.root), ['package-0 intel-rapl:0']);
});

test('findZones reads the devices themselves where a container has only these', (t) => {
  const sysfs = createFakeSysfs(t);
  const zone = 'devices/virtual/powercap/intel-rapl/intel-rapl:0';
  sysfs.write(`${zone}/name`, 'package-0\n');
  sysfs.write(`${zone}/max_energy_range_uj`, '262143328850\n');
  mkdirSync(join(sysfs.root, 'class/powercap'), { recursive: true });
  // The class exists, but its links are dangling.
  symlinkSync('../../../elsewhere/intel-rapl:0', join(sysfs.root, 'class/powercap/intel-rapl:0'));
  assert.deepEqual(
    findZones(sysfs.root).map(({ path }) => path),
    [join(sysfs.root, zone)],
  );
});

function findWith(
  t: { after(callback: () => void): void },
  files: Readonly<Record<string, number>>,
  kind: DomainKind = 'package',
): number {
  const sysfs = createFakeSysfs(t);
  for (const [file, microwatts] of Object.entries(files)) sysfs.write(file, `${microwatts}\n`);
  return findMaxWatts(sysfs.root, kind);
}

test('findMaxWatts returns ten times the maximum power of the zone', (t) => {
  const files = { constraint_0_max_power_uw: 125_000_000, constraint_1_max_power_uw: 0 };
  assert.equal(findWith(t, { ...files, constraint_0_power_limit_uw: 300_000_000 }), 1_250);
});

test('findMaxWatts returns ten times the power limit when no maximum power is stated', (t) => {
  const files = { constraint_0_max_power_uw: 0, constraint_0_power_limit_uw: 95_000_000 };
  assert.equal(findWith(t, { ...files, constraint_1_power_limit_uw: 120_000_000 }), 1_200);
});

test('findMaxWatts does not go below 500 W, since a short burst goes far beyond a small limit', (t) => {
  assert.equal(findWith(t, { constraint_0_max_power_uw: 15_000_000 }), 500);
});

test('findMaxWatts ignores a limit that was never set', (t) => {
  assert.equal(findWith(t, { constraint_0_power_limit_uw: 4_095_875_000_000 }), 10_000);
});

test('findMaxWatts uses the kind of domain when the zone states nothing', (t) => {
  assert.equal(findWith(t, {}), 2_000);
  assert.equal(findWith(t, {}, 'psys'), 20_000);
});
