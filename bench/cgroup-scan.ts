import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { CgroupScraper } from '../receivers/cgroup/cgroup-scraper.js';
import { schema } from '../receivers/cgroup/config.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { describeError } from '../src/errors.js';
import { findHierarchies, type Hierarchy } from '../src/linux/cgroup/hierarchies.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { findFloor } from './floors.js';

const count = 1000;
const rounds = 9;
const scansPerRound = 30;
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
    const results: Result[] = [];
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
    return [await compareScans(what, folder, file, hierarchy)];
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

function openScraper(hierarchy: Hierarchy): CgroupScraper {
  const metrics = { memory: false, io: false, pids: false };
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
