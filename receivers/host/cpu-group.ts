import { parseCpuTimes, type CpuTimes, type MachineCpuTimes } from '../../src/linux/procfs.js';
import { ATTR_CPU_LOGICAL_NUMBER, ATTR_CPU_MODE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import { cpuTime, logicalCpus } from '../../src/model/usage-metrics.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { maxThreads, parseLine } from '../../src/scraping/lines.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import type { Config } from './config.js';

const contextSwitches: Metric = {
  name: 'system.context_switches',
  unit: '{context_switch}',
  description: 'Context switches on all CPUs',
  kind: 'counter',
  valueType: 'int',
};
const processesCreated: Metric = {
  name: 'system.process.created',
  unit: '{process}',
  description: 'Processes and threads created',
  kind: 'counter',
  valueType: 'int',
};
const threads: Metric = {
  name: 'system.linux.thread.count',
  unit: '{thread}',
  description: 'Threads that run or wait for a CPU (running), and threads that wait for I/O (blocked)',
  kind: 'updowncounter',
  valueType: 'int',
};

export const cpuMetrics = [cpuTime, contextSwitches, processesCreated, logicalCpus, threads];

const ticksPerSecond = 100;

// The idle time of a sleeping CPU is estimated at each reading, and sometimes decreases slightly; a decrease of
// more than 3 s is a restart, as when a CPU comes back online.
const mayFallTicks = 3 * ticksPerSecond;

const modes: readonly { readonly mode: string; ticks(times: CpuTimes): number }[] = [
  // Includes guest time, which the kernel counts twice.
  { mode: 'user', ticks: ({ user }) => user },
  { mode: 'nice', ticks: ({ nice }) => nice },
  { mode: 'system', ticks: ({ system }) => system },
  { mode: 'idle', ticks: ({ idle }) => idle },
  { mode: 'iowait', ticks: ({ iowait }) => iowait },
  { mode: 'interrupt', ticks: ({ irq, softirq }) => irq + softirq },
  { mode: 'steal', ticks: ({ steal }) => steal },
];

/** Counters with a separate line, by label. */
const kernelCounters: Readonly<Record<string, Metric>> = {
  'ctxt ': contextSwitches,
  'processes ': processesCreated,
};

const cpuCount = { metric: logicalCpus, attributes: {} };
const threadCounts = ['running', 'blocked'].map((state) => ({
  label: `procs_${state} `,
  metric: threads,
  attributes: { 'system.linux.thread.state': state },
}));

/** The contents of `/proc/stat`. A line that cannot be parsed does not affect the others. */
export function describeCpu({ procfs, cpu: { per_cpu: perCpu } }: Config): DescribeSource {
  return (source) => {
    const file = source.file(`${procfs}/stat`);
    const counters = source.counters(describeCounters);
    const gauges = source.gauges([cpuCount, ...threadCounts]);
    const counts = new Counts(modes.length);
    const addTimes = (name: string, times: CpuTimes): void => {
      modes.forEach(({ ticks }, i) => counts.set(i, ticks(times)));
      counters.add(name, counts);
    };
    /** @returns the number of CPUs; NaN if there is only a sum, as in some containers */
    const addCpus = ({ total, byCpu }: MachineCpuTimes): number => {
      if (perCpu) byCpu.forEach((times, cpu) => addTimes(String(cpu), times));
      else addTimes('all', total);
      return byCpu.size > 0 ? byCpu.size : NaN;
    };
    const addKernelCount = (label: string, count: number): void => {
      counts.set(0, count);
      counters.add(label, counts);
    };
    // The kernel adds up per-CPU counts, and the sum was seen below 0.
    const checkThreads = (label: string, count: number): number =>
      source.check(`"${label}" of ${file.path}`, count, maxThreads);
    return (at) => {
      const stat = file.read();
      const parse = (label: string): number => parseLine(file.path, stat, label);
      const values = [NaN, NaN, NaN];
      counters.begin(at);
      source.readParts([
        () => (values[0] = addCpus(parseCpuTimes(stat))),
        ...Object.keys(kernelCounters).map((label) => () => addKernelCount(label, parse(label))),
        ...threadCounts.map(
          ({ label }, i) =>
            () =>
              (values[1 + i] = checkThreads(label, parse(label))),
        ),
      ]);
      return [counters.finish(), gauges.row(at, values)];
    };
  };
}

function describeCounters(name: string): readonly CounterColumn[] {
  const metric = kernelCounters[name];
  if (metric !== undefined) return [{ metric, attributes: {}, perUnit: 1 }];
  const cpu: Attributes = name === 'all' ? {} : { [ATTR_CPU_LOGICAL_NUMBER]: Number(name) };
  return modes.map(({ mode }) => ({
    metric: cpuTime,
    attributes: { [ATTR_CPU_MODE]: mode, ...cpu },
    perUnit: ticksPerSecond,
    mayFall: mayFallTicks,
  }));
}
