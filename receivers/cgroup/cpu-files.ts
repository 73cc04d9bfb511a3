import { cgroupField } from '../../src/linux/bpf/cgroup-loop.js';
import { readLong } from '../../src/linux/bpf/read-long.js';
import { parseNumbers } from '../../src/linux/procfs.js';
import { ATTR_CPU_MODE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import { cgroupCpuTime } from '../../src/model/usage-metrics.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import type { FileParser } from './file-reader.js';
import { hasKeyAt, KeyedLines } from './keyed-lines.js';
import { containerCpuTime, periods, throttledPeriods, throttledTime } from './metrics.js';
import { CounterSlot, type Slot, type SlotScope } from './slots.js';
import { UserShare } from './user-share.js';

const usPerSecond = 1e6;
const nsPerSecond = 1e9;

/**
 * For the root, the kernel sums samples taken at ticks of up to 10 ms. That sum can be slightly lower than the
 * previous one.
 */
const mayFall = 20_000;

export const modes: readonly Attributes[] = [{ [ATTR_CPU_MODE]: 'user' }, { [ATTR_CPU_MODE]: 'system' }];

/** The CPU time of a container is published under both names. */
export const metricsOf = (isContainer: boolean): readonly Metric[] =>
  isContainer ? [cgroupCpuTime, containerCpuTime] : [cgroupCpuTime];

function describeThrottling(perUnit: number): readonly CounterColumn[] {
  return [
    { metric: periods, attributes: {}, perUnit: 1 },
    { metric: throttledPeriods, attributes: {}, perUnit: 1 },
    { metric: throttledTime, attributes: {}, perUnit },
  ];
}

/** Without a quota, periods are not counted: then there are no series. */
class Throttling {
  readonly slot: CounterSlot;
  readonly #counts = new Counts(3);

  constructor(perUnit: number) {
    this.slot = new CounterSlot(describeThrottling(perUnit));
  }

  /** @param counts undefined: there is no quota */
  update(counts: Counts | undefined, first: number, scope: SlotScope): void {
    if (counts === undefined || counts.read(first) === 0) return this.slot.end(scope);
    for (let i = 0; i < 3; i++) this.#counts.copy(i, counts, first + i);
    this.slot.update(this.#counts, scope);
  }
}

// Shared by all cgroups: the result is used before the next file is parsed.
const cpuStat = new KeyedLines(['user_usec', 'system_usec', 'nr_periods', 'nr_throttled', 'throttled_usec']);
const throttlingKey = 2;
const quota = new Counts(3);

const usageKey = Buffer.from('usage_usec ');
const usageTime = new Float64Array(1);

/** @returns the microseconds in the first line of `cpu.stat`; NaN if there are none */
function parseUsage(text: Uint8Array): number {
  return hasKeyAt(text, 0, usageKey) && parseNumbers(text, usageKey.length, usageTime) > 0
    ? usageTime[0]
    : NaN;
}

/** `cpu.stat` of version 2: CPU time, which does not require the controller, and throttling. */
export class CpuStat implements FileParser {
  readonly file = 'cpu.stat';
  readonly slots: readonly Slot[];
  readonly #time: CounterSlot;
  readonly #throttling = new Throttling(usPerSecond);
  readonly #counts: Counts;
  readonly #share = new UserShare();
  /** Whether a value ever came from a pass over all cgroups, which divides CPU time into modes differently. */
  #isCounted = false;
  /** Microseconds in the text that `isSame` last compared; NaN: none. */
  #seenUsage = NaN;
  #lastUsage = NaN;

  constructor(isContainer: boolean) {
    const columns = metricsOf(isContainer).flatMap((metric) =>
      modes.map((attributes) => ({ metric, attributes, perUnit: usPerSecond, mayFall })),
    );
    this.#time = new CounterSlot(columns);
    this.#counts = new Counts(columns.length);
    this.slots = [this.#time, this.#throttling.slot];
  }

  /** If the CPU time has not changed, neither mode has. A throttled cgroup can have waited without using CPU time. */
  isSame(text: Buffer): boolean {
    this.#seenUsage = parseUsage(text);
    return this.#seenUsage === this.#lastUsage && this.#hasOnlyTimes;
  }

  parse(text: Buffer, length: number, scope: SlotScope): boolean {
    cpuStat.parse(text, length);
    if (!cpuStat.has(0) || !cpuStat.has(1)) return false;
    this.#takeModes(cpuStat.counts);
    this.#time.update(this.#counts, scope);
    const hasQuota = cpuStat.has(throttlingKey);
    this.#throttling.update(hasQuota ? cpuStat.counts : undefined, throttlingKey, scope);
    this.#lastUsage = Number.isNaN(this.#seenUsage) ? parseUsage(text) : this.#seenUsage;
    this.#seenUsage = NaN;
    return true;
  }

  takeRecord(words: Uint32Array, at: number, scope: SlotScope): boolean {
    const usage = readLong(words, at + cgroupField.usage);
    if (usage === this.#lastUsage && this.#hasOnlyTimes) return false;
    this.#isCounted = true;
    this.#lastUsage = usage;
    this.#share.update(
      usage,
      readLong(words, at + cgroupField.user),
      readLong(words, at + cgroupField.system),
    );
    this.#setModes();
    this.#time.update(this.#counts, scope);
    quota.set(0, words[at + cgroupField.periods]);
    quota.set(1, words[at + cgroupField.throttledPeriods]);
    quota.set(2, readLong(words, at + cgroupField.throttled));
    this.#throttling.update(quota, 0, scope);
    return true;
  }

  /** Whether its only series are those of CPU time. It has none at first, and after its series have ended. */
  get #hasOnlyTimes(): boolean {
    return this.#time.series.length > 0 && this.#throttling.slot.series.length === 0;
  }

  #takeModes(counts: Counts): void {
    const [user, system] = [counts.read(0), counts.read(1)];
    if (this.#isCounted) {
      this.#share.update(user + system, user, system);
      return this.#setModes();
    }
    this.#share.user = user;
    this.#share.system = system;
    for (let i = 0; i < this.#counts.units.length; i++) this.#counts.copy(i, counts, i % 2);
  }

  #setModes(): void {
    const { user, system } = this.#share;
    for (let i = 0; i < this.#counts.units.length; i++) this.#counts.set(i, i % 2 === 0 ? user : system);
  }
}

const cpuStatOfFirst = new KeyedLines(['nr_periods', 'nr_throttled', 'throttled_time']);

/** `cpu.stat` of version 1: throttling. */
export function createThrottling(): FileParser {
  const throttling = new Throttling(nsPerSecond);
  return {
    file: 'cpu.stat',
    slots: [throttling.slot],
    parse(text, length, scope) {
      if (cpuStatOfFirst.parse(text, length) < 3) return false;
      throttling.update(cpuStatOfFirst.counts, 0, scope);
      return true;
    },
  };
}
