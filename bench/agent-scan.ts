import { findCpuClocks } from '../receivers/process/choose-cpu-time-source.js';
import { schema } from '../receivers/process/config.js';
import { ProcessScraper } from '../receivers/process/process-scraper.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { createWallClock } from '../src/linux/clock.js';
import { readBootTimeNs, readTickNs } from '../src/linux/clocks.js';
import { compare, median, type Benchmark } from './benchmark.js';
import { findFloor } from './floors.js';
import { startProcesses } from './processes.js';

const rounds = 9;
const scansPerRound = 1000;
const warmUpScans = 1000;

/**
 * A scan of all processes, back to back, against a loop in C that makes the same system calls and parses the
 * same fields.
 */
export const agentScan: Benchmark = {
  name: 'process-scan',
  async measure() {
    const floor = findFloor('process-scan');
    const processes = await startProcesses();
    const scraper = openScraper();
    try {
      scan(scraper, warmUpScans);
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        ours.push(scan(scraper, scansPerRound));
        if (floor !== undefined) theirs.push((await floor.run('0', String(scansPerRound)))[0]);
      }
      const reference = theirs.length === 0 ? undefined : median(theirs);
      const what = `Scan of ${processes.count} processes`;
      return [compare(what, 'us', { ours: median(ours), reference }, 1.3)];
    } finally {
      scraper.close();
      processes.end();
    }
  },
};

function openScraper(): ProcessScraper {
  const { log, host, id, meter } = createFakeContext();
  return new ProcessScraper(parseSettings(schema, {}), {
    clock: createWallClock(),
    log,
    host,
    id,
    meter,
    cpuTime: findCpuClocks('/proc'),
    tickNs: readTickNs(),
    readBootNs: readBootTimeNs,
  });
}

/** @returns CPU microseconds per scan */
function scan(scraper: ProcessScraper, scans: number): number {
  const before = process.cpuUsage();
  for (let count = 0; count < scans; count++) for (const _ of scraper.scrape(0));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / scans;
}
