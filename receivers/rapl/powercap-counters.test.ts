import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from '../../src/errors.js';
import type { EnergyReader } from './energy-reader.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findZones } from './find-powercap.js';
import { openZones } from './powercap-counters.js';

function sourcesOf({ places }: EnergyReader): readonly string[] {
  return places.map(({ source }) => source);
}

test('openZones reads every zone through a descriptor that stays open', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 262_143_328_850 });
  let nowMs = 0;
  const { reader } = openZones(findZones(sysfs.root), () => nowMs);
  t.after(() => reader.close());
  const values = new Float64Array(4).fill(-1);
  assert.equal(reader.read(values, 1), true);
  assert.deepEqual([...values], [-1, 0, 0, -1]);
  nowMs = 1_000;
  sysfs.writeEnergy('intel-rapl:0', 3_500_000);
  sysfs.writeEnergy('intel-rapl:0:0', 999_939);
  reader.read(values, 1);
  // The unit is 61.035 uJ: 2^32 of it are 61.36 uJ beyond the range.
  assert.deepEqual(
    [...values].map((joules) => joules.toFixed(8)),
    ['-1.00000000', '2.50000000', '1.00000036', '-1.00000000'],
  );
});

test('openZones corrects the wrap of each zone by its own range', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 0, maxMicrojoules: 65_712_999_613 });
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 0, maxMicrojoules: 65_532_610_987 });
  let nowMs = 0;
  const { reader } = openZones(findZones(sysfs.root), () => nowMs);
  t.after(() => reader.close());
  const values = new Float64Array(2);
  let used = 0;
  for (let i = 0; i < 300; i++) {
    // Units of 15,300 nJ, as DRAM of servers has, and of 15,258 nJ, the kernel's 2^-16 J.
    const nanojoules = BigInt(used) * 1_000n;
    sysfs.writeEnergy('intel-rapl:0', Number((nanojoules % (2n ** 32n * 15_300n)) / 1_000n));
    sysfs.writeEnergy('intel-rapl:1', Number((nanojoules % (2n ** 32n * 15_258n)) / 1_000n));
    assert.equal(reader.read(values, 0), true);
    for (const joules of values)
      assert.ok(Math.abs(joules * 1e6 - used) <= 1.01, `${joules} J, not ${used} uJ`);
    used += 777_777_777;
    nowMs += 1_000;
  }
});

test('openZones has a gap, not a zero, for an empty, torn or garbled file', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 50_000_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 1_000_000 });
  let nowMs = 0;
  const { reader } = openZones(findZones(sysfs.root), () => nowMs);
  t.after(() => reader.close());
  const values = new Float64Array(2);
  const results = [50_000_000_000, '', '50', 'N/A\n', 50_004_000_000].map((energy, i) => {
    sysfs.writeEnergy('intel-rapl:0', energy);
    sysfs.writeEnergy('intel-rapl:0:0', (i + 1) * 1_000_000);
    nowMs += 1_000;
    assert.equal(reader.read(values, 0), true);
    return Array.from(values);
  });
  assert.deepEqual(results, [
    [0, 0],
    [NaN, 1],
    [NaN, 2],
    [NaN, 3],
    [4, 4],
  ]);
});

test('openZones is silent when no zone has a reading', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: '' });
  const { reader } = openZones(findZones(sysfs.root));
  t.after(() => reader.close());
  const values = new Float64Array(2);
  reader.read(values, 0);
  assert.equal(reader.isSilent, false);
  sysfs.writeEnergy('intel-rapl:0', '');
  reader.read(values, 0);
  assert.equal(reader.isSilent, true);
  assert.deepEqual([...values], [NaN, NaN]);
});

test('openZones reads the other zones when the file of one is gone', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 1 });
  const zones = findZones(sysfs.root);
  sysfs.remove('class/powercap/intel-rapl:0/energy_uj');
  const { reader, failures: failed } = openZones(zones);
  t.after(() => reader.close());
  assert.deepEqual(sourcesOf(reader), ['intel-rapl:0:0']);
  const failures = failed.map(({ zone, error }) => [zone.domain.kind, describeError(error)]);
  assert.match(failures.join(), /^package,ENOENT: .*intel-rapl:0\/energy_uj'$/);
});

