import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { factory as host } from '../receivers/host/factory.js';
import { factory as processes } from '../receivers/process/factory.js';
import { factory as rapl } from '../receivers/rapl/factory.js';
import { readTruth, type TruthStep } from '../src/simulation/tree/truth.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { runAgent, startAgent } from './agent.js';
import { createReceiver, rowsOf, runReceivers, type Row } from './simulation.fixture.js';

/** Starts `simulate --tree` for a test. */
async function startTree(t: TestContext, args: readonly string[]): Promise<string> {
  const root = join(createFolder(), 'tree');
  const writer = startAgent(['simulate', '--tree', root, ...args]);
  t.after(() => writer.stop());
  await writer.waitFor(/Writing sys, proc/);
  return root;
}

/**
 * The steps that a reading can show: those shortly before its timestamp, and the one being written, since a
 * step gets its timestamp after all its files are written.
 */
function stepsAround(truth: readonly TruthStep[], ns: bigint): readonly TruthStep[] {
  const last = truth.findLastIndex(({ timeNs }) => timeNs <= ns);
  return truth.slice(Math.max(0, last - 30), last + 2);
}

// 2^32 units of 61,035 nJ.
const modulusMicrojoules = 262_143_328_911.36;

/**
 * Whether the growth of each reading since the first equals that of the counter at some step. The first reading
 * is not 0 if it includes energy that was counted before the counter was known to be independent.
 */
function assertCounter(rows: readonly Row[], truth: readonly TruthStep[], domain: string): void {
  const counters = ({ ns }: Row) =>
    stepsAround(truth, ns).map(({ domains }) => domains[domain]?.counter_uj ?? assert.fail(domain));
  const [first] = rows;
  assert.ok(first && rows.length > 2);
  const isExplained = counters(first).some((base) =>
    rows.every((row) =>
      counters(row).some((counter) => isGrowth((row.value - first.value) * 1e6, counter - base)),
    ),
  );
  assert.ok(isExplained, `the readings of ${domain} are not those of its counter`);
}

/** Whether a counter difference in microjoules, possibly after a wrap, equals this growth. */
function isGrowth(microjoules: number, difference: number): boolean {
  if (difference >= 0) return difference === Math.round(microjoules);
  return Math.abs(difference + modulusMicrojoules - microjoules) < 1;
}

/** Whether a growth in seconds between two readings is correct within the error of steps and ticks. */
function assertGrowth(
  rows: readonly Row[],
  truth: readonly TruthStep[],
  trueNs: (step: TruthStep) => number | undefined,
): void {
  const [first, last] = [rows[0], rows.at(-1)];
  assert.ok(first && last);
  const range = (row: Row) => stepsAround(truth, row.ns).flatMap((step) => trueNs(step) ?? []);
  const [from, to] = [range(first), range(last)];
  const grownNs = (last.value - first.value) * 1e9;
  // User and system time are ticks of 10 ms each, truncated at both ends.
  assert.ok(grownNs >= Math.min(...to) - Math.max(...from) - 40e6, `${grownNs} ns is too little`);
  assert.ok(grownNs <= Math.max(...to) - Math.min(...from) + 40e6, `${grownNs} ns is too much`);
}

/** Sums the modes of CPU time into one row for each instant. */
function addModes(rows: readonly Row[]): Row[] {
  const sums = new Map<bigint, Row>();
  for (const row of rows) {
    sums.set(row.ns, { ...row, value: (sums.get(row.ns)?.value ?? 0) + row.value });
  }
  return [...sums.values()];
}

const machineOptions = ['--seed', '7', '--processes', '6', '--arrivals', '3'];
const faultOptions = [
  '--torn=0.01',
  '--empty=0.01',
  // Late enough for receivers that start on a busy machine: they need readable counters.
  '--fault=torn@4s+200ms',
  '--fault=wrap@4500ms:package-0',
  '--fault=wrap@4600ms:psys',
];

