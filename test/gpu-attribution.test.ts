import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { schema } from '../processors/attribution/config.js';
import { factory } from '../processors/attribution/factory.js';
import { factory as amdGpu } from '../receivers/amd_gpu/factory.js';
import { h100, withoutCompiler as skip, type Answers } from '../receivers/nvml/fake-nvml.fixture.js';
import { startRig } from '../receivers/nvml/nvml.fixture.js';
import type { Consumer } from '../src/component/consumer.js';
import {
  createFakeContext,
  createMeterReader,
  createTableCollector,
  type TableCollector,
} from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { FakeCards, startCardRig } from '../src/gpu/fake-cards.fixture.js';
import { createFakeProcfs, type FakeProcfs } from '../src/identity/fake-procfs.fixture.js';
import { FakeDrm } from '../src/linux/drm-clients.fixture.js';
import { checkTables } from '../src/model/check-tables.js';
import type { Series } from '../src/model/series.js';
import { createRow, type Table } from '../src/model/table.js';
import { busyTime } from '../src/model/usage-metrics.js';
import { computeShare, listChanges, type Reading } from './gpu-shares.js';

const pids = [101, 102, 103, 104, 105];
const containers = ['/docker/a', '/docker/a', '/docker/b', '/docker/b', '/docker/c'];

/**
 * Two GPUs: the first is shared by four processes, the second divided by MIG, with the fifth process on its
 * instance.
 */
const machine: Answers = {
  ...h100,
  Count: '0 2',
  '0.UUID': '0 GPU-0',
  '1.UUID': '0 GPU-1',
  '1.MigMode': '0 1 1',
  '1.MaxMigDeviceCount': '0 1',
  '1.ProcessUtilization': '3',
  '1.MigDevice.0': '0 100',
  '100.UUID': '0 MIG-0',
  '100.ComputeRunningProcesses': '0 105 1000',
  '0.ComputeRunningProcesses': '0 101 1 102 1 103 1 104 1',
};

/** The value of each row of a series' metric on a GPU, with its instant in nanoseconds. */
function listRows(tables: readonly Table[], metric: string, isWanted: (series: Series) => boolean) {
  return tables.flatMap(({ series, epoch, values }) => {
    const column = series.findIndex((one) => one.metric.name === metric && isWanted(one));
    return column < 0 ? [] : [{ at: Number(epoch - tables[0].epoch), value: values[column] }];
  });
}

type Rows = Reading[];

function listEnergy(tables: readonly Table[], id: string): Rows {
  return listChanges(listRows(tables, 'hw.energy', ({ attributes }) => attributes['hw.id'] === id));
}

function listGpuTime(tables: readonly Table[], id: string): Rows {
  return listRows(tables, 'hw.gpu.time', ({ attributes }) => attributes['hw.id'] === id);
}

