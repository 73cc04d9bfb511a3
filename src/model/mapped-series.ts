import type { Series } from './series.js';

/** The last readings of series that come in one table: numbers in objects of their own would take twice the memory. */
export class Readings {
  /** One for each column. NaN: there was none. */
  readonly values: Float64Array;
  /** Unix time in nanoseconds of the last row that was passed on. */
  at = -Infinity;
  /** The epoch and the offset of that row, which are exact; undefined: there was none. */
  epoch: bigint | undefined;
  offset = 0;

  constructor(columns: number) {
    this.values = new Float64Array(columns).fill(NaN);
  }

  /** Time of the last row, Unix time in nanoseconds. */
  get time(): bigint | undefined {
    return this.epoch === undefined ? undefined : this.epoch + BigInt(this.offset);
  }

  /** Rows up to this one were passed on. */
  note({ at, epoch, offset }: Pick<Readings, 'at' | 'epoch' | 'offset'>): void {
    this.at = at;
    this.epoch = epoch;
    this.offset = offset;
  }

  /** The reading of a member is kept in this column from now on. */
  adopt(member: Member, column: number): void {
    this.values[column] = member.readings.values[member.column];
    if (member.readings.at > this.at) this.note(member.readings);
    member.readings = this;
    member.column = column;
  }
}

/** A live series on its way into a mapped one. */
export interface Member {
  readonly target: MappedSeries;
  /** Where its last reading is. */
  readings: Readings;
  column: number;
  /** What it had counted before the mapped series began. NaN: not known before its first reading. */
  base: number;
}

/**
 * What becomes of several series that are the same once mapped. `first`: the one that was there first stands for all.
 * `none`: they are left out. Counters can only be summed.
 */
export type Reduction = 'first' | 'sum' | 'mean' | 'min' | 'max' | 'none';

/** What is remembered of a mapped series that is, or was, more than its only member. */
interface Sum {
  /** The members besides the first, in the order in which they joined. */
  others: Set<Member> | undefined;
  /** What members that have left had counted. */
  retired: number;
  forwarded: number;
  /** Unix time in nanoseconds of the last row that was passed on. */
  lastAt: number;
  hasReading: boolean;
}

/**
 * A series that stands for one series or for several, reduced to one. A sum of counters never falls: an ended member
 * stays in it with its last value. Everything else loses the members that end. Members that come in different tables
 * count with their last reading. A gap of a gauge is a gap of the sum or mean of gauges; the least and the greatest
 * are those of the members that have a reading.
 */
export class MappedSeries {
  readonly series: Series;
  readonly #reduction: Reduction;
  /** Whether its value is just that of its only member. */
  isPlain = true;
  /** Its first member. */
  #first: Member | undefined;
  /** Most have no other member, and need nothing of this. */
  #sum: Sum | undefined;

