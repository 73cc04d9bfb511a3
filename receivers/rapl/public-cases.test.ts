import assert from 'node:assert/strict';
import { chmodSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/contract/fakes.js';
import { readClocks } from '../../src/linux/clocks.js';
import type { Series } from '../../src/model/series.js';
import { SamplerChannel, createSamplerMetrics } from '../../src/sampling/sampler-channel.js';
import { SamplerSlot } from '../../src/sampling/sampler-slot.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { schema } from './config.js';
import { CounterGate } from './counter-gate.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';
import { factory, RaplReceiver } from './factory.js';
import type { Columns } from './domain.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { openRaplSampler } from './sampler.js';
import { readEnergy } from './find-powercap.js';

/** Trees of machines by shape of public bug reports, read on real sampling threads. */
async function start(t: TestContext, sysfs: FakeSysfs, name = 'powercap') {
  const log = createLogCollector();
  const next = createTableCollector();
  const fake = createFakeContext({ log });
  const sampling = createSampling(fake);
  // Readings are taken by hand.
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: name, sampling_interval: '1h' });
  const receiver = new RaplReceiver(config, { ...fake, sampling }, next);
  t.after(async () => {
    await receiver.shutdown();
    await sampling.shutdown();
  });
  await receiver.start();
  const read = async (energies: Readonly<Record<string, number | string>>) => {
    for (const [path, microjoules] of Object.entries(energies)) sysfs.writeEnergy(path, microjoules);
    await receiver.flush();
  };
  return { receiver, read, next, log, totals: () => sumUp(next.tables) };
}

/** By domain: the joules of all of its series together, and how many there were. */
function sumUp(tables: ReturnType<typeof createTableCollector>['tables']) {
  const last = new Map<Series, number>();
  for (const { series, values } of tables) {
    values.forEach((value, cell) => {
      const one = series[cell % series.length];
      if (one !== undefined && !Number.isNaN(value)) last.set(one, value);
    });
  }
  const totals: Record<string, [joules: number, series: number]> = {};
  for (const [{ metric, attributes }, joules] of last) {
    const name = `${metric.name} ${attributes['hw.id']}`;
    const [sum, count] = totals[name] ?? [0, 0];
    totals[name] = [Math.round((sum + joules) * 1e6) / 1e6, count + 1];
  }
  return totals;
}

function writePackage(sysfs: FakeSysfs): void {
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1_000_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 300_000_000 });
}

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

test('rapl loses what was used before a reset, and no more, where a zone states no range', async (t) => {
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
  test(`rapl has a gap and one series, when a reading is ${name}`, async (t) => {
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

test('rapl tells sixteen packages apart', async (t) => {
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

const isRoot = process.getuid?.() === 0 && 'root may read every file';

test('rapl reads the package, when only its file may be read', { skip: isRoot }, async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  chmodSync(join(sysfs.root, 'class/powercap/intel-rapl:0:0/energy_uj'), 0);
  const { receiver, read, totals, log } = await start(t, sysfs);
  await read({ 'intel-rapl:0': 1_010_000_000 });
  assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [10, 1] });
  assert.match(log.lines.join('\n'), /^warn: powercap: Cannot read dram-0 from .*: EACCES, root or CAP_DAC/m);
  assert.equal(receiver.isPartial, false);
});

test('rapl reads memory without its package, but is no meter of the machine then', async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.remove('class/powercap/intel-rapl:0/energy_uj');
  const { receiver, read, totals } = await start(t, sysfs);
  await read({ 'intel-rapl:0:0': 301_000_000 });
  assert.deepEqual(totals(), { 'hw.energy dram-0': [1, 1] });
  assert.equal(receiver.isPartial, true);
});

test('rapl names the errno of zones that cannot be read, and no driver to load', async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  for (const zone of ['intel-rapl:0', 'intel-rapl:0:0']) {
    sysfs.remove(`class/powercap/${zone}/energy_uj`);
    // It can be opened, but not be read at 0, as these files in some virtual machines.
    symlinkSync('/proc/self/mem', join(sysfs.root, `class/powercap/${zone}/energy_uj`));
  }
  const config = parseSettings(schema, { sysfs: sysfs.root });
  const { available, found, remedies } = await factory.probe(config, createFakeContext());
  assert.equal(available, false);
  assert.match(found, /Cannot read package-0 from .*: EIO, Cannot read dram-0 from .*: EIO$/);
  assert.deepEqual(remedies, []);
});

test('rapl says that zones cannot be followed, when their links lead nowhere', async (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('class/powercap/README', '');
  for (const zone of ['intel-rapl', 'intel-rapl:0'])
    symlinkSync(`../../devices/virtual/powercap/${zone}`, join(sysfs.root, 'class/powercap', zone));
  const config = parseSettings(schema, { sysfs: sysfs.root });
  const { available, found, remedies } = await factory.probe(config, createFakeContext());
  assert.equal(available, false);
  assert.match(found, /powercap: the zones in .*\/class\/powercap cannot be followed$/);
  assert.deepEqual(
    remedies.map(({ command }) => command),
    ['mount the host\'s /sys read-only at /host/sys and set "sysfs: /host/sys"'],
  );
});

test('rapl publishes dies apart whose memory showed the same at the start', async (t) => {
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

for (const microjoules of [0, 7_000_000]) {
  test(`rapl says what it sees of dies that stand still at ${microjoules} uJ, and loses nothing of them`, async (t) => {
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

test('rapl says that a package stands at 0 which nothing can be compared with', async (t) => {
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
  'rapl publishes dies that perf_event counts each',
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

/** A sampler read by hand on this thread, by a clock of the test, and what the gate publishes of it. */
function startByHand(t: TestContext, sysfs: FakeSysfs) {
  let nowMs = 0;
  const clock = () => nowMs;
  const context = createFakeContext();
  const next = createTableCollector();
  const gate = new CounterGate(context, next, { onChange: () => {}, readCounter: readEnergy, nowMs: clock });
  const request = {
    id: 'rapl',
    module: new URL('./sampler.js', import.meta.url),
    options: undefined,
    periodNs: 1e9,
    flushMs: 1_000,
    describe: (columns: unknown, startNs: bigint) => gate.describe(columns as Columns, startNs),
    next: gate,
    log: context.log,
  };
  const channel = new SamplerChannel(1, request, createSamplerMetrics(context.meter));
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap' });
  const slot = new SamplerSlot(
    { id: 1, periodNs: 1e9, flushNs: 1e9, open: () => openRaplSampler(config, clock), readClocks },
    {
      post: () => {},
      postRows: (message) => {
        channel.takeRows(message);
        return true;
      },
    },
  );
  slot.open();
  t.after(() => slot.close());
  const readAt = (ms: number, energies: Readonly<Record<string, number>>) => {
    nowMs = ms;
    for (const [path, microjoules] of Object.entries(energies)) sysfs.writeEnergy(path, microjoules);
    slot.flush();
  };
  return { readAt, next, totals: () => sumUp(next.tables) };
}

for (const msr of [0, 7_000_000]) {
  test(`rapl publishes a package once, whose MSR stands still at ${msr} uJ beside a live MMIO`, (t) => {
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
