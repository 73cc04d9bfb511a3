import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { FakeCards, startCardRig } from '../../src/gpu/fake-cards.fixture.js';
import { describeClient, FakeDrm } from '../../src/linux/drm-clients.fixture.js';
import { describeStat } from '../../src/linux/process-stat.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { factory } from './factory.js';
import { xePmu } from './xe-pmu.fixture.js';

const [integrated, discrete] = ['0000:00:02.0', '0000:03:00.0'];

/** A card of xe, by the names of its documentation. */
const card = {
  device: '0xe20b',
  'hwmon/hwmon3/name': 'xe',
  'hwmon/hwmon3/energy1_input': 5_000_000,
  'hwmon/hwmon3/energy2_input': 3_000_000,
  'hwmon/hwmon3/power1_max': 190_000_000,
  'hwmon/hwmon3/temp2_input': 44_000,
  'hwmon/hwmon3/temp2_label': 'pkg',
  'hwmon/hwmon3/in1_input': 742,
  'hwmon/hwmon3/fan1_input': 900,
  'tile0/gt0/freq0/act_freq': 2400,
  'tile0/gt0/freq0/throttle/status': 1,
  'tile0/gt0/freq0/throttle/reason_pl1': 1,
  'tile0/gt0/freq0/throttle/reason_thermal': 0,
  'tile0/gt0/gtidle/idle_residency_ms': 60_000,
  'tile0/gt1/freq0/act_freq': 0,
};

function plugIn(files: Parameters<FakeCards['write']>[1] = card): FakeCards {
  const cards = new FakeCards();
  cards.add(1, { address: discrete, driver: 'xe' }, files);
  return cards;
}

test('intel_gpu reads a card of xe: energy, limit, sensors, clocks, idle time, throttling', async (t) => {
  const cards = plugIn();
  const rig = await startCardRig(t, factory, { cards });
  const expected = {
    [`hw.gpu.time ${discrete}`]: 0,
    [`hw.status ${discrete} ok`]: 1,
    [`hw.status ${discrete} failed`]: 0,
    [`hw.energy ${discrete}`]: 0,
    [`hw.gpu.power.limit ${discrete}`]: 190,
    [`hw.temperature ${discrete}/temperature-pkg pkg`]: 44,
    [`hw.voltage ${discrete}/voltage-in1 in1`]: 0.742,
    [`hw.fan.speed ${discrete}/fan1`]: 900,
    [`hw.gpu.clock.frequency ${discrete} graphics`]: 2.4e9,
    [`hw.gpu.clock.frequency ${discrete} media`]: 0,
    [`hw.gpu.idle.time ${discrete} graphics`]: 0,
    [`hw.gpu.throttled ${discrete} pl1`]: 1,
    [`hw.gpu.throttled ${discrete} thermal`]: 0,
  };
  assert.deepEqual(await rig.read(), expected);
  cards.write(1, { 'hwmon/hwmon3/energy1_input': 7_500_000, 'tile0/gt0/gtidle/idle_residency_ms': 60_250 });
  const later = await rig.read();
  assert.equal(later[`hw.energy ${discrete}`], 2.5);
  assert.equal(later[`hw.gpu.idle.time ${discrete} graphics`], 0.25);
  assert.equal(rig.seriesOf('hw.energy')[0]?.attributes['energy.interface'], 'xe_hwmon');
});

test('intel_gpu reads energy and limit of the package where xe has no channel of the card', async (t) => {
  // drivers/gpu/drm/xe/xe_hwmon.c: channel 1 is "card", channel 2 "pkg".
  const cards = plugIn({
    device: '0x56a0',
    'hwmon/hwmon3/name': 'xe',
    'hwmon/hwmon3/energy2_input': 3_000_000,
    'hwmon/hwmon3/power2_max': 190_000_000,
    'hwmon/hwmon3/power2_rated_max': 190_000_000,
  });
  const rig = await startCardRig(t, factory, { cards });
  const first = await rig.read();
  assert.equal(first[`hw.energy ${discrete}`], 0);
  assert.equal(first[`hw.gpu.power.limit ${discrete}`], 190);
  // PL1_DISABLE is 0: the card has no limit.
  cards.write(1, { 'hwmon/hwmon3/energy2_input': 5_500_000, 'hwmon/hwmon3/power2_max': 0 });
  const second = await rig.read();
  assert.equal(second[`hw.energy ${discrete}`], 2.5);
  assert.ok(Number.isNaN(second[`hw.gpu.power.limit ${discrete}`]));
});

