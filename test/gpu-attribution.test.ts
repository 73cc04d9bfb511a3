import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { schema } from '../processors/attribution/config.js';
import { factory } from '../processors/attribution/factory.js';
import { h100, withoutCompiler as skip, type Answers } from '../receivers/nvml/fake-nvml.fixture.js';
import { startRig } from '../receivers/nvml/nvml.fixture.js';
import { createFakeContext, createTableCollector, type TableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { createFakeProcfs } from '../src/identity/fake-procfs.fixture.js';
import { checkTables } from '../src/model/check-tables.js';
import type { Series } from '../src/model/series.js';
import { busyTime } from '../src/model/shared-metrics.js';
import { createRow, type Table } from '../src/model/table.js';

const pids = [101, 102, 103, 104, 105];
const containers = ['/docker/a', '/docker/a', '/docker/b', '/docker/b', '/docker/c'];

/** Two GPUs: the first is shared by four processes, the second divided by MIG, with the fifth on its instance. */
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

type Rows = ReturnType<typeof listRows>;

function interpolate(rows: Rows, at: number): number {
  const after = Math.max(
    1,
    rows.findIndex((row) => row.at >= at),
  );
  const [a, b] = [rows[after - 1], rows[after]];
  return a.value + ((b.value - a.value) * (at - a.at)) / (b.at - a.at);
}

/** What a process gets of the energy of a GPU, by the definition: in each window the share that it has of all GPU time. */
function computeShare(energy: Rows, all: Rows, own: Rows): number {
  const countUntil = (rows: Rows, until: number) => rows.findLast(({ at }) => at <= until)?.value ?? 0;
  const describe = (at: number) => {
    return { at, all: countUntil(all, at), own: countUntil(own, at), joules: interpolate(energy, at) };
  };
  const [start, end] = [energy[0].at, energy.at(-1)?.at ?? NaN];
  let joules = 0;
  let from = describe(start);
  for (const { at } of all.filter((row) => row.at > start && row.at <= end)) {
    // A window has a new reading of the meter, or it becomes a part of the next one.
    if (!energy.some((reading) => reading.at > from.at && reading.at <= at)) continue;
    const to = describe(at);
    if (to.all > from.all) joules += ((to.joules - from.joules) * (to.own - from.own)) / (to.all - from.all);
    from = to;
  }
  return joules;
}

function sumJoules(out: TableCollector, metric: string, attribute: string, value: unknown): number {
  const own = out.last(metric).filter(({ series }) => series.resource.attributes[attribute] === value);
  return own.reduce((sum, row) => sum + row.value, 0);
}

test('the energy of GPUs goes to processes and containers by GPU time, at 10 Hz', { skip }, async (t) => {
  const procfs = createFakeProcfs();
  pids.forEach((pid, i) =>
    procfs.write(pid, { comm: `p${pid}`, exe: `/bin/p${pid}`, cgroup: containers[i] }),
  );
  const out = createTableCollector();
  const context = createFakeContext({ id: 'attribution' });
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
  const closeScan = () => processor.consume(createRow(busy, context.clock.wallNs(), Float64Array.of(0)));
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
  void processor.shutdown();
  checkTables(out.tables);
  // A meter that repeats its first reading is known from its first change on, and is a line from change to change.
  const energy = listRows(rig.next.tables, 'hw.energy', ({ attributes }) => attributes['hw.id'] === 'GPU-0')
    .filter(({ value }, i, rows) => i === 0 || value !== rows[i - 1].value)
    .slice(1);
  const all = listRows(rig.next.tables, 'hw.gpu.time', ({ attributes }) => attributes['hw.id'] === 'GPU-0');
  const expected = pids.slice(0, 4).map((pid) => {
    const isOwn = ({ resource, attributes }: Series) =>
      resource.attributes['process.pid'] === pid && attributes['hw.gpu.task'] === 'general';
    return computeShare(energy, all, listRows(rig.next.tables, 'process.gpu.time', isOwn));
  });
  assert.ok(
    expected.every((joules) => joules > 50),
    String(expected),
  );
  pids.slice(0, 4).forEach((pid, i) => {
    const joules = sumJoules(out, 'process.energy', 'process.pid', pid);
    assert.ok(
      Math.abs(joules - expected[i]) < 1e-6,
      `process ${pid} got ${joules} J, expected ${expected[i]} J`,
    );
  });
  for (const [path, first] of [
    ['/docker/a', 0],
    ['/docker/b', 2],
  ] as const) {
    const joules = sumJoules(out, 'linux.cgroup.energy', 'linux.cgroup.path', path);
    assert.ok(Math.abs(joules - expected[first] - expected[first + 1]) < 1e-6, `${path} got ${joules} J`);
  }
  // The driver has no samples of processes where MIG is on: no process is charged.
  assert.equal(sumJoules(out, 'process.energy', 'process.pid', 105), 0);
  for (const [id, first] of [
    ['GPU-0', energy[0].value],
    ['GPU-1', 7],
  ] as const) {
    const parts = out.last('ledger.energy').filter(({ series }) => series.attributes['hw.id'] === id);
    const measured = (rig.last('hw.energy', { 'hw.id': id }) ?? NaN) - first;
    const sum = parts.reduce((joules, { value }) => joules + value, 0);
    assert.ok(Math.abs(sum - measured) < 1e-8 * measured, `${id}: parts of ${sum} J, measured ${measured} J`);
  }
  assert.ok((rig.last('hw.energy', { 'hw.id': 'GPU-1' }) ?? 0) > 200);
});
