import { cgroupField, readLong } from '../../src/linux/bpf/cgroup-loop.js';
import { parseNumbers } from '../../src/linux/procfs.js';
import { ATTR_CPU_MODE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import { cgroupCpuTime } from '../../src/model/usage-metrics.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import type { FileParser } from './file-reader.js';
import { isAt, KeyedLines } from './keyed-lines.js';
import { containerCpuTime, periods, throttledPeriods, throttledTime } from './metrics.js';
import { CounterSlot, type Slot, type SlotScope } from './slots.js';
import { UserShare } from './user-share.js';

const usPerSecond = 1e6;
const nsPerSecond = 1e9;

/** Of the root, the kernel adds up what it samples at ticks of up to 10 ms: that sum can be a little below the last. */
const mayFall = 20_000;

export const modes: readonly Attributes[] = [{ [ATTR_CPU_MODE]: 'user' }, { [ATTR_CPU_MODE]: 'system' }];

/** A container has its CPU time under both names. */
export const metricsOf = (isContainer: boolean): readonly Metric[] =>
  isContainer ? [cgroupCpuTime, containerCpuTime] : [cgroupCpuTime];

function describeThrottling(perUnit: number): readonly CounterColumn[] {
  return [
    { metric: periods, attributes: {}, perUnit: 1 },
    { metric: throttledPeriods, attributes: {}, perUnit: 1 },
    { metric: throttledTime, attributes: {}, perUnit },
  ];
}

/** Periods only pass where there is a quota: without any, there are no series. */
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

// One for all cgroups: what was found is used before the next file is read.
const cpuStat = new KeyedLines(['user_usec', 'system_usec', 'nr_periods', 'nr_throttled', 'throttled_usec']);
const throttlingKey = 2;
const quota = new Counts(3);

const usageKey = Buffer.from('usage_usec ');
const usageTime = new Float64Array(1);

/** @returns the microseconds in the first line of `cpu.stat`, NaN when it has none */
function parseUsage(text: Uint8Array): number {
  return isAt(text, 0, usageKey) && parseNumbers(text, usageKey.length, usageTime) > 0 ? usageTime[0] : NaN;
}

/** `cpu.stat` of version 2: CPU time, also without the controller, and throttling. */
export class CpuStat implements FileParser {
  readonly file = 'cpu.stat';
  readonly slots: readonly Slot[];
  readonly #time: CounterSlot;
  readonly #throttling = new Throttling(usPerSecond);
  readonly #counts: Counts;
  readonly #share = new UserShare();
  /** Whether it was ever taken from a pass over all cgroups, which divides CPU time in its own way. */
  #isCounted = false;
  /** In microseconds, of the text that `isSame` has just seen; NaN: of none. */
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

  /** Where nothing ran, neither mode grew; a cgroup that is throttled can have waited without having run. */
  isSame(text: Buffer): boolean {
    this.#seenUsage = parseUsage(text);
    return this.#seenUsage === this.#lastUsage && this.#throttling.slot.series.length === 0;
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
    if (usage === this.#lastUsage && this.#throttling.slot.series.length === 0) return false;
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