test('intel_gpu counts again from 0 when the energy counter was reset, and has a gap where it cannot be read', async (t) => {
  const cards = plugIn();
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  for (const text of ['', 'x', '-5']) {
    cards.write(1, { 'hwmon/hwmon3/energy1_input': text });
    assert.ok(Number.isNaN((await rig.read())[`hw.energy ${discrete}`]), text);
  }
  const joules: (number | undefined)[] = [];
  for (const microjoules of [100, 1_000_100, 2_000_100]) {
    cards.write(1, { 'hwmon/hwmon3/energy1_input': microjoules });
    joules.push((await rig.read())[`hw.energy ${discrete}`]);
  }
  assert.deepEqual(joules, [NaN, 1, 2]);
});

test('intel_gpu reads an integrated GPU of i915, whose energy is in the package of the CPU', async (t) => {
  const cards = new FakeCards();
  cards.add(0, { address: integrated, driver: 'i915' }, { device: '0x46a6' });
  writeFiles(join(cards.sysfs, 'class/drm/card0/gt/gt0'), {
    rps_act_freq_mhz: '1300\n',
    rc6_residency_ms: '900\n',
    throttle_reason_status: '0\n',
    throttle_reason_prochot: '0\n',
  });
  const rig = await startCardRig(t, factory, { cards });
  const values = await rig.read();
  assert.equal(values[`hw.gpu.clock.frequency ${integrated} graphics`], 1.3e9);
  assert.equal(values[`hw.gpu.idle.time ${integrated} graphics`], 0);
  assert.equal(values[`hw.gpu.throttled ${integrated} prochot`], 0);
  assert.equal(values[`hw.energy ${integrated}`], undefined);
  assert.equal(rig.seriesOf('hw.gpu.clock.frequency')[0]?.attributes['hw.parent'], 'cpu-package-0');
});

test('intel_gpu reads files of kernels before 5.18', async (t) => {
  const cards = new FakeCards();
  cards.add(0, { address: integrated, driver: 'i915' }, { device: '0x1912' });
  writeFiles(join(cards.sysfs, 'class/drm/card0'), {
    gt_act_freq_mhz: '350\n',
    'power/rc6_residency_ms': '5\n',
  });
  const values = await (await startCardRig(t, factory, { cards })).read();
  assert.equal(values[`hw.gpu.clock.frequency ${integrated} graphics`], 3.5e8);
  assert.equal(values[`hw.gpu.idle.time ${integrated} graphics`], 0);
});

test('intel_gpu gives the share of time in which each engine of the PMU was busy', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('counting on a CPU needs root');
  const cards = new FakeCards();
  cards.add(0, { address: integrated, driver: 'i915' }, { device: '0x46a6', used: 1 });
  // The kernel's clock of a CPU, in nanoseconds, takes the place of the time of an engine.
  writeFiles(join(cards.sysfs, 'bus/event_source/devices/i915'), {
    type: '1\n',
    cpumask: '0\n',
    'events/rcs0-busy': 'config=0x0\n',
    'events/rc6-residency': 'config=0x0\n',
  });
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  const share = (await rig.read())[`hw.gpu.utilization ${integrated} rcs0`] ?? NaN;
  assert.ok(share > 0 && share <= 1, String(share));
});

/** With software events in place of its own. */
const countingPmu = {
  ...xePmu,
  'events/gt-actual-frequency': 'event=0x02\n',
};

const engineFolders = Object.fromEntries(
  ['tile0/gt0/engines/bcs', 'tile0/gt0/engines/rcs', 'tile0/gt1/engines/vcs'].map((folder) => [
    `${folder}/job_timeout_ms`,
    5000,
  ]),
);

function plugInXe(
  files: Parameters<FakeCards['write']>[1],
  pmu: Readonly<Record<string, string>> = countingPmu,
): FakeCards {
  const cards = plugIn(files);
  writeFiles(join(cards.sysfs, 'bus/event_source/devices/xe_0000_03_00.0'), pmu);
  return cards;
}

