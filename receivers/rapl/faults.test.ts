import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createMeterReader } from '../../src/component/fakes.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { noUnreadableFile, testFileFaults, unreadableFile } from '../../src/scraping/file-faults.fixture.js';
import { startPacedReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { factory } from './factory.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';

const energies = { 'intel-rapl:0': 'package-0', 'intel-rapl:0:0': 'dram' };

/** A package and its memory, each of which uses a joule between two readings. */
function createMachine(t: TestContext) {
  const sysfs = createFakeSysfs(t);
  const microjoules = new Map(Object.keys(energies).map((path) => [path, 1_000_000_000]));
  for (const [path, name] of Object.entries(energies))
    sysfs.writeZone(path, { name, microjoules: microjoules.get(path) ?? 0 });
  const tick = () => {
    for (const [path, before] of microjoules) {
      microjoules.set(path, before + 1_000_000);
      sysfs.writeEnergy(path, before + 1_000_000);
    }
  };
  const sampling = createSampling(createFakeContext());
  t.after(() => sampling.shutdown());
  return {
    factory,
    settings: { sysfs: sysfs.root, interface: 'powercap' },
    interval: 'sampling_interval' as const,
    counters: /sampler\.gaps/u,
    overrides: { sampling },
    tick,
    microjoules,
    subject: /dram-0/u,
    path: join(sysfs.root, 'class/powercap/intel-rapl:0:0/energy_uj'),
    sysfs,
  };
}

testFileFaults('rapl zones', createMachine, ['truncated', 'empty', 'garbage']);

/** Reads three times, and returns the logged lines and the counters. */
async function readThrice(t: TestContext, machine: ReturnType<typeof createMachine>, spoil: () => void) {
  const meter = createMeterReader();
  const { settings, overrides } = machine;
  const { read, log } = await startPacedReceiver(
    t,
    factory,
    { ...settings, sampling_interval: '1h' },
    { ...overrides, meter: meter.meter },
  );
  const rows: Record<string, number>[] = [];
  for (let i = 0; i < 3; i++) {
    machine.tick();
    spoil();
    const values = await read(1);
    rows.push(Object.fromEntries(values.map(([{ attributes }, joules]) => [attributes['hw.id'], joules])));
  }
  const problems = log.lines.filter((line) => /^(?:warn|error): /u.test(line));
  return { rows, problems, counts: await meter.read() };
}

test('rapl has a gap for a zone that vanishes, counts it, logs it once, and reads the others', async (t) => {
  const machine = createMachine(t);
  const { rows, problems, counts } = await readThrice(t, machine, () => {
    // After its removal, reads of an open descriptor return no text.
    machine.sysfs.writeEnergy('intel-rapl:0:0', '');
    machine.sysfs.remove('class/powercap/intel-rapl:0:0/energy_uj');
  });
  assert.deepEqual(
    rows.map((row) => row['cpu-package-0']),
    [1, 2, 3],
  );
  assert.ok(rows.every((row) => Number.isNaN(row['dram-0'])));
  assert.equal(problems.length, 1, problems.join('\n'));
  assert.match(problems[0] ?? '', /Cannot read the energy of dram-0: .*ENOENT/u);
  assert.ok((counts['joulemetry.sampler.gaps{test}'] ?? 0) >= 3);
});

test('rapl counts on after the reset of a zone, which it counts and logs once', async (t) => {
  const machine = createMachine(t);
  let isReset = false;
  const { rows, problems, counts } = await readThrice(t, machine, () => {
    if (isReset) return;
    isReset = true;
    machine.microjoules.set('intel-rapl:0:0', 1_000_000);
    machine.sysfs.writeEnergy('intel-rapl:0:0', 1_000_000);
  });
  assert.deepEqual(
    rows.map((row) => row['cpu-package-0']),
    [1, 2, 3],
  );
  assert.ok((rows[2]?.['dram-0'] ?? NaN) <= 2, 'what the zone has counted since');
  assert.equal(problems.filter((line) => line.includes('The energy counter of dram-0 was reset')).length, 1);
  assert.equal(new Set(problems).size, problems.length, problems.join('\n'));
  assert.equal(counts['joulemetry.rapl.resets{test}'], 1);
});

test(
  'rapl leaves a zone out that may not be read, logs it once, and reads the others',
  { skip: noUnreadableFile },
  async (t) => {
    const machine = createMachine(t);
    machine.microjoules.delete('intel-rapl:0:0');
    machine.sysfs.remove('class/powercap/intel-rapl:0:0/energy_uj');
    symlinkSync(unreadableFile, machine.path);
    const { rows, problems, counts } = await readThrice(t, machine, () => {});
    assert.ok(rows.every((row) => !('dram-0' in row) && Number.isFinite(row['cpu-package-0'])));
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', /dram-0 .*EACCES/u);
    assert.ok(Object.keys(counts).some((key) => /rapl\.domains.*unreadable/u.test(key)));
  },
);
