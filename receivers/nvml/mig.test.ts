import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import { checkTables } from '../../src/model/check-tables.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { buildNvml, h100, uuid, withoutCompiler as skip, type Answers } from './fake-nvml.fixture.js';
import { startRig, type Rig } from './nvml.fixture.js';

/** A MIG instance: the number of its GPU instance, its SMs, and its processes. */
type Instance = readonly [gpuInstance: number, sms: number, ...pids: readonly number[]];

/** An H100 that is divided into instances, `MIG-0` and so on, all idle. */
function divide(...instances: readonly Instance[]): Answers {
  const own = instances.flatMap(([gpuInstance, sms, ...pids], i): [string, string][] => [
    [`0.MigDevice.${i}`, `0 ${100 + i}`],
    [`${100 + i}.UUID`, `0 MIG-${i}`],
    [`${100 + i}.GpuInstanceId`, `0 ${gpuInstance}`],
    [`${100 + i}.Attributes`, `0 ${sms}`],
    [`${100 + i}.ComputeRunningProcesses`, `0 ${pids.map((pid) => `${pid} 1000`).join(' ')}`],
    [`0.Gpm.${gpuInstance}.2`, '0 0'],
  ]);
  const gpu = { '0.MigMode': '0 1 1', '0.MaxMigDeviceCount': '0 7', '0.Profile.4': '0 132' };
  return { ...h100, ...gpu, '0.ProcessUtilization': '3', ...Object.fromEntries(own) };
}

async function startDivided(t: TestContext, answers: Answers): Promise<Rig> {
  const procfs = createFakeProcfs();
  for (const pid of [11, 12, 13]) procfs.write(pid, { comm: `p${pid}` });
  return startRig(t, { answers, settings: { procfs: procfs.path } });
}

/** GPU time of a device or of a process. */
const timeOf = (rig: Rig, id: string, pid?: number): number =>
  pid === undefined
    ? (rig.last('hw.gpu.time', { 'hw.id': id }) ?? NaN)
    : (rig.last('process.gpu.time', { 'hw.id': id, 'process.pid': pid }) ?? NaN);

/** Seconds from the start of the GPU time of the GPU to its last value. */
function secondsOf({ next }: Rig): number {
  const last = next.last('hw.gpu.time').find(({ series }) => series.attributes['hw.id'] === uuid)?.series;
  const table = next.tables.findLast(({ series }) => last !== undefined && series.includes(last));
  return Number((table?.epoch ?? 0n) - (last?.start ?? 0n)) / 1e9;
}

/** Reads with these answers until the profiling counters were read again, which the GPU then counts. */
async function readAfterwards(rig: Rig, answers: Answers): Promise<void> {
  const before = timeOf(rig, uuid);
  rig.nvml.set(answers);
  await until(async () => {
    await rig.read();
    return timeOf(rig, uuid) > before;
  });
}

/** Asserts that times have these ratios, as shares of the SMs of the GPU. */
function assertRatios(times: readonly number[], shares: readonly number[]): void {
  assert.ok(
    times.every((time) => time > 0),
    String(times),
  );
  const perShare = times.map((time, i) => time / (shares[i] ?? NaN));
  for (const one of perShare) assert.ok(Math.abs(one / (perShare[0] ?? NaN) - 1) < 1e-9, String(times));
}

test('nvml counts the time of MIG instances by their busy SMs', { skip }, async (t) => {
  const rig = await startDivided(t, divide([1, 16, 11], [2, 60, 12], [3, 16]));
  assert.equal(timeOf(rig, uuid), 0, 'the first reading begins the count');
  await readAfterwards(rig, { '0.Gpm.1.2': '0 50', '0.Gpm.2.2': '0 80', '0.Gpm.3.2': '0 25' });
  const parts = ['MIG-0', 'MIG-1', 'MIG-2'].map((id) => timeOf(rig, id));
  assertRatios([...parts, timeOf(rig, uuid)], [8, 48, 4, 60]);
  assertRatios([timeOf(rig, 'MIG-0', 11), timeOf(rig, 'MIG-1', 12), parts[2] ?? NaN], [8, 48, 4]);
  // The wall clock and that of the window are read at different times: this matters less as time passes.
  await until(async () => {
    await rig.read();
    return Math.abs(timeOf(rig, uuid) / secondsOf(rig) - 60 / 132) < 0.05; // a part of all SMs of the GPU
  });
  checkTables(rig.next.tables);
});

test('nvml names the GPU of the instance that a process uses', { skip }, async (t) => {
  const rig = await startDivided(t, divide([1, 16, 11]));
  for (const metric of ['process.gpu.time', 'process.gpu.memory.usage', 'hw.gpu.time']) {
    const own = rig.next.last(metric).filter(({ series }) => series.attributes['hw.id'] === 'MIG-0');
    assert.deepEqual(
      own.map(({ series }) => series.attributes['hw.parent']),
      [uuid],
      metric,
    );
  }
});

test('nvml divides the time of an instance equally among its processes', { skip }, async (t) => {
  const rig = await startDivided(t, divide([1, 16, 11, 12], [2, 60, 13]));
  await readAfterwards(rig, { '0.Gpm.1.2': '0 100', '0.Gpm.2.2': '0 10' });
  assertRatios([timeOf(rig, 'MIG-0', 11), timeOf(rig, 'MIG-0', 12), timeOf(rig, 'MIG-1', 13)], [8, 8, 6]);
});

