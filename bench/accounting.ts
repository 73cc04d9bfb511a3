import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeError } from '../src/errors.js';
import { findHierarchies } from '../src/linux/cgroup/hierarchies.js';
import type { Benchmark, Result } from './benchmark.js';
import { measureEverything } from './everything.js';
import { findFloor, type Floor } from './floors.js';

const count = 10_000;
/** One watt per CPU, so that joules equal CPU seconds. */
const wattsPerCpu = 1;
/** Long enough for several scans and for the RCU grace periods after which the kernel reports ends of processes. */
const settleMs = 5000;

interface Case {
  readonly backend: 'ebpf' | 'procfs';
  readonly cpuMs: number;
  readonly leastShare: number;
}

const cases: readonly Case[] = [
  { backend: 'ebpf', cpuMs: 5, leastShare: 0.995 },
  { backend: 'ebpf', cpuMs: 1, leastShare: 0.995 },
  { backend: 'procfs', cpuMs: 5, leastShare: 0.99 },
  { backend: 'procfs', cpuMs: 1, leastShare: 0.99 },
];

/**
 * Compares the CPU time of processes shorter than the scan interval with what the whole agent charges to their
 * cgroup as energy, and, with eBPF, checks that the CPU time of all processes adds up to the CPU time of the
 * machine. Needs root, for cgroups and eBPF.
 */
export const accounting: Benchmark = {
  name: 'accounting',
  isLong: true,
  async measure() {
    const results = [...(await measureEverything())];
    const program = findFloor('short-processes');
    const hierarchies = findHierarchies({ procfs: '/proc', cgroupfs: '' });
    const root = hierarchies.find(({ version }) => version === 2)?.folder;
    if (program === undefined || root === undefined) return results;
    for (const each of cases) results.push(...(await measureCase(each, program, root)));
    return results;
  },
};

async function measureCase(each: Case, program: Floor, root: string): Promise<readonly Result[]> {
  const [own, idle] = ['', '-idle'].map((name) => `/joulemetry-bench-${process.pid}${name}`);
  const folders = [own, idle].map((path) => join(root, path));
  try {
    for (const folder of folders) mkdirSync(folder);
  } catch (error) {
    console.error(`Cannot measure short processes: ${describeError(error)}`);
    return [];
  }
  const bystander = spawn('sleep', ['3600'], { stdio: 'ignore' });
  writeFileSync(join(folders[1], 'cgroup.procs'), String(bystander.pid));
  const agent = startAgent(each.backend);
  await sleep(settleMs);
  const [childrenUs, ownUs] = await program.run(String(count), String(each.cpuMs * 1000), folders[0]);
  await sleep(settleMs);
  const joules = await agent.stop();
  bystander.kill();
  await once(bystander, 'exit');
  for (const folder of folders) rmdirSync(folder);
  const charged = (joules.get(own) ?? 0) / wattsPerCpu;
  const used = (childrenUs + ownUs) / 1e6;
  const what = `${count} processes of ${each.cpuMs} ms, ${each.backend}`;
  return [
    {
      what: `${what}: CPU time charged to their cgroup`,
      unit: 's',
      ours: charged,
      reference: used,
      ratio: charged / used,
      budget: `at least ${each.leastShare}x`,
      met: charged / used >= each.leastShare,
    },
    {
      what: `${what}: charged to a bystander`,
      unit: 's',
      ours: (joules.get(idle) ?? 0) / wattsPerCpu,
      reference: undefined,
      ratio: undefined,
      budget: '0',
      met: (joules.get(idle) ?? 0) < 1e-3,
    },
  ];
}

interface Running {
  /** @returns joules by path of the cgroup that they were attributed to */
  stop(): Promise<ReadonlyMap<string, number>>;
}

function startAgent(backend: Case['backend']): Running {
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  const [config, output] = [join(folder, 'config.yaml'), join(folder, 'out.json')];
  writeFileSync(config, createConfig(backend, output));
  const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'run', '-c', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      const joules = readJoules(readFileSync(output, 'utf8'));
      rmSync(folder, { recursive: true });
      return joules;
    },
  };
}

function createConfig(backend: Case['backend'], output: string): string {
  return `
receivers:
  process: {cpu_time: ${backend}}
  cgroup: {}
  estimate: {idle_power: 0, max_power: ${wattsPerCpu * availableParallelism()}}
processors:
  attribution: {views: [cgroup], group_limit: 0, process_limit: 0}
  # The series of all processes would fill gigabytes.
  filter: {include: [{metric_names: [linux.cgroup.energy]}]}
exporters:
  file: {path: ${output}}
service:
  pipelines:
    metrics: {receivers: [process, cgroup, estimate], processors: [attribution, filter], exporters: [file]}
  telemetry: {metrics: {level: none}, logs: {level: warn}}
`;
}

interface Point {
  readonly asDouble?: number;
}

interface Written {
  readonly resourceMetrics: readonly {
    readonly resource: {
      readonly attributes?: readonly {
        readonly key: string;
        readonly value: { readonly stringValue?: string };
      }[];
    };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly Point[] };
      }[];
    }[];
  }[];
}

/** The last value of each series of linux.cgroup.energy. */
function readJoules(text: string): ReadonlyMap<string, number> {
  const joules = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (!line.includes('linux.cgroup.energy')) continue;
    // Format of the file exporter.
    for (const { resource, scopeMetrics } of (JSON.parse(line) as Written).resourceMetrics) {
      const path = resource.attributes?.find(({ key }) => key === 'linux.cgroup.path')?.value.stringValue;
      const metrics = scopeMetrics.flatMap((scope) => scope.metrics);
      const energy = metrics
        .find(({ name }) => name === 'linux.cgroup.energy')
        ?.sum?.dataPoints.at(-1)?.asDouble;
      if (path !== undefined && energy !== undefined) joules.set(path, energy);
    }
  }
  return joules;
}
