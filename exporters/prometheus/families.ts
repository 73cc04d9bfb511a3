import { createPlans, findOrAdd } from '../../src/model/plan.js';
import type { Metric, Series } from '../../src/model/series.js';
import { LargeMap } from '../../src/prometheus/large-map.js';
import { describeMetric, isSameMetric, nameFamily, type FamilyName } from '../../src/prometheus/names.js';
import { BlockText, type LineText } from './block.js';

/** One line of the page. */
export interface Entry {
  /** The series whose values it shows: the newest one if several have the same labels. */
  series: Series;
  readonly family: Family;
  readonly labels: string;
  readonly block: Block;
  /** Index of its value in the block; -1: it is no longer on the page. */
  index: number;
  /** CLOCK_MONOTONIC in milliseconds at which the series ended; undefined while it is live. */
  endedMs: number | undefined;
}

/** A fraction of a millisecond of work. */
const maxLines = 128;
/** Most families have few lines. */
const minLines = 4;

/** Some lines of a family. Changes in one block do not affect the text of the others. */
export class Block {
  readonly #texts = new Map<LineText<Entry>, BlockText<Entry>>();
  #entries: Entry[] = [];
  #isTaken = false;
  #values = new Float64Array(minLines);

  get size(): number {
    return this.#entries.length;
  }

  /** The last readings of its lines. NaN: no reading, and then no line. A value written at -1 is discarded. */
  get values(): Float64Array {
    return this.#values;
  }

  /** The current lines: the same array until they change; later changes of the block do not affect it. */
  take(): readonly Entry[] {
    this.#isTaken = true;
    return this.#entries;
  }

  add(entry: Entry): void {
    const { size } = this;
    if (size === this.#values.length) this.#values = copyInto(new Float64Array(2 * size), this.#values);
    this.#values[size] = NaN;
    entry.index = size;
    this.#change().push(entry);
  }

  remove(entry: Entry): void {
    const entries = this.#change();
    const { index } = entry;
    entries.splice(index, 1);
    this.#values.copyWithin(index, index + 1);
    for (let i = index; i < entries.length; i++) entries[i].index = i;
    entry.index = -1;
  }

  /** Something other than the value of a line has changed. */
  touch(): void {
    this.#change();
  }

  /** The bytes of its lines, cached for each kind of text. */
  textOf(text: LineText<Entry>): BlockText<Entry> {
    return findOrAdd(this.#texts, text, () => new BlockText(text));
  }

  #change(): Entry[] {
    if (this.#isTaken) this.#entries = [...this.#entries];
    this.#isTaken = false;
    return this.#entries;
  }
}

/** The series with the same metric name. */
export class Family implements FamilyName {
  readonly metric: Metric;
  readonly sample: string;
  readonly family: string;
  readonly unit: string;
  /** Unix time in nanoseconds of its last reading; not maintained for counters. */
  newestNs = -Infinity;
  #isUnknown: boolean;
  readonly #byLabels = new LargeMap<string, Entry>();
  readonly #blocks = new Set<Block>();
  readonly #roomy = new Set<Block>();

  constructor(metric: Metric, { sample, family, unit }: FamilyName) {
    this.metric = metric;
    this.sample = sample;
    this.family = family;
    this.unit = unit;
    this.#isUnknown = metric.kind === 'counter' && family === sample;
  }

  /** Whether it is a counter that cannot be one in OpenMetrics, and has the name of its samples there. */
  get isUnknown(): boolean {
    return this.#isUnknown;
  }

  /** Gives up its name in OpenMetrics for another family. */
  yieldName(): void {
    this.#isUnknown = true;
  }

  get blocks(): Iterable<Block> {
    return this.#blocks;
  }

  find(labels: string): Entry | undefined {
    return this.#byLabels.get(labels);
  }

  add(series: Series, labels: string): Entry {
    const block = this.#findRoom();
    const entry = { series, family: this, labels, block, index: -1, endedMs: undefined };
    this.#byLabels.add(labels, entry);
    block.add(entry);
    if (block.size >= maxLines) this.#roomy.delete(block);
    return entry;
  }

  /** @returns false if another entry now has its labels */
  remove(entry: Entry): boolean {
    const { labels, block } = entry;
    if (this.#byLabels.get(labels) !== entry) return false;
    this.#byLabels.delete(labels);
    block.remove(entry);
    this.#roomy.add(block);
    if (block.size === 0) {
      this.#blocks.delete(block);
      this.#roomy.delete(block);
    }
    return true;
  }

  #findRoom(): Block {
    for (const block of this.#roomy) return block;
    const block = new Block();
    this.#blocks.add(block);
    this.#roomy.add(block);
    return block;
  }
}

function copyInto(to: Float64Array<ArrayBuffer>, from: Float64Array): Float64Array<ArrayBuffer> {
  to.set(from);
  return to;
}

/** The families by name; names are unique. */
export class Families {
  readonly #bySample = new Map<string, Family>();
  /** By their names in OpenMetrics. */
  readonly #counters = new Map<string, Family>();
  readonly #reserved: Set<string>;
  readonly #warned = new Set<string>();
  readonly #warn: (message: string) => void;

  /** @param reserved names that no metric may have */
  constructor(reserved: readonly string[], warn: (message: string) => void) {
    this.#reserved = new Set(reserved);
    this.#warn = warn;
  }

  /** The family of a metric; null, with one warning, if its name is used by a different metric. */
  readonly find = createPlans((metric: Metric) => this.#claim(metric) ?? null);

  /** Reserves names for a histogram. @returns false if one of them is in use */
  reserve(names: readonly string[]): boolean {
    if (
      names.some((name) => this.#bySample.has(name) || this.#counters.has(name) || this.#reserved.has(name))
    )
      return false;
    for (const name of names) this.#reserved.add(name);
    return true;
  }

  #claim(metric: Metric): Family | undefined {
    const name = nameFamily(metric);
    const known = this.#bySample.get(name.sample);
    if (known && isSameMetric(known.metric, metric)) return known;
    if (known || this.#reserved.has(name.sample) || this.#reserved.has(name.family)) {
      this.#refuse(metric, name.sample, known?.metric);
      return undefined;
    }
    return this.#add(new Family(metric, name));
  }

  /** In OpenMetrics a gauge `x` and a counter `x_total` would both be `x`: there the counter is unknown. */
  #add(family: Family): Family {
    if (this.#bySample.has(family.family)) family.yieldName();
    this.#counters.get(family.sample)?.yieldName();
    this.#bySample.set(family.sample, family);
    if (family.metric.kind === 'counter') this.#counters.set(family.family, family);
    return family;
  }

  /** Sorted by name. */
  list(): readonly Family[] {
    return [...this.#bySample.values()].toSorted((a, b) => (a.sample < b.sample ? -1 : 1));
  }

  #refuse(metric: Metric, sample: string, holder: Metric | undefined): void {
    const refused = describeMetric(metric);
    if (this.#warned.has(refused)) return;
    this.#warned.add(refused);
    const taken = holder ? describeMetric(holder) : 'another metric';
    this.#warn(`Cannot expose ${refused} as "${sample}": ${taken} has this name`);
  }
}
