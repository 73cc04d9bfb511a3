import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { schema } from './config.js';
import type { Columns } from './domain.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';
import { openRaplSampler } from './sampler.js';
import { openOn, readRow } from './sampler.fixture.js';

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
    paths: [`${sysfs.root}/class/powercap/intel-rapl:0`],
    hasCounted: [true],
    agesMs: [0],
    left: [],
    notes: [],
    resets: 0,
    reset: [],
    events: [],
  });
  assert.equal(sampler.width, 1);
  assert.deepEqual(readRow(sampler), [0]);
  sysfs.writeEnergy('intel-rapl:0', 100_001_500_000);
  assert.deepEqual(readRow(sampler), [1.5]);
  assert.equal(sampler.generation, 0);
});

test('openRaplSampler starts a new series for a counter that was reset, and continues the others', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 5_000_000 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  readRow(sampler);
  const [id, dramId] = sampler.columnIds ?? [];
  sysfs.writeEnergy('intel-rapl:0', 3_000_000);
  sysfs.writeEnergy('intel-rapl:0:0', 6_000_000);
  assert.deepEqual(readRow(sampler), [NaN, 1]);
  assert.equal(sampler.generation, 0);
  sysfs.writeEnergy('intel-rapl:0', 3_100_000);
  nowMs = 1_000;
  // The energy counted since the first reading after the reset.
  assert.deepEqual(readRow(sampler), [0.1, 1]);
  assert.equal(sampler.generation, 1);
  assert.notEqual(sampler.columnIds?.[0], id);
  assert.equal(sampler.columnIds?.[1], dramId);
  const { resets, reset, agesMs } = sampler.columns as Columns;
  assert.deepEqual([resets, reset, agesMs], [1, [{ kind: 'package', package: 0 }], [1_000, 0]]);
  sysfs.writeEnergy('intel-rapl:0', 3_350_000);
  assert.deepEqual(readRow(sampler), [0.35, 1]);
  assert.equal(sampler.generation, 1);
});

test('openRaplSampler opens the current zones when zones were added or removed, and continues the others', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 5_000_000 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  readRow(sampler);
  const [id] = sampler.columnIds ?? [];
  sysfs.remove('class/powercap/intel-rapl:0:0');
  nowMs = 4_999;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [0, 2]);
  nowMs = 5_000;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [1, 1]);
  sysfs.writeEnergy('intel-rapl:0', 100_002_000_000);
  assert.deepEqual(readRow(sampler), [2]);
  assert.deepEqual(sampler.columnIds, [id]);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 6_000_000 });
  nowMs = 10_000;
  sampler.maintain?.();
  assert.deepEqual([sampler.generation, sampler.width], [2, 2]);
  sysfs.writeEnergy('intel-rapl:0', 100_003_000_000);
  assert.deepEqual(readRow(sampler), [3, 0]);
});

test('openRaplSampler opens a zone with another range within a minute, and does not check for that every 5 s', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  readRow(sampler);
  sysfs.write('class/powercap/intel-rapl:0/max_energy_range_uj', '65532610987\n');
  nowMs = 59_999;
  sampler.maintain?.();
  assert.equal(sampler.generation, 0);
  nowMs = 64_999;
  sampler.maintain?.();
  assert.equal(sampler.generation, 1);
});

test('openRaplSampler closes a source that is silent for 10 s, so that it is opened again', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  sysfs.writeEnergy('intel-rapl:0', '');
  assert.deepEqual(readRow(sampler), [NaN]);
  nowMs = 9_000;
  sampler.maintain?.();
  nowMs = 10_000;
  assert.throws(() => sampler.maintain?.(), {
    message: 'Cannot read energy: expected a reading of any counter, found none for 10 s',
  });
});

test('openRaplSampler reports why nothing can be read', (t) => {
  const sysfs = createFakeSysfs(t);
  assert.throws(() => openOn(sysfs), {
    name: 'UnavailableError',
    message: `powercap: ${sysfs.root}/class/powercap has no intel-rapl zone of a package`,
  });
});

test('openRaplSampler reads a part that is at 0 and reports that it has counted nothing', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'core', microjoules: 0 });
  const sampler = openOn(sysfs);
  t.after(() => sampler.close());
  assert.deepEqual((sampler.columns as Columns).hasCounted, [true, false]);
  assert.deepEqual(readRow(sampler), [0, 0]);
  sysfs.writeEnergy('intel-rapl:0:0', 400_000);
  assert.deepEqual(readRow(sampler), [0, 0.4]);
  assert.equal(sampler.generation, 0);
});

test('openRaplSampler leaves out a counter that is reset continually, until a minute without a reset', (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 5_000_000 });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  const readAt = (ms: number, microjoules: number) => {
    nowMs = ms;
    sysfs.writeEnergy('intel-rapl:0:0', microjoules);
    const row = readRow(sampler);
    sampler.maintain?.();
    return row;
  };
  // Every third reading is smaller, and the next one confirms that the counter was reset.
  const rows = Array.from({ length: 20 }, (_, i) => readAt(i * 1_000, 1_000_000 + 1_000_000 * (i % 3)));
  assert.deepEqual(rows.at(-1), [0]);
  const { resets, left, domains } = sampler.columns as Columns;
  assert.deepEqual(domains, [{ kind: 'package', package: 0 }]);
  assert.deepEqual(left, [
    { domain: { kind: 'dram', package: 0 }, source: 'intel-rapl:0:0', state: 'unusable' },
  ]);
  assert.equal(resets, 4);
  const { generation } = sampler;
  assert.ok(generation <= 5, `${generation} generations`);
  readAt(60_000, 10_000_000);
  readAt(121_000, 11_000_000);
  assert.deepEqual(readAt(122_000, 12_000_000), [0, 0]);
  assert.deepEqual(readAt(123_000, 12_500_000), [0, 0.5]);
  assert.deepEqual((sampler.columns as Columns).left, []);
});

test('openRaplSampler reopens a single dead zone without a new series', (t) => {
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
  assert.deepEqual(readRow(sampler), [0, NaN]);
  nowMs = 5_000;
  sampler.maintain?.();
  assert.deepEqual(readRow(sampler), [0, 1]);
  assert.equal(sampler.generation, 0);
});

test(
  'openRaplSampler keeps its series when the kernel lets another CPU read a socket',
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
