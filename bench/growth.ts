import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeError } from '../src/errors.js';
import { findHierarchies } from '../src/linux/cgroup/hierarchies.js';
import { findMaxCpuRatio } from './agent-budget.js';
import type { Benchmark, Grid } from './benchmark.js';
import { findFloor } from './floors.js';
import { MeasuredAgent } from './measured-agent.js';
import { startMovingTree, type MovingTree } from './moving-tree.js';
import { countProcesses } from './processes.js';
import { findReason } from './reasons.js';

const warmUpMs = Number(process.env['GROWTH_WARM_UP_SECONDS'] ?? 60) * 1000;
const seconds = Number(process.env['GROWTH_SECONDS'] ?? 30);

/** A machine, and the load of the agent in addition to its default configuration. */
interface Size {
  readonly processes: number;
  /** Counters of the kernel's software PMU, four per process. */
  readonly counters?: number;
  readonly cgroups?: number;
}

const sizes: readonly Size[] = [
  ...[100, 300, 1000, 3000, 10_000].map((processes) => ({ processes })),
  ...[4, 40, 400].map((counters) => ({ processes: 110, counters })),
  ...[10, 100, 1000].map((cgroups) => ({ processes: 110, cgroups })),
];

const columns = [
  '',
  'Node',
  'CPU per second',
  'in C',
  'ratio',
  'private memory',
  'resident memory',
  'longest slice',
  'missed budgets',
];

const maxPrivateMegabytes = 60;
const maxSliceMs = 5;

/**
 * How the cost of the default agent grows with processes, counters and cgroups, scraped once a second, compared
 * with the same reads in C: on this Node version and, where npm has it, on Node 24. Takes 17 minutes for each.
 * Needs root, to create cgroups.
 */
export const growth: Benchmark = {
  name: 'growth',
  isLong: true,
  async measure(): Promise<Grid> {
    const rows: string[][] = [];
    const maxRatio = await findMaxCpuRatio();
    for (const node of listNodes()) {
      for (const size of sizes) {
        const row = await measureSize(node, { ...size, maxRatio });
        console.error(row.join('  '));
        rows.push(row);
      }
    }
    return { columns, rows };
  },
};

interface Node {
  readonly version: string;
  readonly path: string;
}

/** This Node version, and Node 24 if this is another one and npm has it. */
function listNodes(): readonly Node[] {
  const own = { version: process.versions.node, path: process.execPath };
  if (own.version.startsWith('24.')) return [own];
  try {
    const print = 'process.versions.node + " " + process.execPath';
    const text = execFileSync('npx', ['-y', '--prefer-offline', '-p', 'node@24', 'node', '-p', print], {
      encoding: 'utf8',
    });
    const [version = '', path = ''] = text.trim().split(' ');
    return [own, { version, path }];
  } catch (error) {
    console.error(`Cannot measure Node 24: ${describeError(error)}`);
    return [own];
  }
}

/** A size, and its budget. */
interface Limited extends Size {
  readonly maxRatio: number;
}

async function measureSize(node: Node, size: Limited): Promise<string[]> {
  const row = [describe(size), node.version];
  const cgroups = new Cgroups();
  const tree = await startMovingTree({
    sleepers: Math.max(size.processes - countProcesses(), 0),
    birthsPerSecond: 0,
    cpuUs: 0,
  });
  try {
    cgroups.make(size.cgroups ?? 0);
    return [...row, ...(await measureAgent(node, size, tree, cgroups))];
  } catch (error) {
    return [...row, describeError(error), '-', '-', '-', '-', '-', '-'];
  } finally {
    await tree.end();
    cgroups.remove();
  }
}

function describe({ processes, counters, cgroups }: Size): string {
  const besides =
    counters !== undefined ? `, ${counters} counters` : cgroups !== undefined ? `, ${cgroups} cgroups` : '';
  return `${processes} processes${besides}`;
}

async function measureAgent(
  node: Node,
  size: Limited,
  tree: MovingTree,
  cgroups: Cgroups,
): Promise<string[]> {
  const groups = (size.counters ?? 0) / countersOfEach;
  const config = new ExtraConfig(tree.pids.slice(0, groups));
  const agent = new MeasuredAgent(config.args, node.path);
  try {
    await sleep(warmUpMs);
    // The code of the first page has not run before. The second one begins the time of the longest slice.
    await agent.scrape();
    await agent.scrape();
    return await measureWindow(agent, size, () => measureFloor(groups, cgroups));
  } finally {
    await agent.end();
    config.remove();
  }
}

