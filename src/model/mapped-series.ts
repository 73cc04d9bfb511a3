import type { Series } from './series.js';

/** A live series on its way into a mapped one. */
export interface Member {
  readonly target: MappedSeries;
  /** Its last reading. */
  last: number;
  /** What it had counted before the mapped series began. NaN: its first reading, not seen so far, will tell. */
  base: number;
}

/**
 * A series that stands for one series or for the sum of several. A sum of counters never falls: an ended member
 * stays in it with its last value. A sum of up-down counters loses the members that end. Gauges have no sum:
 * the member that was there first speaks for all.
 */
export class MappedSeries {
  readonly series: Series;
  /** Unix time in nanoseconds of the last row that was passed on. */
  lastAt = -Infinity;
  /** Whether its value is just that of its only member. */
  isPlain = true;
  /** Its first member; most have no other, and a set for each would take more memory than all else of it. */
  #first: Member | undefined;
  /** The others, in the order in which they joined. */
  #others: Set<Member> | undefined;
  #retired = 0;
  #forwarded = -Infinity;
  #hasReading = false;

  constructor(series: Series) {
    this.series = series;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  get isGauge(): boolean {
    return this.series.metric.kind === 'gauge';
  }

  /** Whether this member's values are those of a gauge with several members. */
  isFirst(member: Member): boolean {
    return this.#first === member;
  }

  /** @param start that of the member, Unix time in nanoseconds */
  join(start: bigint): Member {
    const isCounter = this.series.metric.kind === 'counter';
    // What it counted before this series began is nothing that this series counted.
    const base = isCounter && start < this.series.start ? NaN : 0;
    const member = { target: this, last: 0, base };
    if (this.#first === undefined) this.#first = member;
    else (this.#others ??= new Set()).add(member);
    this.#updatePlain();
    return member;
  }

  leave(member: Member): void {
    if (this.#first === member) {
      [this.#first] = this.#others ?? [];
      if (this.#first !== undefined) this.#others?.delete(this.#first);
    } else this.#others?.delete(member);
    if (this.#others?.size === 0) this.#others = undefined;
    if (this.series.metric.kind === 'counter') this.#retired += contributionOf(member);
    this.#updatePlain();
  }

  /** Takes a member's reading, in a cell, into the sum. NaN, a gap, changes nothing. */
  take(member: Member, values: Float64Array, cell: number): void {
    const value = values[cell];
    if (Number.isNaN(value)) return;
    if (Number.isNaN(member.base)) member.base = value;
    member.last = value;
    this.#hasReading = true;
  }

  /**
   * Writes the sum after the readings of one row into a cell: NaN when the row had no reading, or is older than one
   * passed on already, since members that come in different tables lag by a table. The numbers are in arrays: passed
   * by themselves, each would be an object on the heap.
   * @param instant Unix time in nanoseconds of the row
   */
  writeSum(instant: Float64Array, values: Float64Array, cell: number): void {
    const at = instant[0];
    if (!this.#hasReading || at < this.lastAt) {
      values[cell] = NaN;
      return;
    }
    this.#hasReading = false;
    this.lastAt = at;
    let sum = this.#retired;
    if (this.#first !== undefined) sum += contributionOf(this.#first);
    if (this.#others !== undefined) for (const member of this.#others) sum += contributionOf(member);
    // A member that left changes the order of summing, and with it the last bits.
    if (this.series.metric.kind === 'counter') sum = Math.max(sum, this.#forwarded);
    this.#forwarded = sum;
    values[cell] = sum;
  }

  #updatePlain(): void {
    this.isPlain = this.#first?.base === 0 && this.#others === undefined && this.#retired === 0;
  }
}

function contributionOf({ last, base }: Member): number {
  return Number.isNaN(base) ? 0 : last - base;
}
