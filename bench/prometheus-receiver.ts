import { PageParser } from '../receivers/prometheus/page-parser.js';
import { PageSeries } from '../receivers/prometheus/page-series.js';
import { runAtOnce } from '../src/linux/slices.js';
import { median, type Benchmark, type Result } from './benchmark.js';

const families = 100;
const seriesPerFamily = 100;
const samples = families * seriesPerFamily;
const rounds = 15;
const warmUps = 10;
const pagesPerRound = 10;
/** Size of a chunk as read from a socket. */
const chunkBytes = 65_536;

/** Points per second of CPU time parsed from a scraped page, and the time for the first page of a target. */
export const prometheusReceiver: Benchmark = {
  name: 'prometheus-receiver',
  measure() {
    const known = createReader();
    const [ours, references, firsts]: [number[], number[], number[]] = [[], [], []];
    for (let round = -warmUps; round < rounds; round++) {
      const pages = renderPages(round + warmUps);
      const own = measureRate(() => pages.forEach((page) => known(page)), pagesPerRound);
      const reference = measureRate(() => pages.forEach((page) => readSimply(page)), pagesPerRound);
      const first = measureRate(() => pages.slice(0, 2).forEach((page) => createReader()(page)), 2);
      if (round < 0) continue;
      ours.push(own);
      references.push(reference);
      firsts.push(first);
    }
    const reference = median(references);
    return Promise.resolve([
      describe(`Read a page of ${samples.toLocaleString('en')} samples again`, median(ours), reference),
      describe('Read the first page of a target', median(firsts), reference),
    ]);
  },
};

/** Counters never decrease from one page to the next. */
function renderPages(round: number): readonly Buffer[] {
  return Array.from({ length: pagesPerRound }, (_, i) => Buffer.from(renderPage(pagesPerRound * round + i)));
}

/** Labels and values similar to those of node_exporter: three quarters are counters, most values are integers. */
function renderPage(page: number): string {
  const lines: string[] = [];
  for (let family = 0; family < families; family++) {
    const [name, type] =
      family % 4 === 0 ? [`node_level_${family}`, 'gauge'] : [`node_work_${family}_total`, 'counter'];
    lines.push(`# HELP ${name} A description as long as most of them are.`, `# TYPE ${name} ${type}`);
    for (let i = 0; i < seriesPerFamily; i++) {
      const value = family % 3 === 0 ? (page + i) / 7 : 1e6 * family + 1000 * i + 100 * page;
      lines.push(`${name}{cpu="${i >> 3}",device="nvme0n1p${i % 8}",mode="iowait"} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function createReader(): (page: Buffer) => void {
  const series = new PageSeries({
    target: new Map([
      ['job', 'node'],
      ['instance', 'node-1:9100'],
    ]),
    scheme: 'http',
    honorsLabels: false,
    change: (labels) => labels,
    usesProcessStart: false,
    splitsHistograms: false,
  });
  const parser = new PageParser(series);
  let at = 1_795_000_000_000_000_000n;
  return (page) => {
    runAtOnce(parser.begin('classic'));
    for (let from = 0; from < page.length; from += chunkBytes)
      parser.feed(page.subarray(from, from + chunkBytes));
    runAtOnce(parser.finish());
    at += 1_000_000_000n;
    const prepared = runAtOnce(
      series.prepare({ at, values: parser.values, stamps: undefined, stampUnitMs: 1 }),
    );
    series.createTables(prepared);
  };
}

/** The simplest possible parser: lines, the text before the value as a key, and `Number`. */
function readSimply(page: Buffer): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of page.toString('utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const blank = line.lastIndexOf(' ');
    values.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return values;
}

function measureRate(read: () => void, pages: number): number {
  const before = process.cpuUsage();
  read();
  const { user, system } = process.cpuUsage(before);
  return (pages * samples) / ((user + system) / 1e6);
}

function describe(what: string, ours: number, reference: number): Result {
  const named = `${what}; reference: split lines, a map by the text before the value`;
  return {
    what: named,
    unit: 'points/s',
    ours,
    reference,
    ratio: ours / reference,
    budget: '',
    met: undefined,
  };
}
