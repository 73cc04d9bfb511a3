import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findPerfCounters } from './find-perf.js';
import { openPerfReader } from './perf-reader.js';
import { perfRefused } from './perf-refused.fixture.js';

/** Watts of a counter that counts every nanosecond of a CPU in units of 2^-32 J. */
const watts = 1e9 / 2 ** 32;

const nowNs = () => process.hrtime.bigint();

const countFds = () => readdirSync('/proc/self/fd').length;

function spinUntil(ns: bigint): void {
  while (nowNs() < ns);
}

test('openPerfReader gives the energy that was counted', { skip: perfRefused }, (t) => {
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

test('openPerfReader begins at 0 again, when restarted', { skip: perfRefused }, (t) => {
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

test('openPerfReader has gaps and is silent, when its counters are gone', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  const reader = openPerfReader(findPerfCounters(sysfs.root));
  const values = new Float64Array(1);
  reader.read(values, 0);
  assert.equal(reader.isSilent, false);
  reader.close();
  assert.equal(reader.read(values, 0), true);
  assert.deepEqual([values[0], reader.isSilent], [Number.NaN, true]);
});

test('openPerfReader leaves nothing open, when a counter cannot be opened', { skip: perfRefused }, (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writePmu({ 'energy-pkg': 'event=0x00', 'energy-ram': 'event=0x00' }, '0,4095');
  const counters = findPerfCounters(sysfs.root);
  const before = countFds();
  assert.throws(() => openPerfReader(counters), /energy-pkg" on cpu 4095/);
  assert.throws(() => openPerfReader([{ ...counters[0], event: 'energy-ram', config: 0xff }]), {
    code: 'ENOENT',
  });
  assert.throws(() => openPerfReader([counters[0], { ...counters[0], config: 0xff }]), { code: 'ENOENT' });
  assert.equal(countFds(), before);
});
