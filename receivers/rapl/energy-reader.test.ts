import assert from 'node:assert/strict';
import { openSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { EnergyReader } from './energy-reader.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findPerfCounters } from './find-perf.js';
import { openPerfGroups, openPerfReader, PerfGroup, type PerfFailure } from './perf-counters.js';

/** Watts of a counter that counts every nanosecond of a CPU in units of 2^-32 J. */
const watts = 1e9 / 2 ** 32;

const nowNs = () => process.hrtime.bigint();

const countFds = () => readdirSync('/proc/self/fd').length;

function spinUntil(ns: bigint): void {
  while (nowNs() < ns);
}

test('openPerfReader returns the counted energy', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-ram': 'event=0x00' });
  const reader = openPerfReader(findPerfCounters(sysfs.root));
  t.after(() => reader.close());
  const values = new Float64Array(2);
  const before = nowNs();
  reader.read(values, 0);
  const begun = nowNs();
  assert.deepEqual([...values], [0, 0]);
  spinUntil(begun + 100_000_000n);
  const ending = nowNs();
  assert.equal(reader.read(values, 0), true);
  const after = nowNs();
  for (const joules of values) {
    assert.ok(joules >= 0.999 * watts * Number(ending - begun) * 1e-9, `${joules} J`);
    assert.ok(joules <= 1.001 * watts * Number(after - before) * 1e-9, `${joules} J`);
  }
});

test('openPerfReader starts at 0 again when restarted', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  const reader = openPerfReader(findPerfCounters(sysfs.root));
  t.after(() => reader.close());
  const values = new Float64Array(1);
  reader.read(values, 0);
  reader.read(values, 0);
  assert.ok((values[0] ?? 0) > 0);
  reader.restart(0);
  reader.read(values, 0);
  assert.equal(values[0], 0);
});

test('openPerfReader has gaps and is silent when its counters are gone', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  const reader = openPerfReader(findPerfCounters(sysfs.root));
  const values = new Float64Array(1);
  reader.read(values, 0);
  assert.equal(reader.isSilent, false);
  reader.close();
  assert.equal(reader.read(values, 0), true);
  assert.deepEqual([values[0], reader.isSilent], [NaN, true]);
});

test('openPerfReader reads the other counters when one cannot be opened', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-ram': 'event=0x00' }, '0,4095');
  const counters = findPerfCounters(sysfs.root);
  const broken = { ...counters[0], event: 'energy-gpu', config: 0xff };
  const sum = { ...counters[0], event: 'energy-core', cpus: [0, 4095] };
  const before = countFds();
  const failed: PerfFailure[] = [];
  const reader = openPerfReader([broken, ...counters, sum], failed);
  const sources = reader.places.map(({ source }) => source);
  assert.deepEqual(sources, ['energy-pkg on cpu 0', 'energy-ram on cpu 0']);
  const failures = failed.map(({ counter: { event, cpu } }) => `${event} on cpu ${cpu}`);
  assert.deepEqual(failures, [
    'energy-gpu on cpu 0',
    'energy-pkg on cpu 4095',
    'energy-ram on cpu 4095',
    'energy-core on cpu 0',
  ]);
  reader.close();
  assert.equal(countFds(), before);
});

test(
  'openPerfReader continues with counters that still count when another CPU reads them',
  { skip: perfRefused },
  (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-ram': 'event=0x00' });
    const before = openPerfReader(findPerfCounters(sysfs.root));
    const values = new Float64Array(2);
    before.read(values, 0);
    const counters = findPerfCounters(sysfs.root).map((counter) => Object.assign(counter, { cpu: 4095 }));
    const reader = openPerfReader(counters, [], before);
    before.close();
    t.after(() => reader.close());
    assert.deepEqual(reader.ids, before.ids);
    reader.read(values, 0);
    assert.ok(values.every((joules) => joules > 0));
  },
);

test(
  'openPerfReader reopens counters that have stopped, such as those of an offline CPU',
  { skip: perfRefused },
  (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
    const counters = findPerfCounters(sysfs.root);
    // A read of /dev/null gives no bytes.
    const before = new EnergyReader('perf_event', [new PerfGroup(counters, [openSync('/dev/null', 'r')])]);
    const values = new Float64Array(1);
    before.read(values, 0);
    assert.deepEqual([values[0], before.hasGap, before.isSilent], [NaN, true, true]);
    const reader = openPerfReader(counters, [], before);
    before.close();
    t.after(() => reader.close());
    assert.notDeepEqual(reader.ids, before.ids);
    reader.read(values, 0);
    assert.equal(values[0], 0);
  },
);

test('openPerfReader has a gap only in the socket whose counters stop', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  const counters = findPerfCounters(sysfs.root);
  const reader = new EnergyReader('perf_event', [
    new PerfGroup(counters, [openSync('/dev/null', 'r')]),
    ...openPerfGroups(counters, []),
  ]);
  t.after(() => reader.close());
  const values = new Float64Array(2);
  reader.read(values, 0);
  assert.deepEqual([...values], [NaN, 0]);
  assert.deepEqual([reader.hasGap, reader.isSilent], [true, false]);
});

test('EnergyReader restarts one counter and leaves the others', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-ram': 'event=0x00' });
  const reader = openPerfReader(findPerfCounters(sysfs.root));
  t.after(() => reader.close());
  const values = new Float64Array(2);
  reader.read(values, 0);
  const [first, second] = reader.ids;
  reader.restart(1);
  assert.equal(reader.ids[0], first);
  assert.notEqual(reader.ids[1], second);
  reader.read(values, 0);
  assert.equal(values[1], 0);
  assert.ok(values[0] > 0);
});