test('openZones reads a copy of a zone that cannot be read', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 1 });
  sysfs.remove('class/powercap/intel-rapl:0/energy_uj');
  const { reader, failures } = openZones(findZones(sysfs.root));
  t.after(() => reader.close());
  assert.deepEqual([sourcesOf(reader), failures], [['intel-rapl-mmio:0'], []]);
});

test('openZones reads a copy of a zone whose file has no number', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 'N/A\n' });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 1 });
  const { reader } = openZones(findZones(sysfs.root));
  t.after(() => reader.close());
  assert.deepEqual(sourcesOf(reader), ['intel-rapl-mmio:0']);
});

test('openZones treats a text without a line end as torn', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  let nowMs = 0;
  const { reader } = openZones(findZones(sysfs.root), () => nowMs);
  t.after(() => reader.close());
  const values = new Float64Array(1);
  // As readings, the torn ones would look like a counter that was reset.
  const results = ['7000000\n', '71', '712345', '72000000\n'].map((text) => {
    sysfs.writeEnergy('intel-rapl:0', text);
    nowMs += 1_000;
    assert.equal(reader.read(values, 0), true);
    return values[0];
  });
  assert.deepEqual(results, [0, NaN, NaN, 65]);
});

test('openZones counts a zone without a range until it decreases, and then restarts it', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 5_000_000, maxMicrojoules: 0 });
  let nowMs = 0;
  const { reader } = openZones(findZones(sysfs.root), () => nowMs);
  t.after(() => reader.close());
  const values = new Float64Array(1);
  const results = [5_000_000, 9_000_000, 1_000_000, 3_000_000, 4_000_000].map((energy) => {
    sysfs.writeEnergy('intel-rapl:0', energy);
    nowMs += 1_000;
    return [reader.read(values, 0), values[0]];
  });
  assert.deepEqual(results, [
    [true, 0],
    [true, 4],
    [true, NaN],
    [false, 2],
    [true, 3],
  ]);
});

test('openZones reopens a zone whose descriptor is dead, and continues its count', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 5_000_000 });
  let nowMs = 0;
  const clock = () => nowMs;
  const { reader: before } = openZones(findZones(sysfs.root), clock);
  const values = new Float64Array(1);
  before.read(values, 0);
  // The open file differs from the one that replaces it.
  sysfs.writeEnergy('intel-rapl:0', '');
  sysfs.remove('class/powercap/intel-rapl:0/energy_uj');
  sysfs.writeEnergy('intel-rapl:0', 8_000_000);
  nowMs = 1_000;
  before.read(values, 0);
  assert.deepEqual([values[0], before.hasGap], [NaN, true]);
  const { reader } = openZones(findZones(sysfs.root), clock, before);
  before.close();
  t.after(() => reader.close());
  nowMs = 2_000;
  assert.equal(reader.read(values, 0), true);
  assert.deepEqual([values[0], reader.hasGap], [3, false]);
  assert.deepEqual(reader.ids, before.ids);
});

test('openZones accepts a psys that counts in whole joules', (t) => {
  const sysfs = createFakeSysfs(t);
  const last = 4_294_967_295_000_000;
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: last - 3_000_000, maxMicrojoules: last });
  let nowMs = 0;
  const { reader } = openZones(findZones(sysfs.root), () => nowMs);
  t.after(() => reader.close());
  const values = new Float64Array(1);
  const results = [last - 3_000_000, last - 3_000_000, last, 499_000_000].map((energy) => {
    sysfs.writeEnergy('intel-rapl:1', energy);
    nowMs += 1_000;
    reader.read(values, 0);
    return values[0];
  });
  assert.deepEqual(results, [0, 0, 3, 503]);
});
