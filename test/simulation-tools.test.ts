import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { readTruth, type TruthStep } from '../src/simulation/tree/truth.fixture.js';
import { skipFor } from '../src/testing/needs.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent } from './agent.js';

// External tools that read a simulated machine.

const run = promisify(execFile);
const exporter = 'prometheus-node-exporter';

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

/** Mounts the tree over the real sysfs for a command and its descendants. */
const overlay = `for folder in bus class devices; do
  [ -d "$1/sys/$folder" ] || continue
  mount -t overlay overlay -o "lowerdir=$1/sys/$folder:/sys/$folder" "/sys/$folder" || exit 99
done
shift
exec "$@"`;

function findPerfReason(): string | false {
  if (!isInstalled('perf')) return 'perf is not installed';
  const { status } = spawnSync('unshare', [
    '-m',
    'sh',
    '-c',
    'mount -t overlay overlay -o lowerdir=/tmp:/sys/class /sys/class && perf stat -a -e cpu-clock true',
  ]);
  return skipFor(
    status !== 0 && 'neither may mount in a namespace of its own nor count for the whole machine',
  );
}

async function startTree(t: TestContext, args: readonly string[]): Promise<string> {
  const root = join(createFolder(), 'tree');
  const writer = startAgent(['simulate', '--tree', root, ...args]);
  t.after(() => writer.stop());
  await writer.waitFor(/Writing sys, proc/);
  return root;
}

