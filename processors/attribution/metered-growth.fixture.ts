import type { Series } from '../../src/model/series.js';
import { meteredEnergyNames } from '../../src/model/shared-metrics.js';
import type { Table } from '../../src/model/table.js';
import { busyTime } from '../../src/model/usage-metrics.js';

/** Joules of a counter since it was reset, or since a ledger began. */
interface Segment {
  readonly first: number;
  /** The first different value; undefined: there was none. */
  second: number | undefined;
  last: number;
}

/** Bounds of the energy that the meters of one kind of hardware counted, from the tables that a ledger has consumed. */
export class MeteredGrowth {
  readonly #hwType: string;
  readonly #segments = new Map<Series, Segment>();
  readonly #readAt = new Map<Series, bigint>();
  #busy: Series | undefined;
  /** Without what was counted before the first change, which may belong to an unknown time. */
  leastJ = 0;
  /** With what each series counted before its first reading. */
  mostJ = 0;

  /** @param replacedAt for each ledger that was replaced by another one, the number of tables up to then */
  constructor(hwType: string, tables: readonly Table[], replacedAt: readonly number[] = []) {
    this.#hwType = hwType;
    for (const [i, table] of tables.entries()) {
      if (replacedAt.includes(i)) this.#cut();
      this.#take(table);
    }
    this.#cut();
  }

  #take({ series, values, offsets, epoch }: Table): void {
    for (const [cell, value] of values.entries()) {
      const one = series[cell % series.length];
      const at = epoch + BigInt(offsets[Math.floor(cell / series.length)]);
      if (one.metric.name === busyTime.name && one !== this.#busy) this.#restart(one);
      const isIts = meteredEnergyNames.has(one.metric.name) && one.attributes['hw.type'] === this.#hwType;
      if (isIts && value >= 0 && value < 1e200) this.#read(one, at, value);
    }
  }

  /** Where the usage restarts, the clock may have been set back, and a new ledger may begin. */
  #restart(busy: Series): void {
    this.#busy = busy;
    this.#cut();
  }

  #cut(): void {
    for (const [series, segment] of this.#segments) {
      this.#end(segment);
      this.#segments.set(series, { first: segment.last, second: undefined, last: segment.last });
    }
  }

  #end({ second, last }: Segment): void {
    if (second !== undefined) this.leastJ += last - second;
  }

  #read(series: Series, at: bigint, value: number): void {
    if (at <= (this.#readAt.get(series) ?? 0n)) return;
    this.#readAt.set(series, at);
    const known = this.#segments.get(series);
    this.mostJ += Math.max(0, value - (known?.last ?? 0));
    if (known !== undefined && value >= known.last) {
      if (value > known.first) known.second ??= value;
      known.last = value;
      return;
    }
    if (known) this.#end(known);
    this.#segments.set(series, { first: value, second: undefined, last: value });
  }
}
