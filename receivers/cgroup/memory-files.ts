import {
  ATTR_SYSTEM_PAGING_DIRECTION,
  ATTR_SYSTEM_PAGING_FAULT_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric } from '../../src/model/series.js';
import { Counts } from '../../src/scraping/counts.js';
import type { FileParser } from './file-reader.js';
import { KeyedLines, parseSingle } from './keyed-lines.js';
import {
  memoryEvents,
  memoryFile,
  memoryKind,
  memoryLimit,
  swapOperations,
  swapUsage,
  type SharedNames,
} from './metrics.js';
import { CounterSlot, GaugeSlot } from './slots.js';

/** Without a limit, version 1 shows a number close to 2^63 that depends on the page size. */
const noLimit = 2 ** 62;

const number = new Counts(1);
const gauge = new Float64Array(1);

/** A file with one number; `max` means no limit. */
export function createSingle(file: string, metric: Metric): FileParser {
  const slot = new GaugeSlot([{ metric, attributes: {} }]);
  return {
    file,
    slots: [slot],
    parse(text, length, scope) {
      const read = parseSingle(text, length, number);
      gauge[0] = read >= noLimit ? Infinity : read;
      slot.update(gauge, scope);
      return !Number.isNaN(read);
    },
  };
}

/** The keys of `memory.stat` in one cgroup version. */
interface StatKeys {
  readonly inactiveFile: string;
  readonly rss: string;
  readonly file: string;
  /** Undefined for version 2, which has a separate file. */
  readonly swap: string | undefined;
  readonly faults: string;
  readonly majorFaults: string;
}

const version2: StatKeys = {
  rss: 'anon',
  file: 'file',
  inactiveFile: 'inactive_file',
  faults: 'pgfault',
  majorFaults: 'pgmajfault',
  swap: undefined,
};
/** These keys include descendants, as those of version 2 do. */
const version1: StatKeys = {
  rss: 'total_rss',
  file: 'total_cache',
  inactiveFile: 'total_inactive_file',
  faults: 'total_pgfault',
  majorFaults: 'total_pgmajfault',
  swap: 'total_swap',
};

const createLines = ({ rss, file, inactiveFile, faults, majorFaults, swap }: StatKeys) =>
  new KeyedLines([rss, file, inactiveFile, faults, majorFaults, ...(swap === undefined ? [] : [swap])]);
const linesOf = { 1: createLines(version1), 2: createLines(version2) };

/** Memory in use, by kind. */
export function createMemory(version: 1 | 2, names: SharedNames): readonly FileParser[] {
  const usage = createUsage(version, names);
  return [usage, createStat(version, names, usage)];
}

interface UsageParser extends FileParser {
  /** Bytes; NaN if the file could not be read. */
  readonly bytes: number;
}

function createUsage(version: 1 | 2, { memoryUsage }: SharedNames): UsageParser {
  const slot = new GaugeSlot([{ metric: memoryUsage, attributes: {} }]);
  let bytes = NaN;
  return {
    file: version === 2 ? 'memory.current' : 'memory.usage_in_bytes',
    slots: [slot],
    get bytes() {
      return bytes;
    },
    parse(text, length, scope) {
      bytes = parseSingle(text, length, number);
      gauge[0] = bytes;
      slot.update(gauge, scope);
      return Number.isFinite(bytes);
    },
    miss() {
      bytes = NaN;
    },
  };
}

const columnsOf = ({ workingSet, rss }: SharedNames) =>
  [workingSet, rss, memoryFile, swapUsage].map((metric) => ({ metric, attributes: {} }));
const gauges = new Float64Array(4);
const faultCounts = new Counts(2);