async function measureWindow(
  agent: MeasuredAgent,
  size: Limited,
  floor: () => Promise<number | undefined>,
): Promise<string[]> {
  const slices: number[] = [];
  const scraper = setInterval(() => void agent.scrape().then((ms) => slices.push(ms ?? NaN)), 1000);
  const [before, beganMs] = [agent.readCpu(), performance.now()];
  const [inC] = await Promise.all([floor(), sleep(seconds * 1000)]);
  const cpuMs = ((agent.readCpu().cpuMs - before.cpuMs) / (performance.now() - beganMs)) * 1000;
  clearInterval(scraper);
  const { privateMegabytes, residentMegabytes } = agent.readMemory();
  const longestMs = Math.max(...slices);
  const ratio = inC === undefined ? undefined : cpuMs / inC;
  return [
    `${cpuMs.toFixed(1)} ms`,
    inC === undefined ? '-' : `${inC.toFixed(1)} ms`,
    ratio === undefined ? '-' : `${ratio.toFixed(2)}x`,
    `${privateMegabytes.toFixed(1)} MB`,
    `${residentMegabytes.toFixed(1)} MB`,
    `${longestMs.toFixed(1)} ms`,
    describeMisses(size, { ratio, privateMegabytes, longestMs }),
  ];
}

/** What the agent took. */
interface Taken {
  readonly ratio: number | undefined;
  readonly privateMegabytes: number;
  readonly longestMs: number;
}

/** The missed budgets, with the reasons. Fewer than 300 processes, counters and cgroups have one for slices only. */
function describeMisses(
  { processes, counters, cgroups, maxRatio }: Limited,
  { ratio = NaN, privateMegabytes, longestMs }: Taken,
): string {
  const hasBudget = counters === undefined && cgroups === undefined && processes >= 300;
  const misses: string[] = [];
  if (hasBudget && ratio > maxRatio) misses.push(`CPU, at most ${maxRatio}x: ${findReason('growth', 'CPU')}`);
  if (hasBudget && privateMegabytes > maxPrivateMegabytes)
    misses.push(`memory, at most ${maxPrivateMegabytes} MB: ${findReason('growth', 'memory')}`);
  if (longestMs > maxSliceMs)
    misses.push(`slice, at most ${maxSliceMs} ms: ${findReason('growth', 'slice')}`);
  return misses.join('; ');
}

/** CPU milliseconds per second that the same reads take in C, over `seconds`. */
async function measureFloor(groups: number, cgroups: Cgroups): Promise<number | undefined> {
  const scan = findFloor('process-scan')?.run('1000000', String(seconds), 'all');
  const sample = groups > 0 ? findFloor('sampling')?.run('1', String(seconds), String(groups)) : undefined;
  const [scanUs] = (await scan) ?? [];
  const [, , sampleUs = 0] = (await sample) ?? [];
  const cgroupUs = await cgroups.measureFloor();
  return scanUs && (scanUs + sampleUs / seconds + cgroupUs) / 1000;
}

const countersOfEach = 4;

/** Counts events of some processes in addition to the default configuration. */
class ExtraConfig {
  readonly args: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));

  constructor(pids: readonly number[]) {
    const path = join(this.#folder, 'extra.yaml');
    const standard = fileURLToPath(new URL('../../config/default.yaml', import.meta.url));
    this.args = pids.length === 0 ? [] : ['-c', standard, '-c', path];
    writeFileSync(
      path,
      `receivers:
  perf:
    events: ['{cpu-clock,context-switches,page-faults,cpu-migrations}']
    machine: false
    processes: {pids: [${pids.join(', ')}]}
service: {pipelines: {metrics: {receivers: [cgroup, process, host, rapl, nvml, estimate, perf]}}}
`,
    );
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** Empty cgroups, below a cgroup created for them, in the hierarchy from which the agent reads CPU time. */
class Cgroups {
  readonly #hierarchy = findHierarchies({ procfs: '/proc', cgroupfs: '' }).find(
    ({ version, controllers }) => version === 2 || controllers.includes('cpuacct'),
  );
  #folders: readonly string[] = [];

  make(count: number): void {
    if (count === 0) return;
    if (this.#hierarchy === undefined)
      throw new Error('Cannot make cgroups: expected a hierarchy, found none');
    const top = join(this.#hierarchy.folder, `joulemetry-bench-${process.pid}`);
    this.#folders = [top, ...Array.from({ length: count }, (_, i) => join(top, String(i)))];
    for (const folder of this.#folders) mkdirSync(folder);
  }

  /** CPU microseconds of a scan of them in C. */
  async measureFloor(): Promise<number> {
    const [top] = this.#folders;
    if (top === undefined) return 0;
    const file = this.#hierarchy?.version === 2 ? 'cpu.stat' : 'cpuacct.usage';
    const [cpuUs = NaN] = (await findFloor('cgroup-scan')?.run(top, file, '30')) ?? [];
    return cpuUs;
  }

  remove(): void {
    for (const folder of this.#folders.toReversed()) removeFolder(folder);
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // The cgroup could not be created.
  }
}
