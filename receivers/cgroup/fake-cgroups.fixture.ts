import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { findHierarchies } from '../../src/linux/cgroup/hierarchies.js';
import { CpuPackages } from '../../src/linux/cpu-packages.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { CgroupScraper } from './cgroup-scraper.js';
import { schema } from './config.js';

/** Contents of files, by path relative to the cgroup root. */
export type Files = Readonly<Record<string, string>>;

export const container = 'ab'.repeat(32);

/** The root of version 2, and a container in a service, with files as the kernel writes them. */
export const unified: Files = {
  'cgroup.controllers': 'cpu io memory pids\n',
  'cgroup.procs': '',
  'cpu.stat': 'usage_usec 90000000\nuser_usec 60000000\nsystem_usec 30000000\n',
  'io.stat': '254:0 rbytes=900 wbytes=800 rios=7 wios=6 dbytes=0 dios=0\n',
  ...group('system.slice', 9),
  ...group(`system.slice/docker-${container}.scope`, 2),
};

function group(path: string, n: number): Files {
  return {
    [`${path}/cgroup.type`]: 'domain\n',
    [`${path}/cgroup.procs`]: '',
    [`${path}/cpu.stat`]:
      `usage_usec ${3_000_000 * n}\nuser_usec ${2_000_000 * n}\nsystem_usec ${1_000_000 * n}\nnice_usec 0\n` +
      `core_sched.force_idle_usec 0\nnr_periods ${10 * n}\nnr_throttled ${n}\nthrottled_usec ${500_000 * n}\n` +
      'nr_bursts 0\nburst_usec 0\n',
    [`${path}/memory.current`]: `${1000 * n}\n`,
    [`${path}/memory.max`]: n === 2 ? '5000\n' : 'max\n',
    [`${path}/memory.swap.max`]: n === 2 ? '300\n' : 'max\n',
    [`${path}/memory.swap.current`]: `${70 * n}\n`,
    [`${path}/memory.stat`]:
      `anon ${300 * n}\nfile ${600 * n}\nkernel 5\nshmem 1\ninactive_anon 2\ninactive_file ${100 * n}\n` +
      `workingset_refault_file 3\npgfault ${50 * n}\npgmajfault ${5 * n}\n`,
    [`${path}/memory.events`]: `low 0\nhigh 1\nmax 2\noom ${n}\noom_kill ${2 * n}\noom_group_kill 0\n`,
    [`${path}/io.stat`]: `7:0 \n254:0 rbytes=${4096 * n} wbytes=${8192 * n} rios=${n} wios=${2 * n} dbytes=0 dios=0\n`,
    [`${path}/pids.current`]: `${3 * n}\n`,
    [`${path}/pids.max`]: '100\n',
    [`${path}/cpu.pressure`]:
      `some avg10=0.00 avg60=0.00 avg300=0.00 total=${1_000_000 * n}\n` +
      `full avg10=0.00 avg60=0.00 avg300=0.00 total=${500_000 * n}\n`,
  };
}

