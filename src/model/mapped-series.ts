import type { Series } from './series.js';

/**
 * The last readings of the series in one table, in an array: a number object per series would take twice the
 * memory.
 */
export class Readings {
  /** One per column. NaN: no reading. */
  readonly values: Float64Array;
  /** Unix time in nanoseconds of the last forwarded row. */
  at = -Infinity;
  /** Epoch and offset of that row, which are exact; undefined: no row. */
  epoch: bigint | undefined;
  offset = 0;

  constructor(columns: number) {
    this.values = new Float64Array(columns).fill(NaN);
  }

  /** Time of the last row, Unix time in nanoseconds. */
  get time(): bigint | undefined {
    return this.epoch === undefined ? undefined : this.epoch + BigInt(this.offset);
  }

  /** Records that rows up to this one were forwarded. */
  note({ at, epoch, offset }: Pick<Readings, 'at' | 'epoch' | 'offset'>): void {
    this.at = at;
    this.epoch = epoch;
    this.offset = offset;
  }

  /** Takes the reading of a column of others into this column. */
  copy(from: Readings, fromColumn: number, column: number): void {
    this.values[column] = from.values[fromColumn];
    if (from.at > this.at) this.note(from);
  }

  /** Keeps the reading of a member in this column from now on. */
  adopt(member: Member, column: number): void {
    this.copy(member.readings, member.column, column);
    member.readings = this;
    member.column = column;
  }
}

/** A live series that is part of a mapped one. */
export interface Member {
  readonly target: MappedSeries;
  /** Where its last reading is kept. */
  readings: Readings;
  column: number;
  /** Its count before the mapped series started. NaN: unknown before its first reading. */
  base: number;
}

/**
 * How series that become the same are reduced. `first`: the first one represents all. `none`: they are left
 * out. Counters can only be summed.
 */
export type Reduction = 'first' | 'sum' | 'mean' | 'min' | 'max' | 'none';

/** State of a mapped series that has, or had, several members. */
interface Sum {
  /** The members besides the first, in the order of joining. */
  others: Set<Member> | undefined;
  /** Total of the members that have left. */
  retired: number;
  forwarded: number;
  /** Unix time in nanoseconds of the last forwarded row. */
  lastAt: number;
  hasReading: boolean;
}

/**
 * A series that represents one or several series, reduced to one. A sum of counters never decreases: an ended
 * member stays in it with its last value. All other reductions lose ended members. Members that come in
 * different tables count with their last reading. A gap of a gauge is a gap of the sum or mean of gauges;
 * minimum and maximum cover the members that have a reading.
 *
 * It is also the first of its members, as most series have a single one: two objects would take 56 bytes more.
 */
export class MappedSeries implements Member {
  readonly series: Series;
  readonly #reduction: Reduction;
  readings = noReadings;
  column = 0;
  base = 0;
  /** Its first member. */
  #first: Member | undefined;
  /** Allocated on demand. */
  #sum: Sum | undefined;

  constructor(series: Series, reduction = findReduction(series)) {
    this.series = series;
    this.#reduction = series.metric.kind === 'counter' ? 'sum' : reduction;
  }

  get target(): this {
    return this;
  }

