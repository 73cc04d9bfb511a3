import { Readings, type MappedSeries, type Member, type Reduction } from './mapped-series.js';
import { MappedTargets } from './mapped-targets.js';
import { inheritPublisher, type Series } from './series.js';
import { findLatestRow, type Table } from './table.js';

/** What is done with each series, once per series. */
export interface SeriesMapping {
  /**
   * What becomes of a series: another one with the same kind of metric, or itself.
   * @param movedAt of a series that is moved: since when it counts in what it becomes, Unix time in nanoseconds
   */
  map(series: Series, movedAt?: bigint): Series;
  /**
   * What becomes of several that are the same then. Where it gives nothing, counters and up-down counters are summed,
   * and of gauges the first one stays. Counters are always summed.
   */
  reductionOf?(mapped: Series): Reduction | undefined;
  /** Whether a mapped series stays, with what it counted, when all that became it have ended. */
  isKept?(mapped: Series): boolean;
  /** Notified of a gauge that becomes the same as a live one and is left out for that reason. */
  onConflict(mapped: Series): void;
}

interface Column {
  readonly target: MappedSeries;
  /** The column that it is a copy of; -1: a sum. */
  readonly source: number;
}

/** How the tables with one array of series are changed. */
interface Plan {
  readonly generation: number;
  /** One per column of the table that comes. */
  readonly members: readonly Member[];
  /** Of the members, by column. */
  readonly readings: Readings;
  /** One per column of the table that goes; undefined: the same columns as before. */
  readonly columns: readonly Column[] | undefined;
  readonly series: readonly Series[];
}

/**
 * Gives tables other series, as renaming and dropping attributes does. Where several live series become the
 * same, counters and up-down counters are summed, and of gauges the first one stays. What two receivers publish is
 * never joined.
 */
export class SeriesMap {
  readonly #mapping: SeriesMapping;
  readonly #plans = new WeakMap<readonly Series[], Plan>();
  readonly #members = new Map<Series, Member>();
  readonly #targets = new MappedTargets();
  /** Differs when plans made before may be wrong now. */
  #generation = 0;

  constructor(mapping: SeriesMapping) {
    this.#mapping = mapping;
  }

  /** @returns the table itself where nothing is to be changed; undefined when nothing of it is left */
  apply(table: Table): Table | undefined {
    // A series that a new one replaces ends before that one begins; one with a last row in this table, after.
    const [last, gone] = splitEnded(table);
    const ended = this.#end(gone);
    const plan = this.#planOf(table.series);
    const values = plan.columns ? recutValues(table, plan, plan.columns) : keepValues(table, plan);
    ended.push(...this.#end(last));
    if (plan.series === table.series && isSame(ended, table.ended)) return table;
    if (plan.series.length === 0 && ended.length === 0) return undefined;
    return {
      series: plan.series,
      epoch: table.epoch,
      offsets: plan.series.length === 0 ? new Float64Array(0) : table.offsets,
      values,
      ...(ended.length > 0 && { ended }),
    };
  }

  /**
   * Asks again what becomes of live series: what they counted so far stays in what they were.
   * @returns the mapped series that ended with that
   */
  move(moved: readonly Series[]): readonly Series[] {
    const ended = moved.flatMap((series) => this.#move(series));
    this.#generation += 1;
    return ended;
  }

  #move(series: Series): readonly Series[] {
    const before = this.#members.get(series);
    if (before === undefined) return [];
    const { readings, column } = before;
    const ended = this.#leave(before);
    const target = this.#findTarget(series, readings.time ?? series.start);
    this.#members.set(series, target.takeOver({ readings, column }, series.start));
    return ended;
  }

  #planOf(series: readonly Series[]): Plan {
    const known = this.#plans.get(series);
    if (known?.generation === this.#generation) return known;
    const plan = this.#createPlan(series, known?.series);
    this.#plans.set(series, plan);
    return plan;
  }

  #createPlan(series: readonly Series[], previous: readonly Series[] | undefined): Plan {
    const readings = new Readings(series.length);
    const known = series.map((one) => this.#members.get(one));
    const unknown = [...series.entries()].filter(([column]) => known[column] === undefined);
    // The oldest first, so that a sum begins with its oldest member.
    for (const [column, one] of unknown.toSorted(([, a], [, b]) => compareStarts(a, b))) {
      known[column] = this.#members.get(one) ?? this.#join(one, readings, column);
    }
    const members = known.flatMap((member) => member ?? []);
    adoptAll(readings, members);
    const columns = members.every(({ target }) => target.isPlain) ? undefined : createColumns(members);
    const mapped = (columns ?? members).map(({ target }) => target.series);
    return {
      generation: this.#generation,
      members,
      readings,
      columns,
      series: [series, previous].find((array) => isSame(mapped, array)) ?? mapped,
    };
  }

  #join(series: Series, readings: Readings, column: number): Member {
    const target = this.#findTarget(series);
    const isShared = !target.isEmpty;
    const member = target.join(series.start, readings, column);
    this.#members.set(series, member);
    if (isShared) this.#generation += 1;
    if (isShared && target.isChosen) this.#mapping.onConflict(target.series);
    return member;
  }

