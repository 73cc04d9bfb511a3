import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { start, writePackage } from './powercap-rig.fixture.js';

// Machines modelled on public bug reports.

test('rapl counts a laptop with psys, an MMIO copy and disabled zones once', async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.writeZone('intel-rapl:0:1', { name: 'core', microjoules: 500_000_000 });
  sysfs.writeZone('intel-rapl:0:2', { name: 'uncore', microjoules: 10_000_000 });
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: 9_000_000_000 });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 1_000_000_000 });
  sysfs.write('class/powercap/intel-rapl:0:1/enabled', '0\n');
  const { read, totals } = await start(t, sysfs);
  for (const step of [1, 2])
    await read({
      'intel-rapl:0': 1_000_000_000 + step * 10_000_000,
      'intel-rapl:0:0': 300_000_000 + step * 1_000_000,
      'intel-rapl:0:1': 500_000_000 + step * 6_000_000,
      'intel-rapl:0:2': 10_000_000 + step * 500_000,
      'intel-rapl:1': 9_000_000_000 + step * 25_000_000,
      'intel-rapl-mmio:0': 1_000_000_000 + step * 10_000_000,
    });
  assert.deepEqual(totals(), {
    'hw.energy cpu-package-0': [20, 1],
    'hw.energy dram-0': [2, 1],
    'rapl.energy core-0': [12, 1],
    'rapl.energy uncore-0': [1, 1],
    'rapl.energy psys': [50, 1],
  });
});

test('rapl loses only the energy used before a reset where a zone states no range', async (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 4_000_000_000 });
  sysfs.remove('class/powercap/intel-rapl:0/max_energy_range_uj');
  const { read, totals } = await start(t, sysfs);
  for (const microjoules of [4_010_000_000, 10_000, 5_010_000, 15_010_000])
    await read({ 'intel-rapl:0': microjoules });
  assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [25, 2] });
});

for (const [name, text] of [
  ['empty', ''],
  ['a text', 'No data available\n'],
]) {
  test(`rapl has a gap and one series when a reading is ${name}`, async (t) => {
    const sysfs = createFakeSysfs(t);
    writePackage(sysfs);
    const { read, totals, log } = await start(t, sysfs);
    await read({ 'intel-rapl:0': text ?? '', 'intel-rapl:0:0': 301_000_000 });
    await read({ 'intel-rapl:0': 1_020_000_000, 'intel-rapl:0:0': 302_000_000 });
    assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [20, 1], 'hw.energy dram-0': [2, 1] });
    const found = `expected a decimal counter in .*/intel-rapl:0/energy_uj, found "${(text ?? '').trim()}"`;
    assert.match(log.lines.join(), new RegExp(`warn: Cannot read the energy of cpu-package-0: ${found}`));
  });
}

test('rapl distinguishes sixteen packages', async (t) => {
  const sysfs = createFakeSysfs(t);
  const numbers = Array.from({ length: 16 }, (_, i) => i);
  for (const i of numbers) {
    sysfs.writeZone(`intel-rapl:${i}`, { name: `package-${i}`, microjoules: (i + 1) * 1_000_000 });
    sysfs.writeZone(`intel-rapl:${i}:0`, { name: 'dram', microjoules: 77 });
  }
  const { read, totals } = await start(t, sysfs);
  await read(
    Object.fromEntries(
      numbers.flatMap((i) => [
        [`intel-rapl:${i}`, 2 * (i + 1) * 1_000_000],
        [`intel-rapl:${i}:0`, 1_077],
      ]),
    ),
  );
  const expected = numbers.flatMap((i) => [
    [`hw.energy cpu-package-${i}`, [i + 1, 1]],
    [`hw.energy dram-${i}`, [0.001, 1]],
  ]);
  assert.deepEqual(totals(), Object.fromEntries(expected));
});

for (const [name, maxMicrojoules] of [
  ['999 uJ', 999],
  ['30 J', 30_000_000],
  ['less than its counter', 500_000_000],
] as const) {
  test(`rapl counts with a zone whose range is ${name}`, async (t) => {
    const sysfs = createFakeSysfs(t);
    sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1_000_000_000, maxMicrojoules });
    const { read, totals, log } = await start(t, sysfs);
    for (let i = 1; i <= 20; i++) await read({ 'intel-rapl:0': 1_000_000_000 + i * 1_000_000 });
    assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [20, 1] });
    assert.equal(log.lines.filter((line) => line.startsWith('warn')).length, 1);
  });
}