for (const { hertz, ms } of [
  { hertz: 1, ms: 6500 },
  { hertz: 100, ms: 5000 },
]) {
  test(`rapl, process and host read the true values at ${hertz} Hz from a simulated tree with faults`, async (t) => {
    const root = await startTree(t, [...machineOptions, ...faultOptions]);
    const [sysfs, procfs, interval] = [`${root}/sys`, `${root}/proc`, `${1000 / hertz}ms`];
    const receivers = [
      createReceiver(rapl, { sysfs, sampling_interval: interval, flush_interval: '200ms' }),
      createReceiver(processes, { procfs, collection_interval: interval }),
      createReceiver(host, { procfs, sysfs, collection_interval: interval }),
    ];
    const tables = await runReceivers(t, receivers, ms);
    const readNs = BigInt(Date.now()) * 1_000_000n;
    // The last readings may show a step that is still being written, and gets its timestamp afterwards.
    await until(() => (readTruth(root).at(-1)?.timeNs ?? 0n) > readNs);
    const truth = readTruth(root);
    const energy = [...rowsOf(tables, 'hw.energy'), ...rowsOf(tables, 'rapl.energy')];
    const series = new Set(energy.map((row) => row.series));
    assert.equal(series.size, 9);
    for (const one of series) {
      const domain = String(one.attributes['hw.name'] ?? one.attributes['hw.id']);
      assertCounter(
        energy.filter((row) => row.series === one),
        truth,
        domain,
      );
    }
    const cpu = rowsOf(tables, 'process.cpu.time');
    const pids = new Set(cpu.map((row) => row.series.resource.attributes['process.pid']));
    assert.ok(pids.size >= 6);
    for (const pid of pids) {
      const own = addModes(cpu.filter((row) => row.series.resource.attributes['process.pid'] === pid));
      assertGrowth(own, truth, (step) => step.processes.find((process) => process.pid === pid)?.cpu_ns);
    }
    const busy = rowsOf(tables, 'system.cpu.time').filter(({ series: { attributes } }) =>
      ['user', 'system'].includes(String(attributes['cpu.mode'])),
    );
    assertGrowth(addModes(busy), truth, ({ busy_ns: ns }) => ns);
  });
}

test('simulate refuses a folder that is not empty, and options that it does not understand', async () => {
  const root = createFolder();
  writeFileSync(join(root, 'mine'), '');
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--tree', root], /expected a new or empty folder/],
    [['--seed=-1'], /--seed/],
    [['--duration', 'soon'], /expected a duration/],
    [['--fault', 'rest@1s'], /did you mean "reset"\?/],
    [['--fault', 'reset@1s:package-7'], /found "package-7"/],
    [['--sead', '1'], /Unknown option/],
    [['--pmu'], /expected --tree/],
    [['--torn=0.6', '--empty=0.6'], /expected a sum of at most 1/],
    [['now'], /expected only options, found "now"; see --help/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await runAgent(['simulate', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  }
  mkdirSync(join(root, 'file'), { recursive: true });
  for (const folder of [join(root, 'mine', 'tree'), '/proc/joulemetry/tree']) {
    const { code, stderr } = await runAgent(['simulate', '--tree', folder]);
    assert.deepEqual([code, stderr.startsWith(`Cannot write a tree to "${folder}": `)], [1, true]);
  }
});

test('simulate prints the same values for the same seed, as text and as JSON', async () => {
  const [first, again] = [0, 1].map(() =>
    runAgent(['simulate', '--duration', '5s', '--seed', '3', '--json']),
  );
  const { code, stdout } = (await first) ?? assert.fail();
  assert.equal(code, 0);
  assert.equal(stdout, (await again)?.stdout);
  const { domains, processes: all, cpuSeconds } = JSON.parse(stdout);
  const cpu = all.reduce((sum: number, process: { cpuSeconds: number }) => sum + process.cpuSeconds, 0);
  assert.ok(Math.abs(cpu - cpuSeconds) < 1e-9);
  assert.equal(domains[0].name, 'package-0');
  assert.match((await runAgent(['simulate', '--duration', '5s'])).stdout, /^package-0 +\d+\.\d{3} /m);
});

test('simulate ends in order at a signal', async () => {
  const root = join(createFolder(), 'tree');
  const writer = startAgent(['simulate', '--tree', root]);
  await writer.waitFor(/Writing sys, proc/);
  const { code, stderr } = await writer.stop('SIGINT');
  assert.equal(code, 0);
  assert.match(stderr, /Simulated \d+\.\d{3} s in \d+ steps, \d+ missed\n$/);
  assert.ok(readTruth(root).length > 0);
  assert.deepEqual(readdirSync(root).toSorted(), ['cgroup', 'proc', 'sys', 'truth.jsonl']);
});
