import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { schema } from './config.js';
import { nameDomain } from './domain.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';
import { openReader } from './open-reader.js';

/** The domains that are read, and the notes about them. */
function describeOpening(sysfs: FakeSysfs, settings: object = {}) {
  const opening = openReader(parseSettings(schema, { sysfs: sysfs.root, ...settings }));
  opening.reader?.close();
  return {
    interface: opening.reader?.interface,
    domains: opening.reader?.domains.filter((_, column) => opening.hasCounted[column]).map(nameDomain),
    notes: opening.notes,
    reasons: opening.refusals.map(({ reason }) => reason),
  };
}

function writeZones(sysfs: FakeSysfs, parts: readonly string[]): void {
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  parts.forEach((name, i) => sysfs.writeZone(`intel-rapl:0:${i}`, { name, microjoules: 8_000_000 }));
}

test('openReader prefers perf_event to powercap', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  writeZones(sysfs, []);
  assert.deepEqual(describeOpening(sysfs), {
    interface: 'perf_event',
    domains: ['package-0'],
    notes: [],
    reasons: [],
  });
});

test('openReader reads the common domains when the interfaces differ', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-cores': 'event=0x00' });
  writeZones(sysfs, ['dram']);
  assert.deepEqual(describeOpening(sysfs), {
    interface: 'perf_event',
    domains: ['package-0'],
    notes: [
      'perf_event has package-0, core-0 but powercap has package-0, dram-0: only what both have is read',
    ],
    reasons: [],
  });
});

test('openReader reads all domains of an interface named in the settings', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-cores': 'event=0x00' });
  writeZones(sysfs, ['dram']);
  const perf = describeOpening(sysfs, { interface: 'perf_event' });
  assert.deepEqual([perf.domains, perf.notes], [['package-0', 'core-0'], []]);
  const powercap = describeOpening(sysfs, { interface: 'powercap' });
  assert.deepEqual([powercap.domains, powercap.notes], [['package-0', 'dram-0'], []]);
});

test('openReader uses powercap when the events of perf_event count nothing', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  // The kernel's dummy event does not change.
  sysfs.writePmu({ 'energy-pkg': 'event=0x09' });
  writeZones(sysfs, []);
  assert.deepEqual(describeOpening(sysfs), {
    interface: 'powercap',
    domains: ['package-0'],
    notes: [],
    reasons: ['perf_event: package-0 can be opened, but count nothing'],
  });
});

test('openReader uses powercap when the event of a package cannot be opened', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0xff' });
  writeZones(sysfs, []);
  const { interface: name, reasons } = describeOpening(sysfs);
  assert.equal(name, 'powercap');
  assert.match(reasons.join(), /^perf_event: Cannot open perf event "energy-pkg" on cpu 0: ENOENT/);
});

test('openReader uses powercap when the PMU has events but none of a package', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-psys': 'event=0x05' });
  writeZones(sysfs, ['dram']);
  assert.deepEqual(describeOpening(sysfs), {
    interface: 'powercap',
    domains: ['package-0', 'dram-0'],
    notes: [],
    reasons: [
      `perf_event: ${sysfs.root}/bus/event_source/devices/power/events has only psys, but no energy-pkg`,
    ],
  });
});

test('openReader reads the domains that the settings ask for', (t) => {
  const sysfs = createFakeSysfs(t);
  writeZones(sysfs, ['dram', 'core']);
  const { domains } = describeOpening(sysfs, {
    interface: 'powercap',
    domains: { core: false, package: false },
  });
  assert.deepEqual(domains, ['dram-0']);
});

test('openReader leaves out parts that never counted, with a note', (t) => {
  const sysfs = createFakeSysfs(t);
  writeZones(sysfs, ['dram', 'core']);
  sysfs.writeEnergy('intel-rapl:0:1', 0);
  const { domains, notes } = describeOpening(sysfs, { interface: 'powercap' });
  assert.deepEqual(domains, ['package-0', 'dram-0']);
  assert.deepEqual(notes, ['powercap: left out until it counts, since it never did: core-0']);
});

test('openReader reads nothing when the interfaces do not have even one common package', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeCpus({ 0: '0.0', 1: '0.1' });
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-psys': 'event=0x00' }, '0-1');
  writeZones(sysfs, []);
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: 9_000_000 });
  const { domains, notes } = describeOpening(sysfs);
  assert.equal(domains, undefined);
  assert.deepEqual(notes, [
    'perf_event has package-0-die-0, package-0-die-1, psys but powercap has package-0, psys: ' +
      'only what both have is read',
  ]);
});

test('openReader returns a reader whose first reading is 0', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  const { reader } = openReader(parseSettings(schema, { sysfs: sysfs.root }));
  const values = Float64Array.of(-1);
  reader?.read(values, 0);
  reader?.close();
  assert.equal(values[0], 0);
});

test('openReader names zones that cannot be read and reads the others', (t) => {
  const sysfs = createFakeSysfs(t);
  writeZones(sysfs, ['dram', 'core']);
  sysfs.remove('class/powercap/intel-rapl:0:0/energy_uj');
  const opening = openReader(parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap' }));
  t.after(() => opening.reader?.close());
  assert.deepEqual(opening.reader?.domains.map(nameDomain), ['package-0', 'core-0']);
  assert.deepEqual(opening.left, [
    { domain: { kind: 'dram', package: 0 }, source: 'intel-rapl:0:0', state: 'unreadable' },
  ]);
  assert.deepEqual(
    opening.failures.map(({ reason }) => reason),
    [`powercap: Cannot read dram-0 from ${sysfs.root}/class/powercap/intel-rapl:0:0/energy_uj: ENOENT`],
  );
  assert.equal(opening.canReadMore(), false);
  sysfs.writeEnergy('intel-rapl:0:0', 1);
  assert.equal(opening.canReadMore(), true);
});

test('openReader ignores an impossible range and names it', (t) => {
  for (const maxMicrojoules of [999, 30_000_000]) {
    const sysfs = createFakeSysfs(t);
    sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1, maxMicrojoules });
    assert.deepEqual(describeOpening(sysfs, { interface: 'powercap' }).notes, [
      `powercap: max_energy_range_uj of intel-rapl:0 (package-0) is ${maxMicrojoules}, ` +
        'which is wrong: ignored, a counter that falls is taken to be reset',
    ]);
  }
});

test('openReader ignores a range that the counter exceeds and names it', (t) => {
  const sysfs = createFakeSysfs(t);
  const maxMicrojoules = 65_532_610_987;
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 70_000_000_000, maxMicrojoules });
  assert.deepEqual(describeOpening(sysfs, { interface: 'powercap' }).notes, [
    'powercap: max_energy_range_uj of intel-rapl:0 (package-0) is 65532610987, ' +
      'which is wrong: ignored, a counter that falls is taken to be reset',
  ]);
});

test('openReader reports that nothing can be read when no zone has a number', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 'N/A\n' });
  const { reasons } = describeOpening(sysfs, { interface: 'powercap' });
  assert.deepEqual(reasons, ['powercap: package-0 can be opened, but not be read']);
});
