import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import type { Sampler } from '../../src/sampling/sampler.js';
import { schema } from './config.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import type { FakeSysfs } from './fake-sysfs.fixture.js';
import type { Columns } from './metrics.js';
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
  assert.equal((sampler.columns as Columns).resets, 1);
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
