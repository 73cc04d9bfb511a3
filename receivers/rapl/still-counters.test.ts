import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { start, startByHand, writePackage } from './powercap-rig.fixture.js';

// Machines modelled on public bug reports.

test('rapl publishes dies separately whose memory counters were equal at the start', async (t) => {
  const sysfs = createFakeSysfs(t);
  for (const die of [0, 1]) {
    sysfs.writeZone(`intel-rapl:${die}`, { name: `package-0-die-${die}`, microjoules: (die + 1) * 1e10 });
    sysfs.writeZone(`intel-rapl:${die}:0`, { name: 'dram', microjoules: 50_000_000 });
  }
  const { read, totals } = await start(t, sysfs);
  for (let i = 1; i <= 4; i++)
    await read({
      'intel-rapl:0:0': 50_000_000 + i * 3_000_000,
      'intel-rapl:1:0': 50_000_000 + i * 3_500_000,
    });
  assert.deepEqual(totals(), {
    'hw.energy cpu-package-0-die-0': [0, 1],
    'hw.energy cpu-package-0-die-1': [0, 1],
    'hw.energy dram-0-die-0': [12, 1],
    'hw.energy dram-0-die-1': [14, 1],
  });
});

for (const microjoules of [0, 7_000_000]) {
  test(`rapl reports dies that do not change at ${microjoules} uJ, and loses no energy of them`, async (t) => {
    const sysfs = createFakeSysfs(t);
    for (const die of [0, 1]) {
      sysfs.writeZone(`intel-rapl:${die}`, { name: `package-0-die-${die}`, microjoules });
    }
    const config = parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap' });
    const undecided =
      'package-0-die-0 (intel-rapl:0) and package-0-die-1 (intel-rapl:1) show the same and have not moved, ' +
      'so may be one counter: published when they move, with all that they count';
    const { found } = await factory.probe(config, createFakeContext());
    assert.ok(found.includes(`; ${undecided}`), found);
    const { read, totals, log } = await start(t, sysfs);
    assert.deepEqual(log.lines.at(-1), `info: ${undecided}`);
    await read({});
    assert.deepEqual(totals(), {});
    for (let i = 1; i <= 3; i++)
      await read({
        'intel-rapl:0': microjoules + i * 3_000_000,
        'intel-rapl:1': microjoules + i * 4_000_000,
      });
    assert.deepEqual(totals(), {
      'hw.energy cpu-package-0-die-0': [9, 1],
      'hw.energy cpu-package-0-die-1': [12, 1],
    });
  });
}

test('rapl publishes a package that never moved with its parts once they move, from the start', async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 0 });
  sysfs.writeZone('intel-rapl:1:0', { name: 'dram', microjoules: 0 });
  const { read, totals, next } = await start(t, sysfs);
  await read({ 'intel-rapl:0': 1_010_000_000 });
  assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [10, 1], 'hw.energy dram-0': [0, 1] });
  await read({ 'intel-rapl:1': 5_000_000 });
  await read({ 'intel-rapl:1': 9_000_000, 'intel-rapl:1:0': 2_000_000 });
  assert.deepEqual(totals(), {
    'hw.energy cpu-package-0': [10, 1],
    'hw.energy dram-0': [0, 1],
    'hw.energy cpu-package-1': [9, 1],
    'hw.energy dram-1': [2, 1],
  });
  const starts = next.last('hw.energy').map(({ series }) => series.start);
  assert.equal(new Set(starts).size, 1);
});

test('rapl reports a package at 0 that cannot be compared with another one', async (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 0 });
  const { read, totals, log } = await start(t, sysfs);
  assert.deepEqual(log.lines, [
    'warn: powercap: nothing was counted so far, the counter stands at 0: package-0',
    'info: Reads powercap: package-0',
  ]);
  await read({ 'intel-rapl:0': 5_000_000 });
  assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [5, 1] });
});

const cpus = availableParallelism();

test(
  'rapl publishes dies that perf_event counts separately',
  { skip: perfRefused || (cpus < 2 && 'there is one CPU only') },
  async (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writeCpus({ 0: '0.0', 1: '0.1' });
    sysfs.writePmu({ 'energy-pkg': 'event=0x00' }, '0-1');
    const { read, totals } = await start(t, sysfs, 'perf_event');
    await read({});
    const published = totals();
    assert.deepEqual(Object.keys(published), [
      'hw.energy cpu-package-0-die-0',
      'hw.energy cpu-package-0-die-1',
    ]);
    for (const [joules] of Object.values(published)) assert.ok(joules > 0);
  },
);

for (const msr of [0, 7_000_000]) {
  test(`rapl publishes a package once whose MSR does not change at ${msr} uJ while MMIO counts`, (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: msr });
    sysfs.writeZone('intel-rapl:1', { name: 'package-1', microjoules: 5_000_000 });
    sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 900_000_000 });
    const { readAt, next, totals } = startByHand(t, sysfs);
    readAt(5_000, { 'intel-rapl-mmio:0': 920_000_000 });
    readAt(10_000, { 'intel-rapl-mmio:0': 950_000_000, 'intel-rapl:1': 6_000_000 });
    readAt(11_000, { 'intel-rapl-mmio:0': 955_000_000 });
    // Now both move: only one of them counts.
    readAt(12_000, { 'intel-rapl-mmio:0': 960_000_000, 'intel-rapl:0': msr + 4_000_000 });
    readAt(30_000, { 'intel-rapl-mmio:0': 999_000_000, 'intel-rapl:0': msr + 40_000_000 });
    const series = msr === 0 ? 1 : 2;
    assert.deepEqual(totals(), {
      'hw.energy cpu-package-0': [99, series],
      'hw.energy cpu-package-1': [1, 1],
    });
    const ended = next.tables.flatMap((table) => table.ended ?? []);
    assert.equal(ended.length, series - 1);
    const live = next.tables.at(-1)?.series.map(({ attributes }) => attributes['hw.id']);
    assert.deepEqual(live, ['cpu-package-0', 'cpu-package-1']);
  });
}
