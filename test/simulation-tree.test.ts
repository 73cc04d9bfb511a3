import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { factory as host } from '../receivers/host/factory.js';
import { factory as processes } from '../receivers/process/factory.js';
import { factory as rapl } from '../receivers/rapl/factory.js';
import { createSpec } from '../src/simulation/machine-spec.js';
import { SimulatedTree } from '../src/simulation/tree/simulated-tree.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { runAgent, startAgent } from './agent.js';
import { readTruth, type TruthStep } from './truth.fixture.js';
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
 * A reading can be of any step that was there not long before it was stamped, and of the one that was being written: a
 * step is stamped once all its files are.
 */
function stepsAround(truth: readonly TruthStep[], ns: bigint): readonly TruthStep[] {
  const last = truth.findLastIndex(({ timeNs }) => timeNs <= ns);
  return truth.slice(Math.max(0, last - 30), last + 2);
}

// 2^32 units of 61,035 nJ.
const modulusMicrojoules = 262_143_328_911.36;

/**
 * Whether each reading, counted from the first, is exactly what the counter showed at a step. The first is not 0 where it
 * holds what was counted before it was known whether the counter is one of its own.
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

/** Whether a counter that differs by so much, perhaps after a wrap, has grown by so much: microjoules. */
function isGrowth(microjoules: number, difference: number): boolean {
  if (difference >= 0) return difference === Math.round(microjoules);
  return Math.abs(difference + modulusMicrojoules - microjoules) < 1;
}

/** Whether a growth in seconds between two readings is the true one, of which steps and ticks hide a bit. */
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
  // User and system time are ticks of 10 ms each, cut off at both ends.
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
  // Late enough for receivers that start on a busy machine: they need counters that can be read.
  '--fault=torn@4s+200ms',
  '--fault=wrap@4500ms:package-0',
  '--fault=wrap@4600ms:psys',
];

