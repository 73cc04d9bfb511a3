import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { Source } from '../processors/workload_names/source.js';
import { SourceList } from '../processors/workload_names/source-list.js';
import { WorkloadNames } from '../processors/workload_names/workload-names.js';
import { CgroupScraper } from '../receivers/cgroup/cgroup-scraper.js';
import { schema } from '../receivers/cgroup/config.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { describeError } from '../src/errors.js';
import { findHierarchies, type Hierarchy } from '../src/linux/cgroup/hierarchies.js';
import { readThreadCpuNs } from '../src/linux/clocks.js';
import { ATTR_CONTAINER_ID } from '../src/model/semantic-conventions.js';
import type { Series } from '../src/model/series.js';
import { createRow, type Table } from '../src/model/table.js';
import { processCpuTime } from '../src/model/usage-metrics.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { findFloor } from './floors.js';
import { measureLongestMs } from './longest-slice.js';

const count = 1000;
const rounds = 9;
const scansPerRound = 30;
const maxSliceMs = 5;
/** As `Scraper` promises. */
const maxStepMs = 2;
const name = `joulemetry-bench-${process.pid}`;

/** A scan of the CPU time of 1,000 empty cgroups, back to back, against a loop in C that makes the same reads. */
export const cgroupScan: Benchmark = {
  name: 'cgroup-scan',
  async measure() {
    const hierarchies = findHierarchies({ procfs: '/proc', cgroupfs: '' });
    const measured = [
      { what: 'version 2', file: 'cpu.stat', hierarchy: hierarchies.find(({ version }) => version === 2) },
      {
        what: 'version 1',
        file: 'cpuacct.usage',
        hierarchy: hierarchies.find(({ controllers }) => controllers.includes('cpuacct')),
      },
    ];
    const results: Result[] = [await measureNames()];
    for (const { what, file, hierarchy } of measured) {
      if (hierarchy !== undefined) results.push(...(await measureOne(what, file, hierarchy)));
    }
    return results;
  },
};

async function measureOne(what: string, file: string, hierarchy: Hierarchy): Promise<readonly Result[]> {
  const folder = join(hierarchy.folder, name);
  const folders = [folder, ...Array.from({ length: count }, (_, i) => join(folder, String(i)))];
  try {
    for (const each of folders) mkdirSync(each);
    const first = await measureFirstScans(hierarchy);
    return [
      limit(`First scan of ${count} cgroups of ${what}: longest step`, first, maxStepMs),
      await compareScans(what, folder, file, hierarchy),
    ];
  } catch (error) {
    console.error(`Cannot make cgroups of ${what}: ${describeError(error)}`);
    return [];
  } finally {
    for (const each of folders.toReversed()) removeFolder(each);
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // The cgroup could not be created.
  }
}

async function compareScans(
  what: string,
  folder: string,
  file: string,
  hierarchy: Hierarchy,
): Promise<Result> {
  const floor = findFloor('cgroup-scan');
  const scraper = openScraper(hierarchy);
  try {
    await scan(scraper, scansPerRound);
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      ours.push(await scan(scraper, scansPerRound));
      if (floor !== undefined) theirs.push((await floor.run(folder, file, String(scansPerRound)))[0] ?? NaN);
    }
    const reference = theirs.length === 0 ? undefined : median(theirs);
    return compare(`Scan of ${count} cgroups of ${what}`, 'us', { ours: median(ours), reference }, 1.5);
  } finally {
    scraper.close();
  }
}

/**
 * Without the collections of V8 between two steps, of which a heap that grows by some megabytes needs several; one that
 * an allocation in a step causes is a part of it.
 * @returns CPU time in milliseconds: the median of the longest steps of first scans
 */
async function measureFirstScans(hierarchy: Hierarchy): Promise<number> {
  const longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const scraper = openScraper(hierarchy, true);
    const steps = await scraper.scrape(0);
    let [lastNs, longestNs] = [readThreadCpuNs(), 0];
    for (const _ of steps) {
      const nowNs = readThreadCpuNs();
      longestNs = Math.max(longestNs, nowNs - lastNs);
      lastNs = nowNs;
    }
    longest.push(longestNs / 1e6);
    scraper.close();
  }
  return median(longest);
}

/** Looks up the names of new containers, in a list that a runtime returns immediately. */
async function measureNames(): Promise<Result> {
  const longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { log } = createFakeContext();
    const source = new Source(
      {
        title: 'bench',
        maxBatch: Infinity,
        covers: () => true,
        mayAppear: () => false,
        ask: (lookups) =>
          Promise.resolve(new Map(lookups.map(({ key, id }) => [key, { 'container.name': id }]))),
        close: () => undefined,
      },
      log,
    );
    const found = [{ rank: 0, source }];
    const names = new SourceList(() => found.splice(0), log, 0);
    const next = { consume: () => true };
    const forwarded = new Promise<void>((resolve) => {
      next.consume = () => {
        resolve();
        return true;
      };
    });
    const options = { maxWaitMs: 60_000, maxHeldPoints: 1_000_000, onDecision: () => undefined };
    const processor = new WorkloadNames(names, options, next);
    const table = createContainers(round);
    longest.push(
      await measureLongestMs(() => {
        processor.consume(table);
        return forwarded;
      }),
    );
    processor.shutdown();
  }
  return limit(`Names of ${count} new containers: longest slice`, median(longest), maxSliceMs);
}

function createContainers(round: number): Table {
  const series = Array.from({ length: count }, (_, i): Series => {
    const resource = { attributes: { [ATTR_CONTAINER_ID]: `${round}-${i}` } };
    return { metric: processCpuTime, resource, attributes: {}, start: 0n };
  });
  return createRow(series, 1n, new Float64Array(count));
}

function limit(what: string, ours: number, max: number): Result {
  const common = { reference: undefined, ratio: undefined, unit: 'ms' };
  return { ...common, what, ours, budget: `at most ${max} ms`, met: ours <= max };
}

function openScraper(hierarchy: Hierarchy, hasDetails = false): CgroupScraper {
  const metrics = { memory: hasDetails, io: hasDetails, pids: hasDetails };
  const config = parseSettings(schema, { include: `^/${name}/`, metrics });
  return new CgroupScraper(config, { ...createFakeContext(), hierarchies: [hierarchy] });
}

/** @returns CPU microseconds per scan */
async function scan(scraper: CgroupScraper, scans: number): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < scans; done++) for (const _ of await scraper.scrape(0));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / scans;
}
