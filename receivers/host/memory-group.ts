import { KeptFile } from '../../src/linux/kept-file.js';
import { maxBytes } from '../../src/linux/plausible.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { Counts } from '../../src/scraping/counts.js';
import { CounterTable } from '../../src/scraping/counter-table.js';
import type { CounterColumn } from '../../src/scraping/counters.js';
import { GaugeTable, type GaugeColumn } from '../../src/scraping/gauge-table.js';
import { PartialReadError, readParts, type Group, type GroupContext } from './group.js';
import { findLine, parseLine } from '../../src/scraping/lines.js';
import { Plausibility } from '../../src/scraping/plausibility.js';

/** Bytes of `/proc/meminfo` by the kernel's own names; NaN where they are impossible. */
type Meminfo = (label: string) => number;

const limit = bytes('system.memory.limit', 'Memory that the kernel can use');
const usage = bytes('system.memory.usage', 'Memory by state; used is what is not available to new programs');
const available = bytes('system.memory.linux.available', 'Memory available to new programs without swapping');
const shared = bytes('system.memory.linux.shared', 'Shared memory, mostly of tmpfs');
const slab = bytes('system.memory.linux.slab.usage', 'Memory in the caches of the kernel itself');
const swap = bytes('system.paging.usage', 'Swap space by state');
const faults: Metric = {
  name: 'system.paging.faults',
  unit: '{fault}',
  description: 'Page faults; major ones had to read from disk',
  kind: 'counter',
  valueType: 'int',
};
const swapped: Metric = {
  name: 'system.paging.operations',
  unit: '{operation}',
  description: 'Pages read from and written to swap space',
  kind: 'counter',
  valueType: 'int',
};

export const memoryMetrics = [limit, usage, available, shared, slab, swap, faults, swapped];

interface MeminfoColumn extends GaugeColumn {
  /** Labels that must be there. */
  readonly needs: readonly string[];
  value(meminfo: Meminfo): number;
}

const plain = (metric: Metric, label: string, attributes = {}): MeminfoColumn => ({
  metric,
  attributes,
  needs: [label],
  value: (meminfo) => meminfo(label),
});

const meminfoColumns: readonly MeminfoColumn[] = [
  plain(limit, 'MemTotal:'),
  {
    metric: usage,
    attributes: { 'system.memory.state': 'used' },
    needs: ['MemTotal:', 'MemAvailable:'],
    value: (meminfo) => meminfo('MemTotal:') - meminfo('MemAvailable:'),
  },
  plain(usage, 'MemFree:', { 'system.memory.state': 'free' }),
  plain(usage, 'Buffers:', { 'system.memory.state': 'buffers' }),
  plain(usage, 'Cached:', { 'system.memory.state': 'cached' }),
  plain(available, 'MemAvailable:'),
  plain(shared, 'Shmem:'),
  plain(slab, 'SReclaimable:', { 'system.memory.linux.slab.state': 'reclaimable' }),
  plain(slab, 'SUnreclaim:', { 'system.memory.linux.slab.state': 'unreclaimable' }),
  {
    metric: swap,
    attributes: { 'system.paging.state': 'used' },
    needs: ['SwapTotal:', 'SwapFree:'],
    value: (meminfo) => meminfo('SwapTotal:') - meminfo('SwapFree:'),
  },
  plain(swap, 'SwapFree:', { 'system.paging.state': 'free' }),
];

// What is in swap space comes back by a major fault.
const majorFault = { 'system.paging.fault.type': 'major' };

const pagingColumns: readonly CounterColumn[] = [
  { metric: faults, attributes: { 'system.paging.fault.type': 'major' }, perUnit: 1 },
  { metric: faults, attributes: { 'system.paging.fault.type': 'minor' }, perUnit: 1 },
  { metric: swapped, attributes: { ...majorFault, 'system.paging.direction': 'in' }, perUnit: 1 },
  { metric: swapped, attributes: { ...majorFault, 'system.paging.direction': 'out' }, perUnit: 1 },
];

/** What `/proc/meminfo` and `/proc/vmstat` say. */
export class MemoryGroup implements Group {
  readonly #context: GroupContext;
  readonly #meminfo: KeptFile;
  readonly #vmstat: KeptFile;
  #columns: readonly MeminfoColumn[] = [];
  #gauges: GaugeTable;
  readonly #plausibility: Plausibility;
  readonly #counters: CounterTable;
  readonly #counts = new Counts(pagingColumns.length);
  absent: readonly string[] = [];

  constructor(context: GroupContext) {
    this.#context = context;
    this.#meminfo = new KeptFile(`${context.config.procfs}/meminfo`);
    this.#vmstat = new KeptFile(`${context.config.procfs}/vmstat`);
    this.#gauges = new GaugeTable(context.host, []);
    this.#plausibility = new Plausibility(context.log);
    this.#counters = new CounterTable(context.host, () => pagingColumns);
  }

  read(): Table[] {
    const tables: Table[] = [];
    const { absent, failed } = readParts([
      () => tables.push(this.#readMeminfo()),
      () => tables.push(this.#readVmstat()),
    ]);
    this.absent = absent;
    if (failed.length > 0) throw new PartialReadError(failed.join('; '), tables);
    return tables;
  }

  restart(at: bigint): Table[] {
    return [this.#gauges.restart(at), this.#counters.restart(at)];
  }

  close(): void {
    this.#meminfo.close();
    this.#vmstat.close();
  }

  #readMeminfo(): Table {
    const at = this.#context.clock.wallNs();
    const text = this.#meminfo.read();
    if (this.#columns.length === 0) this.#choose(text);
    const meminfo = (label: string) => this.#parseBytes(text, label);
    return this.#gauges.row(
      at,
      this.#columns.map(({ value }) => value(meminfo)),
    );
  }

  #parseBytes(text: Buffer, label: string): number {
    const { path } = this.#meminfo;
    const total = label.startsWith('Swap') ? 'SwapTotal:' : 'MemTotal:';
    const hasTotal = label !== total && findLine(text, total) >= 0;
    const most = hasTotal ? Math.min(maxBytes, 1024 * parseLine(path, text, total)) : maxBytes;
    // lxcfs, which shows a container its own limits, was seen with a SwapFree that had fallen below 0.
    return this.#plausibility.check(
      `"${label}" of ${path} in bytes`,
      1024 * parseLine(path, text, label),
      most,
    );
  }

  /** Not every kernel tells everything; what one tells it tells until it is shut down. */
  #choose(text: Buffer): void {
    this.#columns = meminfoColumns.filter(({ needs }) => needs.every((label) => findLine(text, label) >= 0));
    this.#gauges = new GaugeTable(this.#context.host, this.#columns);
  }

  #readVmstat(): Table {
    const at = this.#context.clock.wallNs();
    const text = this.#vmstat.read();
    const vmstat = (label: string) => parseLine(this.#vmstat.path, text, label);
    const major = vmstat('pgmajfault ');
    this.#counts.set(0, major);
    this.#counts.set(1, vmstat('pgfault ') - major);
    this.#counts.set(2, vmstat('pswpin '));
    this.#counts.set(3, vmstat('pswpout '));
    this.#counters.begin(at);
    this.#counters.add('machine', this.#counts);
    return this.#counters.finish();
  }
}

function bytes(name: string, description: string): Metric {
  return { name, unit: 'By', description, kind: 'updowncounter', valueType: 'int' };
}