for (const { hertz, ms } of [
  { hertz: 1, ms: 6500 },
  { hertz: 100, ms: 5000 },
]) {
  test(`rapl, process and host read at ${hertz} Hz from a simulated tree what is true, faults and all`, async (t) => {
    const root = await startTree(t, [...machineOptions, ...faultOptions]);
    const [sysfs, procfs, interval] = [`${root}/sys`, `${root}/proc`, `${1000 / hertz}ms`];
    const receivers = [
      createReceiver(rapl, { sysfs, sampling_interval: interval, flush_interval: '200ms' }),
      createReceiver(processes, { procfs, collection_interval: interval }),
      createReceiver(host, { procfs, sysfs, collection_interval: interval }),
    ];
    const tables = await runReceivers(t, receivers, ms);
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

/** A tree in simulated time. */
function writeTree(t: TestContext, spec: Parameters<typeof createSpec>[0], us: readonly number[]): string {
  const root = createFolder();
  const boot = { sinceBootNs: 5_000_000_000n, wallNs: 1_700_000_000_000_000_000n };
  const tree = new SimulatedTree({ spec: createSpec(spec), root, boot });
  t.after(() => tree.close());
  for (const each of us) tree.write(each, () => boot.wallNs);
  return root;
}

const read = (path: string) => readFileSync(path, 'utf8');

test('SimulatedTree lays powercap out as the kernel does', (t) => {
  const root = writeTree(t, { gpus: 1 }, [0]);
  const powercap = `${root}/sys/class/powercap`;
  assert.equal(
    readlinkSync(`${powercap}/intel-rapl:0:2`),
    '../../devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:2',
  );
  assert.ok(readdirSync(powercap).every((name) => lstatSync(join(powercap, name)).isSymbolicLink()));
  const names = readdirSync(powercap).filter((name) => name.includes(':'));
  assert.deepEqual(
    names.toSorted().map((name) => `${name} ${read(`${powercap}/${name}/name`).trim()}`),
    [
      'intel-rapl:0 package-0',
      'intel-rapl:0:0 core',
      'intel-rapl:0:1 uncore',
      'intel-rapl:0:2 dram',
      'intel-rapl:1 package-1',
      'intel-rapl:1:0 core',
      'intel-rapl:1:1 uncore',
      'intel-rapl:1:2 dram',
      'intel-rapl:2 psys',
    ],
  );
  assert.equal(read(`${powercap}/intel-rapl:0/max_energy_range_uj`), '262143328850\n');
  assert.match(read(`${powercap}/intel-rapl:0/energy_uj`), /^\d{12}\n$/);
});

test('SimulatedTree writes faults into the counters, and says so in the truth', (t) => {
  const second = 1_000_000;
  const faults = [
    { kind: 'torn', atUs: second, forUs: second, domain: 'package-0' },
    { kind: 'empty', atUs: second, forUs: second, domain: 'dram-0' },
    { kind: 'hotplug', atUs: second, forUs: second, domain: 'core-0' },
    { kind: 'offline', atUs: second, forUs: second, cpu: 3 },
  ] as const;
  const during = writeTree(t, { faults }, [0, 1.5 * second]);
  const zone = '/sys/class/powercap/intel-rapl:0';
  assert.match(read(`${during}${zone}/energy_uj`), /^\d+$/);
  assert.equal(read(`${during}${zone}:2/energy_uj`), '');
  assert.equal(existsSync(`${during}${zone}:0`), false);
  assert.equal(read(`${during}/sys/devices/system/cpu/online`), '0-2,4-15\n');
  assert.equal(read(`${during}/sys/devices/system/cpu/cpu3/online`), '0\n');
  assert.doesNotMatch(read(`${during}/proc/stat`), /^cpu3 /m);
  assert.deepEqual(
    readTruth(during).map((step) => step.faults),
    [
      [],
      [
        { kind: 'torn', domain: 'package-0' },
        { kind: 'empty', domain: 'dram-0' },
        { kind: 'hotplug', domain: 'core-0' },
        { kind: 'offline', cpu: 3 },
      ],
    ],
  );
  const after = writeTree(t, { faults }, [0, 1.5 * second, 2.5 * second]);
  assert.match(read(`${after}${zone}/energy_uj`), /^\d{12}\n$/);
  assert.match(read(`${after}${zone}:0/energy_uj`), /^\d{12}\n$/);
  assert.match(read(`${after}/proc/stat`), /^cpu3 /m);
});

test('SimulatedTree shows each process while it lives, and its cgroup with all that it used', (t) => {
  const root = writeTree(t, { arrivalsPerSecond: 20 }, [0, 5_000_000, 9_000_000]);
  const last = readTruth(root).at(-1);
  const pids = readdirSync(`${root}/proc`)
    .map(Number)
    .filter((pid) => pid > 0);
  assert.deepEqual(new Set(pids), new Set(last?.processes.map(({ pid }) => pid)));
  const busyUs = Math.floor((last?.busy_ns ?? 0) / 1000);
  assert.match(read(`${root}/cgroup/cpu.stat`), new RegExp(`^usage_usec ${busyUs}\n`));
  const listed = read(`${root}/cgroup/user.slice/user-1000.slice/session-1.scope/cgroup.procs`);
  assert.ok(
    listed
      .trim()
      .split('\n')
      .every((pid) => pids.includes(Number(pid))),
  );
});

test('SimulatedTree writes /proc in the forms of the kernel', (t) => {
  const root = writeTree(t, { processes: 3 }, [0, 3_000_000]);
  const proc = `${root}/proc`;
  assert.match(read(`${proc}/stat`), /^procs_running \d+$/m);
  assert.match(read(`${proc}/stat`), /^softirq( \d+){11}\n$/m);
  assert.match(read(`${proc}/loadavg`), /^((0|[1-9]\d*)\.\d\d ){3}(0|[1-9]\d*)\/[1-9]\d* [1-9]\d*\n$/);
  assert.match(read(`${proc}/uptime`), /^\d+\.\d\d \d+\.\d\d\n$/);
  assert.match(read(`${proc}/cpuinfo`), /^cpu MHz\t\t: [1-9]\d{3}\.\d{3}$/m);
  assert.match(read(`${proc}/modules`), /^[a-z_]+ \d+ \d+ - Live 0x0+$/m);
  assert.equal(read(`${proc}/mounts`), read(`${proc}/self/mounts`));
  const total = Number(/^MemTotal: +(\d+) kB$/m.exec(read(`${proc}/meminfo`))?.[1]);
  const parts = [...read(`${proc}/meminfo`).matchAll(/^(?!Vmalloc|Committed)\S+ +(\d+) kB$/gm)];
  assert.ok(parts.length > 30);
  for (const [line, kib] of parts) assert.ok(Number(kib) <= total, line);
});

const numbersIn = (line: string): number[] => line.match(/(?<=\s)\d+/g)?.map(Number) ?? [];
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

test('SimulatedTree writes the same sums wherever the kernel has them twice', (t) => {
  const root = writeTree(t, { processes: 9, sockets: 3 }, [0, 3_000_000]);
  const [proc, sys] = [`${root}/proc`, `${root}/sys`];
  const findLine = (path: string, start: RegExp): string =>
    read(path)
      .split('\n')
      .find((line) => start.test(line)) ?? assert.fail(`${path} has no ${start}`);
  const valueOf = (path: string, name: string) =>
    numbersIn(findLine(path, new RegExp(`(^| )${name}`))).at(-1);
  const interrupts = sumOf(numbersIn(findLine(`${proc}/interrupts`, /LOC:/)));
  assert.ok(interrupts > 100);
  assert.equal(valueOf(`${proc}/stat`, 'intr'), 0, 'no device interrupts');
  assert.equal(numbersIn(findLine(`${proc}/stat`, /^intr/))[0], interrupts);
  const [softirqs, ...kinds] = numbersIn(findLine(`${proc}/stat`, /^softirq/));
  assert.equal(softirqs, sumOf(kinds));
  const names = ['HI:', 'TIMER:', 'NET_TX:', 'NET_RX:', 'BLOCK:', 'IRQ_POLL:', 'TASKLET:', 'SCHED:'];
  const rows = names.map((name) => sumOf(numbersIn(findLine(`${proc}/softirqs`, new RegExp(` ${name}`)))));
  assert.deepEqual(rows, kinds.slice(0, names.length));
  const busyNs = [...read(`${proc}/schedstat`).matchAll(/^cpu\d+ (?:0 ){6}(\d+) /gm)].map(([, ns]) =>
    Number(ns),
  );
  assert.equal(sumOf(busyNs), readTruth(root).at(-1)?.busy_ns);

  const nodes = readdirSync(`${sys}/devices/system/node`).filter((name) => name.startsWith('node'));
  assert.equal(nodes.length, 3);
  for (const name of ['MemTotal', 'MemFree']) {
    const parts = nodes.map((node) => valueOf(`${sys}/devices/system/node/${node}/meminfo`, name) ?? NaN);
    assert.equal(sumOf(parts), valueOf(`${proc}/meminfo`, name), name);
  }
  const freePages = (valueOf(`${proc}/meminfo`, 'MemFree') ?? NaN) / 4;
  const zones = [...read(`${proc}/zoneinfo`).matchAll(/nr_free_pages (\d+)/g)].map(([, pages]) =>
    Number(pages),
  );
  assert.equal(sumOf(zones), freePages);
  const blocks = read(`${proc}/buddyinfo`)
    .trim()
    .split('\n')
    .map((line) =>
      sumOf(
        numbersIn(line)
          .slice(1)
          .map((count, order) => count * 2 ** order),
      ),
    );
  assert.deepEqual(blocks, zones);

  assert.ok(read(`${proc}/diskstats`).endsWith(` sda ${read(`${sys}/class/block/sda/stat`)}`));
  assert.equal(read(`${sys}/block/sda/stat`), read(`${sys}/class/block/sda/stat`));
  const [, received] = /eth0: (\d+)/.exec(read(`${proc}/net/dev`)) ?? [];
  assert.equal(read(`${sys}/class/net/eth0/statistics/rx_bytes`), `${received}\n`);
  for (const [, name, bytes] of read(`${proc}/modules`).matchAll(/^(\S+) (\d+)/gm)) {
    assert.equal(read(`${sys}/module/${name}/coresize`), `${bytes}\n`);
  }
});

test('SimulatedTree shows the memory of a process alike in each of its files', (t) => {
  const proc = `${writeTree(t, { processes: 12 }, [0])}/proc`;
  const pids = readdirSync(proc).filter((name) => Number(name) > 0);
  const kernelThreads = pids.filter((pid) => !existsSync(`${proc}/${pid}/smaps_rollup`));
  assert.ok(kernelThreads.length > 0 && kernelThreads.length < pids.length);
  for (const pid of kernelThreads) assert.equal(read(`${proc}/${pid}/smaps`), '');
  for (const pid of pids.filter((one) => !kernelThreads.includes(one))) {
    const kib = (file: string, name: string) =>
      Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(read(`${proc}/${pid}/${file}`))?.[1]);
    const [, virtual, resident] = /^(\d+) (\d+)/.exec(read(`${proc}/${pid}/statm`)) ?? [];
    for (const name of ['Rss', 'Pss', 'Private_Dirty', 'Anonymous']) {
      assert.equal(kib('smaps', name), 4 * Number(resident));
      assert.equal(kib('smaps_rollup', name), 4 * Number(resident));
    }
    assert.equal(kib('smaps', 'Size'), 4 * Number(virtual));
    assert.ok(read(`${proc}/${pid}/smaps`).startsWith(read(`${proc}/${pid}/maps`)));
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw-p/.exec(read(`${proc}/${pid}/maps`)) ?? [];
    assert.equal(Number.parseInt(to, 16) - Number.parseInt(from, 16), 4096 * Number(virtual));
  }
});

test('SimulatedTree shows a reader its own process, and parents of all others', (t) => {
  const proc = `${writeTree(t, { processes: 8 }, [0])}/proc`;
  assert.equal(read(`${proc}/self/stat`).split(' ')[0], readlinkSync(`${proc}/self`));
  assert.equal(read(`${proc}/thread-self/stat`), read(`${proc}/self/stat`));
  const pids = readdirSync(proc).filter((name) => Number(name) > 0);
  for (const pid of pids) {
    const [, state = '', parent = ''] = /^\d+ \(.+\) (\S) (\d+) /.exec(read(`${proc}/${pid}/stat`)) ?? [];
    assert.match(state, /^[RS]$/);
    assert.ok(Number(pid) <= 2 ? parent === '0' : pids.includes(parent), `${pid} has the parent ${parent}`);
    assert.equal(/^PPid:\t(\d+)$/m.exec(read(`${proc}/${pid}/status`))?.[1], parent);
    assert.equal(read(`${proc}/${pid}/stat`).trimEnd().split(') ')[1]?.split(' ').length, 50);
    assert.equal(read(`${proc}/${pid}/task/${pid}/stat`), read(`${proc}/${pid}/stat`));
  }
});

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
    [['--torn=0.6', '--empty=0.6'], /expected at most 1 together/],
    [['now'], /Unexpected argument/],
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

test('simulate tells the same truth again, as text and as JSON', async () => {
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
