import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameDomain } from './domain.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findPerfCounters } from './find-perf.js';

/** Event, CPU and domain of each counter. */
function list(sysfs: string): string[] {
  return findPerfCounters(sysfs).map(({ event, cpu, domain }) => `${event} cpu${cpu} ${nameDomain(domain)}`);
}

test('findPerfCounters finds every event of every socket, psys once', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeCpus({ 0: '0.0', 16: '1.0' });
  const events = ['energy-cores', 'energy-gpu', 'energy-pkg', 'energy-psys', 'energy-ram'];
  sysfs.writePmu(Object.fromEntries(events.map((event, i) => [event, `event=0x0${i + 1}`])), '0,16');
  assert.deepEqual(list(sysfs.root), [
    'energy-pkg cpu0 package-0',
    'energy-pkg cpu16 package-1',
    'energy-ram cpu0 dram-0',
    'energy-ram cpu16 dram-1',
    'energy-cores cpu0 core-0',
    'energy-cores cpu16 core-1',
    'energy-gpu cpu0 uncore-0',
    'energy-gpu cpu16 uncore-1',
    'energy-psys cpu0 psys',
  ]);
});

test('findPerfCounters uses type, config and scale as stated in sysfs', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x1f' }, '3', 22);
  assert.deepEqual(findPerfCounters(sysfs.root), [
    {
      domain: { kind: 'package', package: 0 },
      event: 'energy-pkg',
      type: 22,
      config: 31,
      cpu: 3,
      scale: 2 ** -32,
      maxWatts: 2_000,
    },
  ]);
});

test('findPerfCounters names the dies of a package that has a CPU in the mask for each', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeCpus({ 0: '0.0', 24: '0.1', 48: '1.0' });
  sysfs.writePmu({ 'energy-pkg': 'event=0x02' }, '0,24,48');
  assert.deepEqual(list(sysfs.root), [
    'energy-pkg cpu0 package-0-die-0',
    'energy-pkg cpu24 package-0-die-1',
    'energy-pkg cpu48 package-1',
  ]);
});

test("findPerfCounters counts an AMD package once, whatever the kernel's cpumask", (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeAmd();
  sysfs.writeCpus({ 0: '0.0', 8: '0.1' });
  sysfs.writePmu({ 'energy-pkg': 'event=0x02' }, '0,8');
  assert.deepEqual(list(sysfs.root), ['energy-pkg cpu0 package-0']);
});

test('findPerfCounters sums the cores of an AMD package, whose leads the kernel names', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeAmd();
  sysfs.writeCpus({ 0: '0.0', 1: '0.0', 8: '0.1', 16: '1.0', 17: '1.0' });
  sysfs.writePmu({ 'energy-pkg': 'event=0x02' }, '0,16', 23);
  sysfs.writeCorePmu('0-1,8,16-17');
  assert.deepEqual(
    findPerfCounters(sysfs.root).map(({ domain, type, config, cpus }) => [
      nameDomain(domain),
      type,
      config,
      cpus,
    ]),
    [
      ['package-0', 23, 2, undefined],
      ['package-1', 23, 2, undefined],
      ['core-0', 24, 1, [0, 1, 8]],
      ['core-1', 24, 1, [16, 17]],
    ],
  );
});

test('findPerfCounters leaves out events without a counter that older kernels list for AMD', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeAmd();
  sysfs.writePmu({ 'energy-pkg': 'event=0x02', 'energy-cores': 'event=0x01', 'energy-ram': 'event=0x03' });
  assert.deepEqual(list(sysfs.root), ['energy-pkg cpu0 package-0']);
});

test('findPerfCounters parses events in every form that the kernel writes', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({
    'energy-pkg': 'event=0x2',
    'energy-ram': 'event=0x03,umask=0x01',
    'energy-gpu': 'event=4',
    'energy-psys': 'event=0x05,flavour=1',
  });
  assert.deepEqual(
    findPerfCounters(sysfs.root).map(({ event, config }) => [event, config]),
    [
      ['energy-pkg', 2],
      ['energy-ram', 0x103],
      ['energy-gpu', 4],
    ],
  );
});

test('findPerfCounters takes scale and unit exactly as the kernel states them, for psys, too', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x02', 'energy-psys': 'event=0x05' });
  sysfs.write('bus/event_source/devices/power/events/energy-psys.scale', '1.0\n');
  assert.deepEqual(
    findPerfCounters(sysfs.root).map(({ scale }) => scale),
    [2 ** -32, 1],
  );
});

test('findPerfCounters leaves out counters that are not in joules', (t) => {
  const sysfs = createFakeSysfs(t);
  const events = ['energy-pkg', 'energy-ram', 'energy-cores', 'energy-new'];
  sysfs.writePmu(Object.fromEntries(events.map((event) => [event, 'event=0x02'])));
  sysfs.write('bus/event_source/devices/power/events/energy-ram.unit', 'Furlongs\n');
  sysfs.write('bus/event_source/devices/power/events/energy-cores', 'N/A\n');
  assert.deepEqual(list(sysfs.root), ['energy-pkg cpu0 package-0']);
});

test('findPerfCounters finds nothing without a PMU or events', (t) => {
  const sysfs = createFakeSysfs(t);
  assert.deepEqual(list(sysfs.root), []);
  sysfs.writePmu({});
  assert.deepEqual(list(sysfs.root), []);
});

test('findPerfCounters uses CPU 0 of package 0 when sysfs has neither cpumask nor topology', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  sysfs.remove('bus/event_source/devices/power/cpumask');
  assert.deepEqual(list(sysfs.root), ['energy-pkg cpu0 package-0']);
});