/** A version 1 container, in the hierarchies of a kernel that mounts cpu and cpuacct together. */
export const first: Files = {
  'cpu,cpuacct/cgroup.procs': '',
  'cpu,cpuacct/release_agent': '',
  'cpu,cpuacct/cpuacct.usage': '99000000000\n',
  'memory/cgroup.procs': '',
  'memory/release_agent': '',
  'blkio/cgroup.procs': '',
  'blkio/release_agent': '',
  'pids/cgroup.procs': '',
  'pids/release_agent': '',
  [`cpu,cpuacct/docker/${container}/cpuacct.usage`]: '4000000000\n',
  [`cpu,cpuacct/docker/${container}/cpuacct.stat`]: 'user 300\nsystem 100\n',
  [`cpu,cpuacct/docker/${container}/cpu.stat`]: 'nr_periods 20\nnr_throttled 2\nthrottled_time 1500000000\n',
  [`memory/docker/${container}/memory.usage_in_bytes`]: '2000\n',
  [`memory/docker/${container}/memory.limit_in_bytes`]: '9223372036854771712\n',
  [`memory/docker/${container}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
  [`memory/docker/${container}/memory.stat`]:
    'cache 1\nrss 2\ninactive_file 3\ntotal_cache 1200\ntotal_rss 600\ntotal_swap 140\ntotal_pgfault 100\n' +
    'total_pgmajfault 10\ntotal_inactive_file 200\n',
  [`blkio/docker/${container}/blkio.throttle.io_service_bytes_recursive`]:
    '254:0 Read 8192\n254:0 Write 16384\n254:0 Sync 0\n254:0 Async 24576\n254:0 Total 24576\nTotal 24576\n',
  [`blkio/docker/${container}/blkio.throttle.io_serviced_recursive`]:
    '254:0 Read 2\n254:0 Write 4\n254:0 Sync 0\n254:0 Async 6\n254:0 Total 6\nTotal 6\n',
  [`pids/docker/${container}/pids.current`]: '6\n',
  [`pids/docker/${container}/pids.max`]: 'max\n',
};

/** Writes files in place, as the kernel does. */
export function write(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Describes a series in one line: its path, metric and attribute values. */
export function nameOf({ metric, attributes, resource }: Series): string {
  const path = resource.attributes['linux.cgroup.path'];
  return [path, metric.name, ...Object.values(attributes)].join(' ');
}

/** Result of one scan: tables, the values by name of their series, and the names of the series that ended. */
export interface Scanned {
  readonly tables: readonly Table[];
  readonly values: Readonly<Record<string, number>>;
  readonly series: readonly Series[];
  readonly ended: readonly Series[];
}

/** Settings of the receiver. With `sysfs`, CPU time is divided by the packages found there. */
interface FakeSettings {
  readonly sysfs?: string;
  readonly [name: string]: unknown;
}

/** Creates a folder of cgroups with these files, and a scraper that reads it. */
export function openMachine(t: TestContext, files: Files, settings: FakeSettings = {}) {
  const folder = createFolder();
  write(folder, files);
  const sysfs = createFolder();
  write(sysfs, { 'dev/block/keep': '' });
  const log = createLogCollector();
  const config = parseSettings(schema, { cgroupfs: folder, sysfs, ...settings });
  const scraper = new CgroupScraper(config, {
    ...createFakeContext({ log, host: { attributes: { 'host.name': 'node' } } }),
    hierarchies: findHierarchies(config),
    packages: settings.sysfs === undefined ? undefined : CpuPackages.find(settings.sysfs),
  });
  t.after(() => scraper.close());
  return {
    folder,
    sysfs,
    lines: log.lines,
    scan: (breaks = 0) => scan(scraper, breaks),
    /** Scans once. @returns what it yields: a table of each part, and undefined after other work */
    scanInSteps: async () => [...(await scraper.scrape(0))],
  };
}

/** Scans once. */
export async function scan(scraper: CgroupScraper, breaks: number): Promise<Scanned> {
  const tables = [...(await scraper.scrape(breaks))].filter((table) => table !== undefined);
  const entries = tables.flatMap(({ series, values }) =>
    series.map((one, i): [string, number] => [nameOf(one), values[i] ?? NaN]),
  );
  return {
    tables,
    values: Object.fromEntries(entries),
    series: tables.flatMap(({ series }) => series),
    ended: tables.flatMap(({ ended }) => ended ?? []),
  };
}

/** The values whose names have a prefix, by name without that prefix. */
export function below(values: Readonly<Record<string, number>>, start: string): Record<string, number> {
  const entries = Object.entries(values).filter(([name]) => name.startsWith(`${start} `));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(start.length + 1), value]));
}

/** Start time of a series of a scan, by the name of the series. */
export function startOf({ series }: Scanned, name: string): bigint | undefined {
  return series.find((one) => nameOf(one) === name)?.start;
}