/** `memory.stat`. The working set is the memory in use without inactive file pages, as Kubernetes defines it. */
function createStat(version: 1 | 2, names: SharedNames, usage: UsageParser): FileParser {
  const lines = linesOf[version];
  const slot = new GaugeSlot(columnsOf(names));
  const faults = new CounterSlot(
    ['minor', 'major'].map((type) => ({
      metric: names.faults,
      attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: type },
      perUnit: 1,
    })),
  );
  const read = (key: number) => (lines.has(key) ? lines.counts.read(key) : NaN);
  return {
    file: 'memory.stat',
    slots: [slot, faults],
    parse(text, length, scope) {
      if (lines.parse(text, length) === 0) return false;
      gauges[0] = Math.max(0, usage.bytes - read(2));
      gauges[1] = read(0);
      gauges[2] = read(1);
      gauges[3] = read(5);
      slot.update(gauges, scope);
      if (!lines.has(3) || !lines.has(4)) return true;
      // The kernel includes major faults in all faults.
      faultCounts.set(0, read(3) - read(4));
      faultCounts.copy(1, lines.counts, 4);
      faults.update(faultCounts, scope);
      return true;
    },
  };
}

/** By version 2 key: the version 1 key that includes descendants, if there is one. */
const kinds = {
  kernel_stack: undefined,
  pagetables: undefined,
  percpu: undefined,
  sock: undefined,
  slab_reclaimable: undefined,
  slab_unreclaimable: undefined,
  shmem: 'total_shmem',
  file_mapped: 'total_mapped_file',
  file_dirty: 'total_dirty',
  file_writeback: 'total_writeback',
} as const;
const swapKeys = ['pswpin', 'pswpout'] as const;
const swapDirections = ['in', 'out'] as const;

const kindNames = Object.keys(kinds) as (keyof typeof kinds)[];
// Keys that version 1 lacks are never found.
const kindLinesOf = {
  1: new KeyedLines(kindNames.map((kind) => kinds[kind] ?? `total_${kind}`)),
  2: new KeyedLines([...kindNames, ...swapKeys]),
};
const kindGauges = new Float64Array(kindNames.length);
const swapCounts = new Counts(swapKeys.length);

/** The other values of `memory.stat`. Swapped pages are counted since Linux 6.12. */
export function createMemoryKinds(version: 1 | 2): FileParser {
  const lines = kindLinesOf[version];
  const slot = new GaugeSlot(
    kindNames.map((kind) => ({ metric: memoryKind, attributes: { 'linux.cgroup.memory.kind': kind } })),
  );
  const swapped = new CounterSlot(
    swapDirections.map((direction) => ({
      metric: swapOperations,
      attributes: { [ATTR_SYSTEM_PAGING_DIRECTION]: direction },
      perUnit: 1,
    })),
  );
  return {
    file: 'memory.stat',
    slots: [slot, swapped],
    parse(text, length, scope) {
      if (lines.parse(text, length) === 0) return false;
      for (let i = 0; i < kindNames.length; i++) kindGauges[i] = lines.has(i) ? lines.counts.read(i) : NaN;
      slot.update(kindGauges, scope);
      if (!lines.has(kindNames.length) || !lines.has(kindNames.length + 1)) return true;
      for (let i = 0; i < swapKeys.length; i++) swapCounts.copy(i, lines.counts, kindNames.length + i);
      swapped.update(swapCounts, scope);
      return true;
    },
  };
}

/**
 * The number of out-of-memory events. @param file `memory.events`, or `memory.oom_control` of version 1, which
 * has only kills
 */
export function createMemoryEvents(file: string, keys: readonly string[]): FileParser {
  const lines = new KeyedLines(keys);
  const slot = new CounterSlot(
    keys.map((key) => ({
      metric: memoryEvents,
      attributes: { 'linux.cgroup.memory.event': key },
      perUnit: 1,
    })),
  );
  return {
    file,
    slots: [slot],
    parse(text, length, scope) {
      if (lines.parse(text, length) < keys.length) return false;
      slot.update(lines.counts, scope);
      return true;
    },
  };
}

export const limitFiles = {
  1: { file: 'memory.limit_in_bytes', metric: memoryLimit },
  2: { file: 'memory.max', metric: memoryLimit },
} as const;
