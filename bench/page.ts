import { PageSource } from '../exporters/prometheus/page.js';
import { SeriesStore } from '../exporters/prometheus/store.js';
import { readThreadCpuNs } from '../src/linux/clocks.js';
import type { Metric, Series } from '../src/model/series.js';
import { createRow } from '../src/model/table.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { measureLongestMs } from './longest-slice.js';

const sizes = [300, 2000, 10_000];
const rounds = 30;
const maxUsPerLine = 0.5;
const maxSliceMs = 5;
/** Share of the processes that used the machine since the last scrape. */
const activeShare = 0.2;

const metrics: readonly Metric[] = (
  [
    ['process.cpu.time', 's', 'counter'],
    ['process.energy', 'J', 'counter'],
    ['process.memory.usage', 'By', 'updowncounter'],
    ['process.thread.count', '{thread}', 'updowncounter'],
    ['process.power', 'W', 'gauge'],
  ] as const
).map(([name, unit, kind]) => ({ name, unit, kind, description: 'What it is', valueType: 'double' }));

/**
 * A page with five lines per process, rendered repeatedly while a fifth of the processes uses the machine,
 * against a loop that concatenates the same texts. CPU time of the main thread.
 */
export const page: Benchmark = {
  name: 'page',
  async measure() {
    const results: Result[] = [];
    for (const processes of sizes) results.push(...(await measurePage(processes)));
    return results;
  },
};

async function measurePage(processes: number): Promise<Result[]> {
  const machine = createMachine(processes);
  const [plain, compressed, loop]: [number[], number[], number[]] = [[], [], []];
  let longestMs = 0;
  for (let round = 0; round < rounds; round++) {
    const read = (isCompressed: boolean) => () => machine.source.read('openmetrics', isCompressed);
    for (const [work, figures] of [
      [read(false), plain],
      [read(true), compressed],
      [() => Promise.resolve(machine.concatenate()), loop],
    ] as const) {
      machine.step();
      figures.push(await measureMs(work));
    }
    machine.step();
    longestMs = Math.max(longestMs, await measureLongestMs(read(round % 2 === 0)));
  }
  const lines = processes * metrics.length;
  const perLine = (figures: readonly number[]) => (median(figures) * 1000) / lines;
  const what = `Page of ${processes} processes (${lines} lines)`;
  const reference = perLine(loop);
  return [
    limit(`${what}: per line`, 'us', { ours: perLine(plain), reference }, maxUsPerLine),
    limit(`${what}: per line, compressed`, 'us', { ours: perLine(compressed), reference }, maxUsPerLine),
    limit(`${what}: longest slice`, 'ms', { ours: longestMs, reference: median(loop) }, maxSliceMs),
  ];
}

function limit(
  what: string,
  unit: string,
  figures: { readonly ours: number; readonly reference: number },
  max: number,
): Result {
  return { ...compare(what, unit, figures), budget: `at most ${max} ${unit}`, met: figures.ours <= max };
}

function createMachine(processes: number) {
  const store = new SeriesStore({
    identityLabels: ['process.pid', 'process.executable.name', 'process.owner', 'process.linux.cgroup'],
    host: { 'host.name': 'bench' },
    common: {},
    endedForMs: 60_000,
    warn: () => {},
  });
  const series = Array.from({ length: processes }, (_, i) => createSeries(1000 + i)).flat();
  const values = Float64Array.from(series, ({ metric }) => (metric.unit === 'By' ? 4096 * 1000 : 3));
  let nowMs = 0;
  return {
    source: new PageSource(
      (now) => store.takeSnapshot(now),
      () => nowMs,
    ),
    /** Advances by one second. */
    step() {
      nowMs += 1000;
      for (let process = 0; process < processes; process++) {
        if (Math.random() < activeShare) useMachine(values, process * metrics.length);
      }
      store.take(createRow(series, 0n, values.slice()), nowMs);
    },
    concatenate() {
      let text = '';
      for (const [i, one] of series.entries()) text += `${prefixOf(one)}${values[i]}\n`;
      return Buffer.from(text);
    },
  };
}

/** Nanoseconds and nanojoules, as they are counted, and watts derived from them. */
function useMachine(values: Float64Array, at: number): void {
  const joules = Math.round(Math.random() * 1e9) / 1e9;
  values[at] += Math.round(Math.random() * 1e8) / 1e9;
  values[at + 1] = Math.round((values[at + 1] + joules) * 1e9) / 1e9;
  values[at + 2] += 4096;
  values[at + 4] = joules / 1.000_123;
}

const prefixes = new WeakMap<Series, string>();

function prefixOf(series: Series): string {
  return prefixes.get(series) ?? '';
}

function createSeries(pid: number): Series[] {
  const [program, cgroup] = [`program-${pid % 97}`, `/system.slice/unit-${pid % 31}.service`];
  const attributes = {
    'process.pid': pid,
    'process.executable.name': program,
    'process.owner': 'root',
    'process.linux.cgroup': cgroup,
  };
  const labels = `{process_executable_name="${program}",process_linux_cgroup="${cgroup}",process_owner="root",process_pid="${pid}"}`;
  const resource = { attributes };
  return metrics.map((metric) => {
    const series = { metric, resource, attributes: {}, start: 0n };
    prefixes.set(series, `${metric.name.replaceAll('.', '_')}${labels} `);
    return series;
  });
}

/** @returns milliseconds of CPU time of the main thread */
async function measureMs(work: () => Promise<unknown>): Promise<number> {
  const startedNs = readThreadCpuNs();
  await work();
  return (readThreadCpuNs() - startedNs) / 1e6;
}
