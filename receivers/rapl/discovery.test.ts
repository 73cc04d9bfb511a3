import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PerfEventError } from '../../src/linux/perf/event.js';
import { describeCopies } from './copy-watch.js';
import { explainFailures, explainNone, mergeAliases } from './discovery.js';
import { nameDomain } from './domain.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';
import { findPerfCounters } from './find-perf.js';
import { findZones, nameFolder, powercapFolder } from './find-powercap.js';
import { findResting } from './open-reader.js';

/** Domain and folder of each remaining zone. */
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

test('mergeAliases treats dies that are all at 0 as different counters', (t) => {
  const sysfs = createFakeSysfs(t);
  writeDies(sysfs, 0, 0);
  assert.deepEqual(merge(sysfs), ['package-0-die-0 intel-rapl:0', 'package-0-die-1 intel-rapl:1']);
});

test('mergeAliases keeps all dies when only some show the same value', (t) => {
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

test('findResting finds zones at 0, and packages at 0 if another package counts', (t) => {
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

test('describeCopies reports which of several interfaces is read and whether the others show the same', (t) => {
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

function explainPerf(t: TestContext, code: string) {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x02' });
  const error = new PerfEventError(`Cannot open perf event "energy-pkg" on cpu 0: ${code}`, code);
  return explainFailures(
    'perf_event',
    findPerfCounters(sysfs.root).map((counter) => ({ counter, error })),
  );
}

test('explainFailures names the missing privilege and how to grant it', (t) => {
  assert.deepEqual(explainPerf(t, 'EACCES'), {
    reason: 'perf_event: Cannot open perf event "energy-pkg" on cpu 0: EACCES',
    remedies: [
      {
        missing: 'CAP_PERFMON, for the counters of perf_event',
        command:
          'sudo setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups --inh-caps +perfmon --ambient-caps +perfmon -- joulemetry',
      },
      { missing: 'CAP_PERFMON, for a systemd unit', command: 'AmbientCapabilities=CAP_PERFMON' },
      { missing: 'perf_event for every user', command: 'sudo sysctl kernel.perf_event_paranoid=0' },
    ],
  });
});

test('explainFailures has no remedy when privileges are not the cause', (t) => {
  assert.deepEqual(explainPerf(t, 'ENODEV').remedies, []);
});

function explainZone(t: TestContext, code: string) {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  const error = Object.assign(new Error(`${code}: refused`), { code });
  const { reason, remedies } = explainFailures(
    'powercap',
    findZones(sysfs.root).map((zone) => ({ zone, error })),
  );
  return { reason: reason.replace(sysfs.root, 'SYSFS'), remedies };
}

test('explainFailures names the missing privilege for zones and how to grant it', (t) => {
  assert.deepEqual(explainZone(t, 'EACCES'), {
    reason:
      'powercap: Cannot read package-0 from SYSFS/class/powercap/intel-rapl:0/energy_uj: ' +
      'EACCES, root or CAP_DAC_READ_SEARCH is needed',
    remedies: [
      {
        missing: 'CAP_DAC_READ_SEARCH, for the files of powercap',
        command:
          'sudo setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search -- joulemetry',
      },
      {
        missing: 'CAP_DAC_READ_SEARCH, for a systemd unit',
        command: 'AmbientCapabilities=CAP_DAC_READ_SEARCH',
      },
    ],
  });
});

test('explainFailures has no remedy for zones when privileges are not the cause', (t) => {
  assert.deepEqual(explainZone(t, 'EINVAL'), {
    reason: 'powercap: Cannot read package-0 from SYSFS/class/powercap/intel-rapl:0/energy_uj: EINVAL',
    remedies: [],
  });
});

test('explainNone distinguishes a PMU without events from no PMU', (t) => {
  const sysfs = createFakeSysfs(t);
  const folder = `${sysfs.root}/bus/event_source/devices/power`;
  assert.equal(
    explainNone('perf_event', sysfs.root, { perf: [] }).reason,
    `perf_event: ${folder} does not exist`,
  );
  sysfs.writePmu({});
  assert.equal(
    explainNone('perf_event', sysfs.root, { perf: [] }).reason,
    `perf_event: ${folder}/events has no energy event`,
  );
});

test('explainNone refers the user of a virtual machine to the host', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('devices/system/cpu/modalias', 'cpu:type:x86,ven0000fam0006mod00CF:feature:,009E,009F\n');
  assert.deepEqual(explainNone('perf_event', sysfs.root, { perf: [] }).remedies, [
    {
      missing: 'energy counters, which are not available in a virtual machine',
      command: 'run joulemetry on the host of this virtual machine',
    },
  ]);
});

test("explainNone refers the user of a container to the host's sysfs when zones are only names", (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('class/powercap/intel-rapl:0/uevent', '');
  assert.deepEqual(explainNone('powercap', sysfs.root, { perf: [] }), {
    reason: `powercap: the zones in ${sysfs.root}/class/powercap cannot be followed`,
    remedies: [
      {
        missing: "the host's sysfs, which this container hides",
        command: 'mount the host\'s /sys read-only at /host/sys and set "sysfs: /host/sys"',
      },
    ],
  });
});
