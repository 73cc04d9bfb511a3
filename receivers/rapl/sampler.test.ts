import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import type { Sampler } from '../../src/sampling/sampler.js';
import { schema } from './config.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import type { FakeSysfs } from './fake-sysfs.fixture.js';
import type { Columns } from './metrics.js';
import { perfRefused } from './perf-refused.fixture.js';
import { openRaplSampler } from './sampler.js';

function openOn(sysfs: FakeSysfs, nowMs?: () => number): Sampler {
  return openRaplSampler(parseSettings(schema, { interface: 'powercap', sysfs: sysfs.root }), nowMs);
}

function readRow(sampler: Sampler): number[] {
  const values = new Float64Array(sampler.width);
  sampler.read(values, 0);
  return [...values];
}

function writePackage(sysfs: FakeSysfs): void {
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 100_000_000_000 });
}

test('openRaplSampler describes its columns and counts from 0 at the first row', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  const sampler = openOn(sysfs);
  t.after(() => sampler.close());
  assert.deepEqual(sampler.columns, {
    interface: 'powercap',
    domains: [{ kind: 'package', package: 0 }],
    sources: ['intel-rapl:0'],
    dead: [],
    notes: [],
    resets: 0,
    anew: [],
  });
  assert.equal(sampler.width, 1);
  assert.deepEqual(readRow(sampler), [0]);
  sysfs.writeEnergy('intel-rapl:0', 100_001_500_000);
  assert.deepEqual(readRow(sampler), [1.5]);
  assert.equal(sampler.generation, 0);
});

test('openRaplSampler begins a generation, when a counter began anew, and goes on with the others', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 5_000_000 });
  const sampler = openOn(sysfs);
  t.after(() => sampler.close());
  readRow(sampler);
  const [life, dramLife] = sampler.lives ?? [];
  sysfs.writeEnergy('intel-rapl:0', 3_000_000);
  sysfs.writeEnergy('intel-rapl:0:0', 6_000_000);
  assert.deepEqual(readRow(sampler), [Number.NaN, 1]);
  assert.equal(sampler.generation, 0);
  sysfs.writeEnergy('intel-rapl:0', 3_100_000);
  assert.deepEqual(readRow(sampler), [0, 1]);
  assert.equal(sampler.generation, 1);
  assert.notEqual(sampler.lives?.[0], life);
  assert.equal(sampler.lives?.[1], dramLife);
  const { resets, anew } = sampler.columns as Columns;
  assert.deepEqual([resets, anew], [1, [{ kind: 'package', package: 0 }]]);
  sysfs.writeEnergy('intel-rapl:0', 3_350_000);
  assert.deepEqual(readRow(sampler), [0.25, 1]);
  assert.equal(sampler.generation, 1);
});

test('openRaplSampler opens what is here now, when zones came or went, and goes on with the others', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 5_000_000 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  readRow(sampler);
  const [life] = sampler.lives ?? [];
  sysfs.remove('class/powercap/intel-rapl:0:0');
  nowMs = 4_999;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [0, 2]);
  nowMs = 5_000;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [1, 1]);
  sysfs.writeEnergy('intel-rapl:0', 100_002_000_000);
  assert.deepEqual(readRow(sampler), [2]);
  assert.deepEqual(sampler.lives, [life]);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 6_000_000 });
  nowMs = 10_000;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [2, 2]);
  sysfs.writeEnergy('intel-rapl:0', 100_003_000_000);
  assert.deepEqual(readRow(sampler), [3, 0]);
});

test('openRaplSampler gives up a source that is silent for 10 s, so that it is opened again', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  sysfs.writeEnergy('intel-rapl:0', '');
  assert.deepEqual(readRow(sampler), [Number.NaN]);
  nowMs = 9_000;
  sampler.maintain?.();
  nowMs = 10_000;
  assert.throws(() => sampler.maintain?.(), {
    message: 'Cannot read energy: no counter gave a reading for 10 s',
  });
});