function sumJoules(out: TableCollector, metric: string, attribute: string, value: unknown): number {
  const own = out.last(metric).filter(({ series }) => series.resource.attributes[attribute] === value);
  return sum(own.map((row) => row.value));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The part of the energy that a series of the ledger counts, or the reason for which it is not attributed. */
function nameOf({ attributes }: Series): string {
  return String(attributes['ledger.reason'] ?? attributes['ledger.part']);
}

/** The processor attribution on a machine that uses no CPU time. */
function startAttribution() {
  const out = createTableCollector();
  const telemetry = createMeterReader();
  const context = createFakeContext({ id: 'attribution', meter: telemetry.meter });
  const settings = parseSettings(schema, {
    cpu_count: 2,
    views: ['process', 'cgroup'],
    process_limit: 0,
    floor: [{ hw_type: 'gpu', power: 0 }],
  });
  const processor = factory.create(settings, context, out);
  void processor.start();
  const busy = [
    { metric: busyTime, resource: { attributes: {} }, attributes: {}, start: context.clock.wallNs() },
  ];
  return {
    out,
    processor,
    closeScan: () => processor.consume(createRow(busy, context.clock.wallNs(), Float64Array.of(0))),
    /** The parts of the energy of a GPU, by part or reason. */
    partsOf(id: string): Record<string, number> {
      const own = out.last('ledger.energy').filter(({ series }) => series.attributes['hw.id'] === id);
      return Object.fromEntries(own.map(({ series, value }) => [nameOf(series), value]));
    },
    /** By how many joules the accounts of GPUs do not add up. */
    readResidual: async () =>
      (await telemetry.read())['joulemetry.attribution.residual{gpu,measured,gpu_time}'],
  };
}

function writeProcesses(procfs: FakeProcfs): void {
  pids.forEach((pid, i) =>
    procfs.write(pid, { comm: `p${pid}`, exe: `/bin/p${pid}`, cgroup: containers[i] }),
  );
}

function assertNear(actual: number, expected: number, what: string, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${what}: ${actual} J, expected ${expected} J`);
}

test('the energy of GPUs goes to processes and containers by GPU time, at 10 Hz', { skip }, async (t) => {
  const procfs = createFakeProcfs();
  writeProcesses(procfs);
  const { out, processor, closeScan, partsOf, readResidual } = startAttribution();
  closeScan();
  const rig = await startRig(t, { answers: machine, settings: { procfs: procfs.path }, next: processor });
  closeScan();
  for (let i = 1; i <= 30; i++) {
    await sleep(100);
    const stampUs = (Date.now() - 5) * 1000;
    const samples = pids.slice(0, 4).map((pid, p) => `${pid} ${stampUs} ${(7 * i * (p + 1)) % 25} 0 0 0`);
    await rig.readWith({
      '0.ProcessUtilization': `0 ${samples.join(' ')} 999 ${stampUs} 3 0 0 0`,
      '0.TotalEnergyConsumption': `0 ${2_423_875 + 50_000 * i + 777 * (i % 7)}`,
      '1.TotalEnergyConsumption': `0 ${2_423_875 + 7_000 * i}`,
    });
    closeScan();
  }
  assert.equal(await readResidual(), 0);
  void processor.shutdown();
  checkTables(out.tables);
  const { tables } = rig.next;
  const [energy, all] = [listEnergy(tables, 'GPU-0'), listGpuTime(tables, 'GPU-0')];
  const expected = pids.slice(0, 4).map((pid) => {
    const isOwn = ({ resource, attributes }: Series) =>
      resource.attributes['process.pid'] === pid && attributes['hw.gpu.task'] === 'general';
    return computeShare(energy, all, listRows(tables, 'process.gpu.time', isOwn));
  });
  assert.ok(
    expected.every((joules) => joules > 50),
    String(expected),
  );
  pids.slice(0, 4).forEach((pid, i) => {
    assertNear(sumJoules(out, 'process.energy', 'process.pid', pid), expected[i], `process ${pid}`);
  });
  for (const [path, first] of [
    ['/docker/a', 0],
    ['/docker/b', 2],
  ] as const) {
    const joules = sumJoules(out, 'linux.cgroup.energy', 'linux.cgroup.path', path);
    assertNear(joules, expected[first] + expected[first + 1], path);
  }
  const growth = (rig.last('hw.energy', { 'hw.id': 'GPU-0' }) ?? NaN) - energy[0].value;
  assertNear(sum(Object.values(partsOf('GPU-0'))), growth, 'parts of GPU-0', 1e-8 * growth);
  // An instance has no meter, and this one no profiling counters: the GPU is measured as a whole, and no
  // process is charged.
  assert.equal(sumJoules(out, 'process.energy', 'process.pid', 105), 0);
  assert.deepEqual(listIds(rig.next, 'process.gpu.memory.usage'), ['GPU-0', 'MIG-0']);
  assert.deepEqual(listIds(rig.next, 'hw.energy'), ['GPU-0', 'GPU-1']);
  assert.deepEqual(listIds(rig.next, 'hw.gpu.time'), ['GPU-0']);
  assert.deepEqual(listIds(out, 'ledger.energy'), ['GPU-0', 'GPU-1']);
  const { no_usage: unused, ...others } = partsOf('GPU-1');
  assertNear(unused, 29 * 7, 'GPU-1');
  assert.deepEqual(new Set(Object.values(others)), new Set([0]));
});

function listIds(tables: TableCollector, metric: string): readonly string[] {
  const ids = tables.last(metric).map(({ series }) => String(series.attributes['hw.id']));
  return [...new Set(ids)].toSorted((a, b) => (a < b ? -1 : 1));
}

const card = '0000:03:00.0';

/**
 * Readings follow each other within milliseconds: larger steps would exceed the maximum power of a card. Exact
 * in the card's unit.
 */
const joulesPerUnit = 1 / 1024;

/** The table of an MI300X, with only its energy counter. */
function createGpuMetrics(joules: number): Buffer {
  const bytes = 1664;
  const table = Buffer.alloc(bytes, 0xff);
  table.set([bytes & 0xff, bytes >> 8, 1, 6]);
  table.writeBigUInt64LE(BigInt(Math.round(joules * 65_536)), 16);
  return table;
}

/** An MI300X whose processes have DRM clients, through amd_gpu to attribution. */
async function startCard(t: TestContext, files: Readonly<Record<string, number>> = {}) {
  const procfs = createFakeProcfs();
  writeProcesses(procfs);
  const drm = new FakeDrm(procfs.path);
  const cards = new FakeCards();
  cards.add(1, { address: card, driver: 'amdgpu' }, { device: '0x74a1', ...files });
  const ledger = startAttribution();
  const tables: Table[] = [];
  const next: Consumer = { consume: (table) => (tables.push(table), ledger.processor.consume(table)) };
  const write = (usedNs: readonly number[], joules: number) => {
    usedNs.forEach((ns, p) => drm.write(pids[2 * p], 3, describeAmdClient(p, ns)));
    writeFileSync(cards.pathOf(1, 'gpu_metrics'), createGpuMetrics(joules));
  };
  for (const pid of [pids[0], pids[2]]) drm.start(pid);
  write([0, 0], 1000);
  ledger.closeScan();
  const rig = await startCardRig(t, amdGpu, { cards, drm, next });
  /** GPU time of each process at each reading. */
  const own: readonly [Rows, Rows] = [[], []];
  const read = async (usedNs: readonly number[], joules: number) => {
    write(usedNs, joules);
    await rig.read();
    const at = listGpuTime(tables, card).at(-1)?.at ?? NaN;
    usedNs.forEach((value, p) => own[p].push({ at, value }));
    ledger.closeScan();
  };
  // A meter is known only after its first change.
  for (let i = 0; i < 2; i++) await read([0, 0], 1000);
  return { ...ledger, tables, own, read };
}

/** The first process uses one engine, the second one two. */
function describeAmdClient(p: number, ns: number) {
  return {
    driver: 'amdgpu',
    pdev: card,
    'client-id': 7 + p,
    'engine-gfx': `${5e9 + ns / (p + 1)} ns`,
    'engine-dec': `${6e9 + ns - ns / (p + 1)} ns`,
  };
}

test('the energy of a card goes to processes by their DRM time, each engine of it', async (t) => {
  const { out, processor, tables, own, read, partsOf, readResidual } = await startCard(t);
  const usedNs: [number, number] = [0, 0];
  let joules = 1000;
  for (let i = 1; i <= 30; i++) {
    usedNs[0] += 40_000 * ((7 * i) % 25);
    usedNs[1] += 40_000 * ((11 * i) % 19);
    joules += (50 + (i % 7) / 4) * joulesPerUnit;
    await read(usedNs, joules);
  }
  assert.equal(await readResidual(), 0);
  void processor.shutdown();
  checkTables(out.tables);
  const energy = listEnergy(tables, card);
  const all = own[0].map(({ at, value }, i) => ({ at, value: value + own[1][i].value }));
  const expected = own.map((rows) => computeShare(energy, all, rows));
  assert.ok(
    expected.every((share) => share > 300 * joulesPerUnit),
    String(expected),
  );
  expected.forEach((share, p) => {
    const [pid, path] = [pids[2 * p], containers[2 * p]];
    assertNear(sumJoules(out, 'process.energy', 'process.pid', pid), share, `process ${pid}`);
    assertNear(sumJoules(out, 'linux.cgroup.energy', 'linux.cgroup.path', path), share, path);
  });
  const parts = partsOf(card);
  assertNear(parts['attributed'], sum(expected), 'attributed');
  const growth = joules - 1000 - energy[0].value;
  assertNear(sum(Object.values(parts)), growth, 'parts', 1e-8 * growth);
});

test('the energy of a card that is busy for longer than its DRM time is not charged to processes', async (t) => {
  const { out, processor, tables, own, read, partsOf, readResidual } = await startCard(t, {
    gpu_busy_percent: 100,
  });
  for (let i = 1; i <= 20; i++) await read([100_000 * i, 0], 1000 + 60 * i * joulesPerUnit);
  assert.equal(await readResidual(), 0);
  void processor.shutdown();
  checkTables(out.tables);
  // The card is busy all the time.
  const all = own[0].map(({ at }) => ({ at, value: at }));
  const energy = listEnergy(tables, card);
  const share = computeShare(energy, all, own[0]);
  assert.ok(share > 0 && share < 600 * joulesPerUnit, String(share));
  assertNear(sumJoules(out, 'process.energy', 'process.pid', pids[0]), share, 'process', 1e-5);
  const parts = partsOf(card);
  assertNear(parts['attributed'], share, 'attributed', 1e-5);
  assertNear(parts['unseen'], computeShare(energy, all, all) - share, 'unseen', 1e-5);
  assertNear(sum(Object.values(parts)), 1140 * joulesPerUnit, 'parts', 1e-8);
});