/** Starts node_exporter on a tree. @returns its address */
async function startExporter(t: TestContext, root: string): Promise<string> {
  const collectors = [
    'rapl',
    'stat',
    'cpu',
    'meminfo',
    'loadavg',
    'diskstats',
    'pressure',
    'vmstat',
    'processes',
    'interrupts',
    'schedstat',
    'meminfo_numa',
    'zoneinfo',
    'buddyinfo',
    'netclass',
    'netdev',
    'ksmd',
    'cgroups',
  ];
  const child = spawn(
    exporter,
    [
      `--path.sysfs=${root}/sys`,
      `--path.procfs=${root}/proc`,
      '--web.listen-address=127.0.0.1:0',
      '--collector.disable-defaults',
      ...collectors.map((name) => `--collector.${name}`),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.after(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  for await (const line of createInterface(child.stderr)) {
    const [, address] = /msg="Listening on" address=(\S+)/.exec(line) ?? [];
    if (address !== undefined) return `http://${address}/metrics`;
  }
  throw new Error('node_exporter ended without an address');
}

/** The samples of a metric: labels and value. */
function samplesOf(text: string, name: string): { readonly labels: string; readonly value: number }[] {
  return [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))].map(
    ([, labels = '', value]) => ({
      labels,
      value: Number(value),
    }),
  );
}

/** The steps that a reader between two instants can have seen. */
function stepsBetween(truth: readonly TruthStep[], fromNs: bigint, toNs: bigint): readonly TruthStep[] {
  const first = truth.findLastIndex(({ timeNs }) => timeNs <= fromNs);
  return truth.slice(Math.max(0, first - 2)).filter(({ timeNs }) => timeNs <= toNs);
}

/**
 * Number of processes that lived through all of the steps, and number that lived at any of them: a reader takes
 * time to visit each.
 */
function countLiving(steps: readonly TruthStep[]): { readonly always: number; readonly ever: number } {
  const sets = steps.map(({ processes }) => new Set(processes.map(({ pid }) => pid)));
  const ever = new Set(sets.flatMap((set) => [...set]));
  return { always: [...ever].filter((pid) => sets.every((set) => set.has(pid))).length, ever: ever.size };
}

const wallNs = () => BigInt(Date.now()) * 1_000_000n;

test(
  'node_exporter reads the joules of a simulated tree at that time, exact to the microjoule',
  { skip: isInstalled(exporter) ? false : `${exporter} is not installed` },
  async (t) => {
    const root = await startTree(t, ['--seed', '5', '--fault', 'wrap@1s:package-1']);
    const url = await startExporter(t, root);
    for (let scrape = 0; scrape < 5; scrape++) {
      const fromNs = wallNs() - 2_000_000n;
      const text = await (await fetch(url)).text();
      const toNs = wallNs() + 2_000_000n;
      await until(() => (readTruth(root).at(-1)?.timeNs ?? 0n) > toNs);
      const steps = stepsBetween(readTruth(root), fromNs, toNs);
      assert.deepEqual(
        samplesOf(text, 'node_scrape_collector_success').filter(({ value }) => value !== 1),
        [],
      );
      for (const kind of ['package', 'core', 'uncore', 'dram']) {
        const samples = samplesOf(text, `node_rapl_${kind}_joules_total`);
        assert.equal(samples.length, 2);
        for (const { labels, value } of samples) {
          const domain = `${kind}-${/index="(\d)"/.exec(labels)?.[1]}`;
          const counters = steps.map(({ domains }) => domains[domain]?.counter_uj);
          assert.ok(
            counters.includes(Math.round(value * 1e6)),
            `${domain} has ${value} J, truly ${counters.join(', ')} uJ`,
          );
        }
      }
      const [count] = samplesOf(text, 'node_processes_pids');
      const { always, ever } = countLiving(steps);
      assert.ok(
        count && count.value >= always && count.value <= ever,
        `${count?.value} processes, truly ${always} to ${ever}`,
      );
    }
  },
);

test(
  'node_exporter finds the same memory, interrupts and interfaces in several files of a simulated tree',
  { skip: isInstalled(exporter) ? false : `${exporter} is not installed` },
  async (t) => {
    // The files are read one after the other: in most seconds all of them between two updates.
    const root = await startTree(t, ['--arrivals', '0', '--processes', '8', '--period', '1s']);
    const url = await startExporter(t, root);
    let text = '';
    const sum = (name: string) => samplesOf(text, name).reduce((total, { value }) => total + value, 0);
    const free = () => sum('node_memory_MemFree_bytes');
    const freeOfBlocks = () =>
      samplesOf(text, 'node_buddyinfo_blocks').reduce(
        (bytes, { labels, value }) => bytes + 4096 * value * 2 ** Number(/size="(\d+)"/.exec(labels)?.[1]),
        0,
      );
    const scrapeUntil = (condition: () => boolean) =>
      until(async () => {
        text = await (await fetch(url)).text();
        return condition();
      });
    await scrapeUntil(() => sum('node_memory_numa_MemFree') === free());
    await scrapeUntil(() => sum('node_zoneinfo_nr_free_pages') * 4096 === free());
    await scrapeUntil(() => freeOfBlocks() === free());
    assert.ok(free() > 0);
    const interrupts = () => sum('node_intr_total');
    await scrapeUntil(() => interrupts() > 0 && sum('node_interrupts_total') === interrupts());
    assert.deepEqual(
      samplesOf(text, 'node_network_speed_bytes').map(({ labels }) => labels),
      ['device="eth0"'],
    );
    assert.equal(samplesOf(text, 'node_schedstat_running_seconds_total').length, 16);
  },
);

const psutil = spawnSync('python3', ['-c', 'import psutil']).status === 0;

test(
  'psutil reads every file of the processes of a simulated tree',
  { skip: psutil ? false : 'psutil for Python is not installed' },
  async (t) => {
    const root = await startTree(t, ['--arrivals', '0', '--processes', '8']);
    const script = `
import json, psutil, sys
psutil.PROCFS_PATH = sys.argv[1]
names = ['name', 'exe', 'cmdline', 'ppid', 'status', 'create_time', 'cwd', 'username', 'num_fds', 'num_threads',
         'num_ctx_switches', 'io_counters', 'cpu_times', 'cpu_num', 'memory_maps', 'open_files', 'threads', 'environ']
rows = []
for pid in psutil.pids():
    process = psutil.Process(pid)
    for name in names:
        getattr(process, name)()
    memory = process.memory_full_info()
    rows.append([pid, process.name(), memory.rss, memory.uss, memory.pss])
print(json.dumps(rows))`;
    const { stdout } = await run('python3', ['-c', script, `${root}/proc`]);
    const rows = JSON.parse(stdout) as [pid: number, name: string, rss: number, uss: number, pss: number][];
    assert.equal(rows.length, 8 + 3);
    assert.equal(rows.find(([, name]) => name === 'postgres')?.[2], 900 * 2 ** 20);
    for (const [pid, name, rss, uss, pss] of rows) assert.deepEqual([uss, pss], [rss, rss], `${pid} ${name}`);
  },
);

const perfReason = findPerfReason();

test('perf reads the energy PMU of a simulated tree', { skip: perfReason }, async (t) => {
  const root = await startTree(t, ['--sockets', '1', '--pmu']);
  const command = ['perf', 'stat', '-x', ',', '-e', 'power/energy-pkg/', 'sleep', '2'];
  const { stderr } = await run('unshare', ['-m', 'sh', '-c', overlay, 'sh', root, ...command]);
  const [joules = '', unit, event, ns] = stderr.trim().split(',');
  assert.deepEqual([unit, event], ['Joules', 'power/energy-pkg/']);
  // cpu-clock counts 1e9 a second, in units of 2^-32 J; perf prints two digits.
  const truth = Number(ns) * 2 ** -32;
  assert.ok(Math.abs(Number(joules) - truth) <= 0.02 * truth + 0.005, `${joules} J, truly ${truth} J`);
});

test(
  'every program finds the zones of a simulated tree that is mounted over sysfs',
  { skip: perfReason },
  async (t) => {
    const root = await startTree(t, []);
    const script =
      'cat /sys/class/powercap/intel-rapl:*/name; cat /sys/class/powercap/intel-rapl:0/energy_uj';
    const { stdout } = await run('unshare', ['-m', 'sh', '-c', overlay, 'sh', root, 'sh', '-c', script]);
    assert.match(stdout, /^package-0\ncore\nuncore\ndram\npackage-1\ncore\nuncore\ndram\npsys\n\d{12}\n$/);
  },
);

/** ps looks up its own pid in /proc: in a new pid namespace that is the pid of the tree's first process. */
const psInTree = [
  '-mpf',
  'sh',
  '-c',
  'mount --bind "$1/proc" /proc && exec ps -eo pid=,ppid=,comm=,stat=,rss=',
  'sh',
];

function findPsReason(): string | false {
  if (!isInstalled('ps')) return 'ps is not installed';
  const { status } = spawnSync('unshare', ['-mpf', 'sh', '-c', 'mount --bind /tmp /mnt']);
  return skipFor(status !== 0 && 'may not make namespaces');
}

test('ps lists the processes of a simulated tree', { skip: findPsReason() }, async (t) => {
  const root = await startTree(t, ['--arrivals', '0', '--processes', '8']);
  const { stdout } = await run('unshare', [...psInTree, root]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/u));
  const pids = new Set(readTruth(root)[0]?.processes.map(({ pid }) => String(pid)));
  assert.deepEqual(new Set(lines.map(([pid]) => pid)), pids);
  assert.equal(pids.size, 8 + 3);
  for (const [pid = '', parent = ''] of lines)
    assert.ok(pids.has(parent) || Number(pid) <= 2, `${pid}: ${parent}`);
  assert.deepEqual(
    lines.filter(([, , name]) => name === 'postgres').map(([, parent, , , kib]) => [parent, kib]),
    [['1', String(900 * 1024)]],
  );
});