test(
  'nvml counts the utilization of a GPU instance for all its SMs, of which a compute instance has a part',
  { skip },
  async (t) => {
    // A 1c.3g: one of three slices.
    const rig = await startDivided(t, { ...divide([1, 16, 11], [2, 16, 12]), '100.Attributes': '0 16 3 1' });
    await readAfterwards(rig, { '0.Gpm.1.2': '0 25', '0.Gpm.2.2': '0 50' });
    assertRatios([timeOf(rig, 'MIG-0'), timeOf(rig, 'MIG-1')], [0.25 * 48, 0.5 * 16]);
  },
);

test('nvml assigns the time of an instance under MPS to the clients', { skip }, async (t) => {
  const mps = { '100.MPSComputeRunningProcesses': '0 12 500' };
  const rig = await startDivided(t, { ...divide([1, 16, 11, 12]), ...mps });
  await readAfterwards(rig, { '0.Gpm.1.2': '0 100' });
  assert.equal(timeOf(rig, 'MIG-0', 11), 0, 'its server');
  assertRatios([timeOf(rig, 'MIG-0', 12), timeOf(rig, uuid)], [1, 1]);
});

test(
  'nvml assigns the time of a GPU instance to those of its compute instances that have processes',
  { skip },
  async (t) => {
    const rig = await startDivided(t, divide([1, 30, 11], [1, 30], [2, 16, 12]));
    await readAfterwards(rig, { '0.Gpm.1.2': '0 50', '0.Gpm.2.2': '0 50' });
    assertRatios([timeOf(rig, 'MIG-0', 11), timeOf(rig, 'MIG-2', 12), timeOf(rig, uuid)], [30, 8, 38]);
    assert.equal(timeOf(rig, 'MIG-1'), 0);
  },
);

test(
  'nvml counts an instance whose utilization cannot be read as busy with unknown processes',
  { skip },
  async (t) => {
    const rig = await startDivided(t, divide([1, 16, 11], [2, 60, 12]));
    await readAfterwards(rig, { '0.Gpm.1.2': '0 50', '0.Gpm.2.2': '999' });
    assertRatios([timeOf(rig, 'MIG-0', 11), timeOf(rig, 'MIG-1'), timeOf(rig, uuid)], [8, 60, 68]);
    assert.equal(timeOf(rig, 'MIG-1', 12), 0);
  },
);

test('nvml has no GPU time of instances without profiling counters, before Hopper', { skip }, async (t) => {
  const rig = await startDivided(t, { ...divide([1, 16, 11]), '0.GpmSupport': '0 0' });
  await rig.read();
  assert.ok(Number.isNaN(timeOf(rig, uuid)));
  assert.ok(Number.isNaN(timeOf(rig, 'MIG-0', 11)));
  assert.equal(rig.last('process.gpu.memory.usage', { 'process.pid': 11 }), 1000);
});

test(
  'nvml continues with the GPU when one of its instances is destroyed and another one created',
  { skip },
  async (t) => {
    const rig = await startDivided(t, divide([1, 16, 11], [2, 60, 12]));
    await readAfterwards(rig, { '0.Gpm.1.2': '0 50', '0.Gpm.2.2': '0 80' });
    const before = timeOf(rig, uuid);
    rig.nvml.set({
      '101.lost': '0 2',
      '0.MigDevice.1': '0 102',
      '102.UUID': '0 MIG-2',
      '102.GpuInstanceId': '0 3',
      '102.Attributes': '0 60',
      '102.ComputeRunningProcesses': '0 13 1000',
      '0.Gpm.3.2': '0 20',
    });
    await until(async () => {
      await rig.read();
      return timeOf(rig, 'MIG-2', 13) > 0;
    });
    const ended = rig.next.tables.flatMap((table) => table.ended ?? []);
    const ids = (name: string) =>
      ended.filter(({ metric }) => metric.name === name).map(({ attributes }) => attributes['hw.id']);
    assert.deepEqual(new Set(ids('hw.gpu.time')), new Set(['MIG-1']));
    assert.deepEqual(new Set(ids('process.gpu.time')), new Set(['MIG-1']));
    assert.ok(timeOf(rig, uuid) > before, 'that of the GPU goes on');
    checkTables(rig.next.tables);
  },
);

test(
  'nvml has no GPU time of instances without profiling counters, before Hopper, and doctor reports it',
  { skip },
  async (t) => {
    const { '*.GpmSupport': _, ...divided } = divide([1, 16, 11], [2, 60, 12]);
    const ampere = Object.fromEntries(Object.entries(divided).filter(([name]) => !name.includes('.Gpm.')));
    const rig = await startDivided(t, ampere);
    await rig.read();
    for (const metric of ['hw.gpu.time', 'process.gpu.time'])
      assert.deepEqual(rig.next.last(metric), [], metric);
    assert.equal(rig.next.last('hw.energy').length, 1, 'the energy is published, and stays unattributed');
    assert.equal(rig.last('process.gpu.memory.usage', { 'hw.id': 'MIG-0', 'process.pid': 11 }), 1000);
    assert.match((await probe(ampere)).found, /energy of MIG instances stays unattributed \(no_usage\)/u);
    assert.doesNotMatch((await probe(divide([1, 16, 11]))).found, /no_usage/u);
  },
);

function probe(answers: Answers) {
  const config = parseSettings(factory.schema, { library: buildNvml(answers).path });
  return factory.probe(config, createFakeContext());
}
