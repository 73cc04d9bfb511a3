import { KeptFile } from '../../src/linux/kept-file.js';
import { maxThreads } from '../../src/linux/plausible.js';
import { parseCpuTimes, type CpuTimes } from '../../src/linux/procfs.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { Counts } from '../../src/scraping/counts.js';
import { CounterTable } from '../../src/scraping/counter-table.js';
import type { CounterColumn } from '../../src/scraping/counters.js';
import { GaugeTable } from '../../src/scraping/gauge-table.js';
import type { Group, GroupContext } from './group.js';
import { parseLine } from '../../src/scraping/lines.js';
import { Plausibility } from '../../src/scraping/plausibility.js';

export const cpuTime: Metric = {
  name: 'system.cpu.time',
  unit: 's',
  description: 'Time that the logical CPUs spent in each mode',
  kind: 'counter',
  valueType: 'double',
};
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
const logicalCpus: Metric = {
  name: 'system.cpu.logical.count',
  unit: '{cpu}',
  description: 'Logical CPUs that are online',
  kind: 'updowncounter',
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

// Idle time of a CPU that sleeps is estimated by whoever reads, and at times falls back a little; what falls by
// more than 3 s began anew, as idle time does when a CPU comes back online.
const mayFallTicks = 3 * ticksPerSecond;

const modes: readonly { readonly mode: string; ticks(times: CpuTimes): number }[] = [
  // Holds guest time, too, which the kernel counts twice.
  { mode: 'user', ticks: ({ user }) => user },
  { mode: 'nice', ticks: ({ nice }) => nice },
  { mode: 'system', ticks: ({ system }) => system },
  { mode: 'idle', ticks: ({ idle }) => idle },
  { mode: 'iowait', ticks: ({ iowait }) => iowait },
  { mode: 'interrupt', ticks: ({ irq, softirq }) => irq + softirq },
  { mode: 'steal', ticks: ({ steal }) => steal },
];

const kernelColumns: readonly CounterColumn[] = [
  { metric: contextSwitches, attributes: {}, perUnit: 1 },
  { metric: processesCreated, attributes: {}, perUnit: 1 },
];

const gaugeColumns = [
  { metric: logicalCpus, attributes: {} },
  { metric: threads, attributes: { 'system.linux.thread.state': 'running' } },
  { metric: threads, attributes: { 'system.linux.thread.state': 'blocked' } },
];

/** What `/proc/stat` says. */
export class CpuGroup implements Group {
  readonly #context: GroupContext;
  readonly #file: KeptFile;
  readonly #counters: CounterTable;
  readonly #gauges: GaugeTable;
  readonly #counts = new Counts(modes.length);
  readonly #plausibility: Plausibility;

  constructor(context: GroupContext) {
    this.#context = context;
    this.#file = new KeptFile(`${context.config.procfs}/stat`);
    this.#counters = new CounterTable(context.host, describeCounters);
    this.#gauges = new GaugeTable(context.host, gaugeColumns);
    this.#plausibility = new Plausibility(context.log);
  }

  read(): Table[] {
    const at = this.#context.clock.wallNs();
    const stat = this.#file.read();
    const { total, byCpu } = parseCpuTimes(stat);
    this.#counters.begin(at);
    if (this.#context.config.cpu.per_cpu) byCpu.forEach((times, cpu) => this.#addTimes(String(cpu), times));
    else this.#addTimes('all', total);
    this.#addKernelCounts(stat);
    const [running, blocked] = ['procs_running ', 'procs_blocked '].map((label) =>
      this.#parseThreads(stat, label),
    );
    // Some containers list no CPU.
    const cpus = byCpu.size > 0 ? byCpu.size : Number.NaN;
    return [this.#counters.finish(), this.#gauges.row(at, [cpus, running, blocked])];
  }

  restart(at: bigint): Table[] {
    return [this.#counters.restart(at), this.#gauges.restart(at)];
  }

  close(): void {
    this.#file.close();
  }

  #addTimes(name: string, times: CpuTimes): void {
    modes.forEach(({ ticks }, i) => this.#counts.set(i, ticks(times)));
    this.#counters.add(name, this.#counts);
  }

  #addKernelCounts(stat: Buffer): void {
    this.#counts.set(0, this.#parse(stat, 'ctxt '));
    this.#counts.set(1, this.#parse(stat, 'processes '));
    this.#counters.add('kernel', this.#counts);
  }

  #parseThreads(stat: Buffer, label: string): number {
    // The kernel sums what each CPU counted, and was seen below 0.
    return this.#plausibility.check(`"${label}" of ${this.#file.path}`, this.#parse(stat, label), maxThreads);
  }

  #parse(stat: Buffer, label: string): number {
    return parseLine(this.#file.path, stat, label);
  }
}

function describeCounters(name: string): readonly CounterColumn[] {
  if (name === 'kernel') return kernelColumns;
  const cpu: Attributes = name === 'all' ? {} : { 'cpu.logical_number': Number(name) };
  return modes.map(({ mode }) => ({
    metric: cpuTime,
    attributes: { 'cpu.mode': mode, ...cpu },
    perUnit: ticksPerSecond,
    mayFall: mayFallTicks,
  }));
}