  constructor(series: Series, reduction = findReduction(series)) {
    this.series = series;
    this.#reduction = series.metric.kind === 'counter' ? 'sum' : reduction;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Whether it has no points. */
  get isLeftOut(): boolean {
    return this.#reduction === 'none';
  }

  /** Whether one member stands for all. */
  get isChosen(): boolean {
    return this.#reduction === 'first';
  }

  /** Whether this member stands for all. */
  isFirst(member: Member): boolean {
    return this.#first === member;
  }

  /**
   * @param start that of the member, Unix time in nanoseconds
   * @param column of the readings: where its own is kept
   */
  join(start: bigint, readings = new Readings(1), column = 0): Member {
    const isCounter = this.series.metric.kind === 'counter';
    // What it counted before this series began is nothing that this series counted.
    const base = isCounter && start < this.series.start ? NaN : 0;
    const member = { target: this, readings, column, base };
    if (this.#first === undefined) this.#first = member;
    else this.#addTo(this.#first, member);
    this.#updatePlain();
    return member;
  }

  /**
   * A live series comes from another one that has counted it so far: only what follows is counted here.
   * @param start as in `join`
   */
  takeOver({ readings, column }: Member, start: bigint): Member {
    // Its last reading was passed on by the other one.
    if (this.#first === undefined) this.#openSum();
    const member = this.join(start, readings, column);
    const counted = readings.values[column];
    if (this.series.metric.kind === 'counter' && !Number.isNaN(counted)) member.base = counted;
    this.#updatePlain();
    return member;
  }

  leave(member: Member): void {
    const sum = this.#sum;
    if (this.#first === member) {
      [this.#first] = sum?.others ?? [];
      if (this.#first !== undefined) sum?.others?.delete(this.#first);
    } else sum?.others?.delete(member);
    if (sum?.others?.size === 0) sum.others = undefined;
    const counted = this.series.metric.kind === 'counter' ? contributionOf(member) : 0;
    if (counted !== 0) this.#openSum(member).retired += counted;
    this.#updatePlain();
  }

  /** Takes a member's reading, in a cell. NaN, a gap, changes nothing but of gauges. */
  take(member: Member, values: Float64Array, cell: number): void {
    const value = values[cell];
    if (Number.isNaN(value)) {
      if (this.series.metric.kind === 'gauge') member.readings.values[member.column] = NaN;
      return;
    }
    if (Number.isNaN(member.base)) member.base = value;
    member.readings.values[member.column] = value;
    if (this.#sum !== undefined) this.#sum.hasReading = true;
  }

  /**
   * Writes the value after the readings of one row into a cell: NaN when the row had no reading, or is older than one
   * passed on already, since members that come in different tables lag by a table. The numbers are in arrays: passed
   * by themselves, each would be an object on the heap.
   * @param instant Unix time in nanoseconds of the row
   */
  write(instant: Float64Array, values: Float64Array, cell: number): void {
    const at = instant[0];
    const state = this.#openSum();
    // Of one instant, a sum of counters may be told again with more in it. A gauge has one value then.
    const isOver = at < state.lastAt || (at === state.lastAt && this.series.metric.kind === 'gauge');
    if (!state.hasReading || isOver) {
      values[cell] = NaN;
      return;
    }
    state.hasReading = false;
    state.lastAt = at;
    if (this.#isSum) this.#writeSum(state, values, cell);
    else this.#writeReduced(state, values, cell);
  }

  /** A sum in which what has no reading counts nothing. */
  get #isSum(): boolean {
    return this.#reduction === 'sum' && this.series.metric.kind !== 'gauge';
  }

  #writeSum(state: Sum, values: Float64Array, cell: number): void {
    let sum = state.retired;
    if (this.#first !== undefined) sum += contributionOf(this.#first);
    if (state.others !== undefined) for (const member of state.others) sum += contributionOf(member);
    // A member that left changes the order of summing, and with it the last bits.
    if (this.series.metric.kind === 'counter') sum = Math.max(sum, state.forwarded);
    state.forwarded = sum;
    values[cell] = sum;
  }

  /** The mean, the least or the greatest of the members' readings, or the sum of gauges. */
  #writeReduced({ others }: Sum, values: Float64Array, cell: number): void {
    const reduction = this.#reduction;
    const isAdded = reduction === 'mean' || reduction === 'sum';
    let result = this.#first === undefined ? NaN : readingOf(this.#first);
    if (others !== undefined) {
      for (const member of others) {
        const value = readingOf(member);
        if (isAdded) result += value;
        else if (Number.isNaN(result) || (reduction === 'min' ? value < result : value > result))
          result = value;
      }
      if (reduction === 'mean') result /= 1 + others.size;
    }
    values[cell] = result;
  }

  #addTo(first: Member, member: Member): void {
    const sum = this.#openSum();
    if (this.isPlain) noteAlone(sum, first);
    (sum.others ??= new Set()).add(member);
  }

  /** @param only the member that has spoken alone so far */
  #openSum(only = this.#first): Sum {
    if (this.#sum !== undefined) return this.#sum;
    this.#sum = { others: undefined, retired: 0, forwarded: -Infinity, lastAt: -Infinity, hasReading: false };
    if (only !== undefined) noteAlone(this.#sum, only);
    return this.#sum;
  }

  #updatePlain(): void {
    const { others, retired = 0 } = this.#sum ?? {};
    this.isPlain = this.#first?.base === 0 && others === undefined && retired === 0 && !this.isLeftOut;
  }
}

/** What a member said while it spoke alone was passed on, too. */
function noteAlone(sum: Sum, { readings, column }: Member): void {
  if (sum.lastAt > -Infinity && readings.at <= sum.lastAt) return;
  sum.lastAt = readings.at;
  sum.hasReading ||= !Number.isNaN(readings.values[column]);
}

/** NaN: it has none. */
function readingOf({ readings, column }: Member): number {
  return readings.values[column];
}

function contributionOf({ readings, column, base }: Member): number {
  const last = readings.values[column];
  return Number.isNaN(base) || Number.isNaN(last) ? 0 : last - base;
}

/** Gauges have no sum that is sure to mean something. */
function findReduction({ metric }: Series): Reduction {
  return metric.kind === 'gauge' ? 'first' : 'sum';
}