  #findTarget(series: Series, movedAt?: bigint): MappedSeries {
    const mapped = this.#mapping.map(series, movedAt);
    inheritPublisher(mapped, series);
    return this.#targets.find(mapped) ?? this.#targets.add(mapped, this.#mapping.reductionOf?.(mapped));
  }

  /** @returns the mapped series that ended with these */
  #end(ended: readonly Series[]): Series[] {
    return ended.flatMap((series) => {
      const member = this.#members.get(series);
      if (!member) return [];
      this.#members.delete(series);
      return this.#leave(member);
    });
  }

  /** @returns the mapped series, if it ended with this member */
  #leave(member: Member): readonly Series[] {
    const { target } = member;
    target.leave(member);
    if (!target.isEmpty || this.#mapping.isKept?.(target.series)) {
      this.#generation += 1;
      return [];
    }
    this.#targets.remove(target.series);
    return target.isLeftOut ? [] : [target.series];
  }
}

function createColumns(members: readonly Member[]): readonly Column[] {
  const columns = new Map<MappedSeries, Column>();
  for (const [source, member] of members.entries()) {
    const { target } = member;
    if (target.isLeftOut) continue;
    if (target.isPlain) columns.set(target, { target, source });
    else if (!target.isChosen) columns.set(target, { target, source: -1 });
    else if (target.isFirst(member)) columns.set(target, { target, source });
  }
  return [...columns.values()];
}

/** A series may have come in another array meanwhile. */
function adoptAll(readings: Readings, members: readonly Member[]): void {
  for (let column = 0; column < members.length; column++) {
    if (members[column].readings !== readings) readings.adopt(members[column], column);
  }
}

/** Remembers the last readings, in case that another series joins later. */
function keepValues(table: Table, { members, readings }: Plan): Float64Array {
  const lastRow = table.offsets.length - 1;
  if (lastRow < 0) return table.values;
  adoptAll(readings, members);
  for (let column = 0; column < members.length; column++) {
    const row = findLatestRow(table, column);
    if (row >= 0) readings.values[column] = table.values[row * members.length + column];
  }
  noteLastRow(table, readings);
  return table.values;
}

function recutValues(table: Table, { members, readings }: Plan, columns: readonly Column[]): Float64Array {
  const rows = table.offsets.length;
  const epoch = Number(table.epoch);
  const values = new Float64Array(rows * columns.length);
  const instant = new Float64Array(1);
  adoptAll(readings, members);
  for (let row = 0; row < rows; row++) {
    const from = row * members.length;
    for (let i = 0; i < members.length; i++) members[i].target.take(members[i], table.values, from + i);
    instant[0] = epoch + table.offsets[row];
    for (let i = 0; i < columns.length; i++) {
      const { source, target } = columns[i];
      const cell = row * columns.length + i;
      if (source < 0) target.write(instant, values, cell);
      else values[cell] = table.values[from + source];
    }
    readings.at = instant[0];
  }
  if (rows > 0) noteLastRow(table, readings);
  return values;
}

function noteLastRow({ epoch, offsets }: Table, readings: Readings): void {
  const offset = offsets[offsets.length - 1];
  readings.at = Number(epoch) + offset;
  readings.epoch = epoch;
  readings.offset = offset;
}

/** Those that ended with a row in this table, and those that ended before. */
function splitEnded({ series, ended = [] }: Table): readonly [Series[], readonly Series[]] {
  if (ended.length === 0 || series.length === 0) return [[], ended];
  const columns = new Set(series);
  return [ended.filter((one) => columns.has(one)), ended.filter((one) => !columns.has(one))];
}

function isSame(one: readonly unknown[], other: readonly unknown[] | undefined): boolean {
  return one.length === (other?.length ?? 0) && one.every((item, i) => item === other?.[i]);
}

function compareStarts(a: Series, b: Series): number {
  if (a.start === b.start) return 0;
  return a.start < b.start ? -1 : 1;
}
