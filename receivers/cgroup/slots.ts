import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { Counters, type CounterColumn } from '../../src/scraping/counter-table.js';
import type { Counts } from '../../src/scraping/counts.js';

/** Related series of a cgroup, and their last values. */
export interface Slot {
  readonly series: readonly Series[];
  readonly values: Float64Array;
  /** Ends its series. The next reading starts new ones. */
  end(scope: SlotScope): void;
}

/** What the slots of one file share to start and end series. */
export interface SlotScope {
  readonly resource: Resource;
  /** Unix time in nanoseconds of the current reading. */
  nowNs: bigint;
  /**
   * Start time of counters that the last reading did not have: the creation of the cgroup, or that reading.
   * Undefined: unknown.
   */
  zeroAtNs: bigint | undefined;
  /** Whether series have started or ended since this was last set to false. */
  isChanged: boolean;
  /** Series that have no further row. */
  readonly ended: Series[];
}

const noSeries: readonly Series[] = [];
const noValues = new Float64Array(0);

/** Counters that appear, reset and disappear together. */
export class CounterSlot implements Slot {
  readonly #columns: readonly CounterColumn[];
  #counters: Counters | undefined;

  constructor(columns: readonly CounterColumn[]) {
    this.#columns = columns;
  }

  get series(): readonly Series[] {
    return this.#counters?.series ?? noSeries;
  }

  get values(): Float64Array {
    return this.#counters?.values ?? noValues;
  }

  /** Takes a reading. One that does not continue the last one starts new series. */
  update(counts: Counts, scope: SlotScope): void {
    if (this.#counters === undefined) this.#start(counts, scope, scope.zeroAtNs);
    else if (this.#counters.wasReset(counts)) this.#restart(counts, scope);
    else this.#counters.update(counts);
  }

  end(scope: SlotScope): void {
    if (this.#counters === undefined) return;
    scope.ended.push(...this.#counters.series);
    scope.isChanged = true;
    this.#counters = undefined;
  }

  #restart(counts: Counts, scope: SlotScope): void {
    this.end(scope);
    this.#start(counts, scope, undefined);
  }

  #start(counts: Counts, scope: SlotScope, zeroAtNs: bigint | undefined): void {
    const { resource, nowNs } = scope;
    const start = zeroAtNs ?? nowNs;
    this.#counters = new Counters(this.#columns, {
      resource,
      start,
      ...(zeroAtNs === undefined && { counts }),
    });
    this.#counters.update(counts);
    scope.isChanged = true;
  }
}

/** A gauge or an up-down counter of a cgroup. */
export interface GaugeColumn {
  readonly metric: Metric;
  readonly attributes: Attributes;
}

/** Gauges and up-down counters, each with a series only while it has a value. */
export class GaugeSlot implements Slot {
  series: readonly Series[] = noSeries;
  values = noValues;
  readonly #columns: readonly GaugeColumn[];
  readonly #byColumn: (Series | undefined)[];

  constructor(columns: readonly GaugeColumn[]) {
    this.#columns = columns;
    this.#byColumn = columns.map(() => undefined);
  }

  /**
   * Takes a reading.
   * @param read in the order of the columns; NaN: currently unknown; Infinity: no such value
   */
  update(read: Float64Array, scope: SlotScope): void {
    if (this.#matches(read) || this.#choose(read, scope)) this.#take(read);
  }

  end(scope: SlotScope): void {
    if (this.series.length === 0) return;
    scope.ended.push(...this.series);
    scope.isChanged = true;
    this.#byColumn.fill(undefined);
    this.series = noSeries;
    this.values = noValues;
  }

  #take(read: Float64Array): void {
    let at = 0;
    for (let i = 0; i < read.length; i++) if (this.#byColumn[i] !== undefined) this.values[at++] = read[i];
  }

  /** Whether the series are exactly those of the columns that have a value. */
  #matches(read: Float64Array): boolean {
    for (let i = 0; i < read.length; i++) {
      const hasSeries = this.#byColumn[i] !== undefined;
      if (hasSeries ? read[i] === Infinity : Number.isFinite(read[i])) return false;
    }
    return true;
  }

  #choose(read: Float64Array, scope: SlotScope): true {
    this.#columns.forEach(({ metric, attributes }, i) => {
      const series = this.#byColumn[i];
      if (series !== undefined && read[i] === Infinity) {
        scope.ended.push(series);
        this.#byColumn[i] = undefined;
      } else if (series === undefined && Number.isFinite(read[i])) {
        this.#byColumn[i] = { metric, attributes, resource: scope.resource, start: scope.nowNs };
      }
    });
    this.series = this.#byColumn.filter((series) => series !== undefined);
    this.values = new Float64Array(this.series.length);
    scope.isChanged = true;
    return true;
  }
}