test('intel_gpu gives the share of its ticks in which each engine of xe was busy', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('counting on a CPU needs root');
  const start = async (active: string, total: string) => {
    const pmu = { ...countingPmu, 'events/engine-active-ticks': active, 'events/engine-total-ticks': total };
    const cards = plugInXe({ ...card, ...engineFolders }, pmu);
    const rig = await startCardRig(t, factory, { cards, settings: { engines: 'all' } });
    await rig.read();
    return async () =>
      Object.entries(await rig.read()).filter(([name]) => name.startsWith('hw.gpu.utilization'));
  };
  const name = `hw.gpu.utilization ${discrete} rcs0`;
  // The kernel knows no software event with the bits of other classes, instances and tiles, as xe refuses engines that are not there.
  const clocks = await start('event=0x00\n', 'event=0x00\n');
  const read = await clocks();
  // Both count the time of the CPU, and begin one after the other.
  assert.deepEqual(
    read.map(([one, value]) => [one, Number(value.toFixed(2))]),
    [[name, 1]],
  );
  // Faults of alignment, of which there are none, among context switches, which a busy CPU has, too.
  const faults = await start('event=0x07\n', 'event=0x03\n');
  const shares: number[] = [];
  while (shares.length < 1000 && shares.every(Number.isNaN)) {
    shares.push(...(await faults()).map(([, share]) => share));
  }
  assert.equal(shares.at(-1), 0);
});

test('intel_gpu takes the clock of xe from its PMU, where sysfs does not have it', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('counting on a CPU needs root');
  const { 'tile0/gt0/freq0/act_freq': _, ...files } = card;
  const rig = await startCardRig(t, factory, { cards: plugInXe(files), settings: { engines: 'all' } });
  await rig.read();
  const values = await rig.read();
  const hertz = values[`hw.gpu.clock.frequency ${discrete} graphics`] ?? NaN;
  assert.ok(hertz >= 0 && hertz % 1e6 === 0, `page faults as megahertz: ${hertz} Hz`);
  assert.equal(values[`hw.gpu.clock.frequency ${discrete} media`], 0, 'that of sysfs');
});

test('intel_gpu does not keep a GPU of xe awake to count its engines, unless that is asked for', async (t) => {
  const files = { ...card, ...engineFolders };
  for (const engines of ['i915', 'none']) {
    const rig = await startCardRig(t, factory, { cards: plugInXe(files), settings: { engines } });
    const values = await rig.read();
    assert.deepEqual(
      Object.keys(values).filter((name) => name.startsWith('hw.gpu.utilization')),
      [],
    );
  }
});

test('intel_gpu takes the mean clock of i915 from its PMU, where sysfs does not have it', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('counting on a CPU needs root');
  const cards = new FakeCards();
  cards.add(0, { address: integrated, driver: 'i915' }, { device: '0x46a6', used: 1 });
  writeFiles(join(cards.sysfs, 'class/drm/card0/gt/gt0'), { rc6_residency_ms: '900\n' });
  writeFiles(join(cards.sysfs, 'bus/event_source/devices/i915'), {
    type: '1\n',
    cpumask: '0\n',
    // Faults of alignment, of which there are none.
    'events/actual-frequency-gt0': 'config=0x7\n',
  });
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  const hertz = (await rig.read())[`hw.gpu.clock.frequency ${integrated} graphics`] ?? NaN;
  assert.equal(hertz, 0);
});

test('intel_gpu gives the GPU time of processes, so that attribution can share the energy', async (t) => {
  const drm = new FakeDrm();
  drm.start(77);
  writeFileSync(join(drm.procfs, '77/stat'), describeStat(77, { comm: 'game' }));
  drm.write(77, 3, describeClient(1, 50, discrete));
  const rig = await startCardRig(t, factory, { cards: plugIn(), drm });
  await rig.read();
  drm.write(77, 3, describeClient(1, 2050, discrete));
  const values = await rig.read();
  assert.equal(Math.round(1e9 * (values[`process.gpu.time 77 ${discrete} general`] ?? NaN)), 2000);
  assert.equal(Math.round(1e9 * (values[`hw.gpu.time ${discrete}`] ?? NaN)), 2000);
});

test('intel_gpu publishes no hw.energy of a card that another receiver has', async (t) => {
  const claims = {
    ...freeClaims,
    claim: (key: string) => (key === `energy/gpu/${discrete}` ? 'hwmon' : undefined),
  };
  const values = await (await startCardRig(t, factory, { cards: plugIn(), claims })).read();
  assert.equal(values[`hw.energy ${discrete}`], undefined);
  assert.equal(values[`hw.meter.energy ${discrete}`], 0);
});

const probe = (cards: FakeCards) =>
  factory.probe(parseSettings(factory.schema, { sysfs: cards.sysfs }), createFakeContext());

test('intel_gpu is unavailable without a card, and names what is there otherwise', async () => {
  const none = await probe(new FakeCards());
  assert.match(none.found, /expected a card of i915 or xe in .*, found none$/u);
  assert.equal(none.available, false);
  assert.equal((await probe(plugIn())).found, `Intel GPU 0xe20b (${discrete})`);
});
