import {
  ATTR_SYSTEM_MEMORY_LINUX_SLAB_STATE,
  ATTR_SYSTEM_MEMORY_STATE,
  ATTR_SYSTEM_PAGING_DIRECTION,
  ATTR_SYSTEM_PAGING_FAULT_TYPE,
  ATTR_SYSTEM_PAGING_STATE,
} from '../../src/model/semantic-conventions.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { memoryLimit } from '../../src/model/usage-metrics.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import type { GaugeColumn } from '../../src/scraping/gauge-table.js';
import { findLine, maxBytes, parseLine } from '../../src/scraping/lines.js';
import type { DescribeSource, Source } from '../../src/scraping/source.js';
import type { Config } from './config.js';

/** Bytes in `/proc/meminfo` by the kernel's names; NaN if they are impossible. */
type Meminfo = (label: string) => number;

const usage = bytes('system.memory.usage', 'Memory by state; used is what is not available to new programs');
const available = bytes('system.memory.linux.available', 'Memory available to new programs without swapping');
const shared = bytes('system.memory.linux.shared', 'Shared memory, mostly of tmpfs');
const slab = bytes('system.memory.linux.slab.usage', 'Memory in the caches of the kernel itself');
/** Published only with `memory.kinds`. */
export const memoryKind = bytes(
  'system.memory.linux.kind.usage',
  'Memory by additional kinds of the kernel, which overlap',
);
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

export const memoryMetrics = [memoryLimit, usage, available, shared, slab, memoryKind, swap, faults, swapped];

interface MeminfoColumn extends GaugeColumn {
  /** Required labels. */
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
  plain(memoryLimit, 'MemTotal:'),
  {
    metric: usage,
    attributes: { [ATTR_SYSTEM_MEMORY_STATE]: 'used' },
    needs: ['MemTotal:', 'MemAvailable:'],
    value: (meminfo) => meminfo('MemTotal:') - meminfo('MemAvailable:'),
  },
  plain(usage, 'MemFree:', { [ATTR_SYSTEM_MEMORY_STATE]: 'free' }),
  plain(usage, 'Buffers:', { [ATTR_SYSTEM_MEMORY_STATE]: 'buffers' }),
  plain(usage, 'Cached:', { [ATTR_SYSTEM_MEMORY_STATE]: 'cached' }),
  plain(available, 'MemAvailable:'),
  plain(shared, 'Shmem:'),
  plain(slab, 'SReclaimable:', { [ATTR_SYSTEM_MEMORY_LINUX_SLAB_STATE]: 'reclaimable' }),
  plain(slab, 'SUnreclaim:', { [ATTR_SYSTEM_MEMORY_LINUX_SLAB_STATE]: 'unreclaimable' }),
  {
    metric: swap,
    attributes: { [ATTR_SYSTEM_PAGING_STATE]: 'used' },
    needs: ['SwapTotal:', 'SwapFree:'],
    value: (meminfo) => meminfo('SwapTotal:') - meminfo('SwapFree:'),
  },
  plain(swap, 'SwapFree:', { [ATTR_SYSTEM_PAGING_STATE]: 'free' }),
];

/** Memory kinds of the setting `memory.kinds`, by label in `/proc/meminfo`. */
const kinds: Readonly<Record<string, string>> = {
  active: 'Active:',
  inactive: 'Inactive:',
  anonymous: 'AnonPages:',
  mapped: 'Mapped:',
  dirty: 'Dirty:',
  writeback: 'Writeback:',
  unevictable: 'Unevictable:',
  kernel_stack: 'KernelStack:',
  page_tables: 'PageTables:',
  per_cpu: 'Percpu:',
  swap_cached: 'SwapCached:',
};

const kindColumns = Object.entries(kinds).map(([name, label]) =>
  plain(memoryKind, label, { 'system.memory.linux.kind': name }),
);

// A page in swap space is read back by a major fault.
const majorFault = { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'major' };

const pagingColumns: Readonly<Record<string, readonly CounterColumn[]>> = {
  faults: [
    { metric: faults, attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'major' }, perUnit: 1 },
    { metric: faults, attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'minor' }, perUnit: 1 },
  ],
  swap: [
    { metric: swapped, attributes: { ...majorFault, [ATTR_SYSTEM_PAGING_DIRECTION]: 'in' }, perUnit: 1 },
    { metric: swapped, attributes: { ...majorFault, [ATTR_SYSTEM_PAGING_DIRECTION]: 'out' }, perUnit: 1 },
  ],
};

/** @param at Unix time in nanoseconds, for the rows */
type ReadFile = (at: bigint) => readonly Table[];

/** The contents of `/proc/meminfo` and `/proc/vmstat`. */
export function describeMemory({ procfs, memory }: Config): DescribeSource {
  const wanted = memory.kinds ? [...meminfoColumns, ...kindColumns] : meminfoColumns;
  return (source) => {
    const parts = [readMeminfo(source, procfs, wanted), readVmstat(source, procfs)];
    return (at) => {
      const tables: Table[] = [];
      source.readParts(parts.map((read) => () => tables.push(...read(at))));
      return tables;
    };
  };
}

function readMeminfo(source: Source, procfs: string, wanted: readonly MeminfoColumn[]): ReadFile {
  const file = source.file(`${procfs}/meminfo`);
  const gauges = source.gauges();
  let columns: readonly MeminfoColumn[] = [];
  const parseBytes = (text: Buffer, label: string): number => {
    const total = label.startsWith('Swap') ? 'SwapTotal:' : 'MemTotal:';
    const hasTotal = label !== total && findLine(text, total) >= 0;
    const most = hasTotal ? Math.min(maxBytes, 1024 * parseLine(file.path, text, total)) : maxBytes;
    const value = 1024 * parseLine(file.path, text, label);
    // lxcfs, which shows a container its own limits, was seen with a negative SwapFree.
    return source.check(`"${label}" of ${file.path} in bytes`, value, most);
  };
  return (at) => {
    const text = file.read();
    // Not every kernel has every line, but a running kernel always has the same ones.
    if (columns.length === 0) {
      columns = wanted.filter(({ needs }) => needs.every((label) => findLine(text, label) >= 0));
      gauges.choose(columns);
    }
    const meminfo = (label: string) => parseBytes(text, label);
    return [
      gauges.row(
        at,
        columns.map(({ value }) => value(meminfo)),
      ),
    ];
  };
}

function readVmstat(source: Source, procfs: string): ReadFile {
  const file = source.file(`${procfs}/vmstat`);
  const counters = source.counters((name) => pagingColumns[name]);
  const counts = new Counts(2);
  return (at) => {
    const text = file.read();
    const vmstat = (label: string) => parseLine(file.path, text, label);
    const add = (name: string, first: number, second: number): void => {
      counts.set(0, first);
      counts.set(1, second);
      counters.add(name, counts);
    };
    counters.begin(at);
    source.readParts([
      () => add('faults', vmstat('pgmajfault '), vmstat('pgfault ') - vmstat('pgmajfault ')),
      () => add('swap', vmstat('pswpin '), vmstat('pswpout ')),
    ]);
    return [counters.finish()];
  };
}

function bytes(name: string, description: string): Metric {
  return { name, unit: 'By', description, kind: 'updowncounter', valueType: 'int' };
}