test('openRaplSampler says why nothing can be read', (t) => {
  const sysfs = createFakeSysfs(t);
  assert.throws(() => openOn(sysfs), {
    name: 'UnavailableError',
    message: `powercap: ${sysfs.root}/class/powercap has no intel-rapl zone of a package`,
  });
});

test('openRaplSampler merges dies whose alias shows only later, and keeps them merged', (t) => {
  const sysfs = createFakeSysfs(t);
  // At 0 nothing can be told.
  for (const die of [0, 1])
    sysfs.writeZone(`intel-rapl:${die}`, { name: `package-0-die-${die}`, microjoules: 0 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  assert.deepEqual(readRow(sampler), [0, 0]);
  for (const die of [0, 1]) sysfs.writeEnergy(`intel-rapl:${die}`, 5_000_000);
  readRow(sampler);
  nowMs = 5_000;
  sampler.maintain?.();
  assert.deepEqual((sampler.columns as Columns).domains, [{ kind: 'package', package: 0 }]);
  assert.deepEqual(readRow(sampler), [0]);
  const { generation } = sampler;
  sysfs.writeEnergy('intel-rapl:1', '');
  readRow(sampler);
  nowMs = 10_000;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [generation, 1]);
});

test('openRaplSampler leaves out a part that stands at 0, and takes it in when it counts', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'core', microjoules: 0 });
  const sampler = openOn(sysfs);
  t.after(() => sampler.close());
  assert.deepEqual(readRow(sampler), [0]);
  assert.deepEqual((sampler.columns as Columns).dead, [
    { domain: { kind: 'core', package: 0 }, source: 'intel-rapl:0:0' },
  ]);
  sampler.maintain?.();
  const [life] = sampler.lives ?? [];
  sysfs.writeEnergy('intel-rapl:0', 100_001_000_000);
  sysfs.writeEnergy('intel-rapl:0:0', 400_000);
  assert.deepEqual(readRow(sampler), [1]);
  sampler.maintain?.();
  assert.deepEqual(readRow(sampler), [1, 0]);
  assert.equal(sampler.lives?.[0], life);
  sysfs.writeEnergy('intel-rapl:0:0', 900_000);
  assert.deepEqual(readRow(sampler), [1, 0.5]);
});

test('openRaplSampler leaves out a part that ceases to count while its package goes on', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 5_000_000 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  readRow(sampler);
  sampler.maintain?.();
  sysfs.writeEnergy('intel-rapl:0', 100_300_000_000);
  readRow(sampler);
  nowMs = 61_000;
  sampler.maintain?.();
  assert.deepEqual(readRow(sampler), [300]);
  // Nor does it come back when counters are opened again for another reason.
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: 5_000_000 });
  nowMs = 70_000;
  sampler.maintain?.();
  assert.deepEqual(readRow(sampler), [300, 0]);
});

test('openRaplSampler opens a zone again that alone is dead, without a new series', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 5_000_000 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  readRow(sampler);
  sysfs.writeEnergy('intel-rapl:1', '');
  sysfs.remove('class/powercap/intel-rapl:1/energy_uj');
  sysfs.writeEnergy('intel-rapl:1', 6_000_000);
  assert.deepEqual(readRow(sampler), [0, Number.NaN]);
  nowMs = 5_000;
  sampler.maintain?.();
  assert.deepEqual(readRow(sampler), [0, 1]);
  assert.equal(sampler.generation, 0);
});

test(
  'openRaplSampler keeps its series, when the kernel lets another CPU read a socket',
  { skip: perfRefused },
  (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writePmu({ 'energy-pkg': 'event=0x00' }, '0');
    let nowMs = 0;
    const sampler = openRaplSampler(parseSettings(schema, { sysfs: sysfs.root }), () => nowMs);
    t.after(() => sampler.close());
    const [before = 0] = readRow(sampler);
    sysfs.writePmu({ 'energy-pkg': 'event=0x00' }, '4095');
    nowMs = 5_000;
    sampler.maintain?.();
    const [after = 0] = readRow(sampler);
    assert.equal(sampler.generation, 0);
    assert.ok(after > before);
  },
);