  /** Whether its value is that of its only member. */
  get isPlain(): boolean {
    const { others, retired = 0 } = this.#sum ?? {};
    return this.#first?.base === 0 && others === undefined && retired === 0 && !this.isLeftOut;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Whether it has no points. */
  get isLeftOut(): boolean {
    return this.#reduction === 'none';
  }

  /** Whether one member represents all. */
  get isChosen(): boolean {
    return this.#reduction === 'first';
  }

  /** Whether this member represents all. */
  isFirst(member: Member): boolean {
    return this.#first === member;
  }

  /**
   * @param start that of the member, Unix time in nanoseconds
   * @param column of the readings: in which the reading of the member is kept
   */
  join(start: bigint, readings = new Readings(1), column = 0): Member {
    const isCounter = this.series.metric.kind === 'counter';
    // What the member counted before this series started is not part of this series.
    const base = isCounter && start < this.series.start ? NaN : 0;
    if (this.#first !== undefined) return this.#add({ target: this, readings, column, base });
    this.readings = readings;
    this.column = column;
    this.base = base;
    this.#first = this;
    return this;
  }

  /**
   * Moves a live series from another mapped series, which counted it so far: only later growth is counted here.
   * @param start as in `join`
   */
  takeOver({ readings, column }: Pick<Member, 'readings' | 'column'>, start: bigint): Member {
    // Its last reading was forwarded by the other mapped series.
    if (this.#first === undefined) this.#openSum();
    const member = this.join(start, readings, column);
    const counted = readings.values[column];
    if (this.series.metric.kind === 'counter' && !Number.isNaN(counted)) member.base = counted;
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
    // The readings of a whole table are not kept for a member that has left.
    if (member === this) this.readings = noReadings;
  }

  /** Takes the reading of a member from a cell. A NaN (gap) changes only gauges. */
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
   * Writes the value after the readings of one row into a cell: NaN if the row has no reading, or is older than
   * one already forwarded, since members in different tables lag by a table. Numbers are passed in arrays,
   * since number arguments would be allocated on the heap.
   * @param instant Unix time in nanoseconds of the row
   */
  write(instant: Float64Array, values: Float64Array, cell: number): void {
    const at = instant[0];
    const state = this.#openSum();
    // A sum of counters may be published again for the same instant with more in it. A gauge has one value per
    // instant.
    const isOver = at < state.lastAt || (at === state.lastAt && this.series.metric.kind === 'gauge');
    if (!state.hasReading || isOver) {
      values[cell] = NaN;
      return;
    }
    state.hasReading = false;
    state.lastAt = at;
    // A sum in which a member without a reading counts as 0.
    const isSum = this.#reduction === 'sum' && this.series.metric.kind !== 'gauge';
    if (isSum) this.#writeSum(state, values, cell);
    else this.#writeReduced(state, values, cell);
  }

  #writeSum(state: Sum, values: Float64Array, cell: number): void {
    let sum = state.retired;
    if (this.#first !== undefined) sum += contributionOf(this.#first);
    if (state.others !== undefined) for (const member of state.others) sum += contributionOf(member);
    // A member that leaves changes the order of summation, and so the last bits.
    if (this.series.metric.kind === 'counter') sum = Math.max(sum, state.forwarded);
    state.forwarded = sum;
    values[cell] = sum;
  }

  /** Mean, minimum or maximum of the members' readings, or the sum of gauges. */
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

  #add(member: Member): Member {
    const wasPlain = this.isPlain;
    const sum = this.#openSum();
    if (wasPlain && this.#first !== undefined) noteAlone(sum, this.#first);
    (sum.others ??= new Set()).add(member);
    return member;
  }

  /** @param only the member that was the only one so far */
  #openSum(only = this.#first): Sum {
    if (this.#sum !== undefined) return this.#sum;
    this.#sum = { others: undefined, retired: 0, forwarded: -Infinity, lastAt: -Infinity, hasReading: false };
    if (only !== undefined) noteAlone(this.#sum, only);
    return this.#sum;
  }
}

/** Of a mapped series that has not had any member. */
const noReadings = new Readings(1);

/** The readings of a single member were forwarded, too. */
function noteAlone(sum: Sum, { readings, column }: Member): void {
  if (sum.lastAt > -Infinity && readings.at <= sum.lastAt) return;
  sum.lastAt = readings.at;
  sum.hasReading ||= !Number.isNaN(readings.values[column]);
}

/** NaN: no reading. */
function readingOf({ readings, column }: Member): number {
  return readings.values[column];
}

function contributionOf({ readings, column, base }: Member): number {
  const last = readings.values[column];
  return Number.isNaN(base) || Number.isNaN(last) ? 0 : last - base;
}

/** The sum of gauges is not meaningful in general. */
function findReduction({ metric }: Series): Reduction {
  return metric.kind === 'gauge' ? 'first' : 'sum';
}
