import { elementAt } from '../element.js';
import { MappedSeries, type Member, type Readings, type Reduction } from './mapped-series.js';
import { MappedTargets } from './mapped-targets.js';
import { inheritPublisher, type Series } from './series.js';
import { maxSoleMembers, SoleMembers } from './sole-members.js';
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
  /** Keeps the last readings, by column. */
  readonly sole: SoleMembers;
  /** One per column of the table that comes; undefined: all columns are sole members. */
  readonly members: readonly Member[] | undefined;
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
  /** Of each live series, the member that it is, or where it is the only one of its mapped series. */
  readonly #members = new Map<Series, Member | SoleMembers>();
  readonly #targets = new MappedTargets((source) => this.#mappedOf(source));
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
    // A series that maps to itself may stand for a sum with series of other tables.
    const isUnchanged = plan.columns === undefined && plan.series === table.series;
    if (isUnchanged && isSame(ended, table.ended)) return table;
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
    const before = this.#memberOf(series);
    if (before === undefined) return [];
    const { readings, column } = before;
    const ended = this.#leave(before);
    const mapped = this.#mapping.map(series, readings.time ?? series.start);
    inheritPublisher(mapped, series);
    const target = this.#findTarget(mapped) ?? this.#addTarget(mapped);
    this.#members.set(series, target.takeOver({ readings, column }, series.start));
    return ended;
  }

  #planOf(series: readonly Series[]): Plan {
    const known = this.#plans.get(series);
    if (known?.generation === this.#generation && (known.members !== undefined || !known.sole.isOutdated))
      return known;
    const plan = this.#createPlan(series, known);
    this.#plans.set(series, plan);
    return plan;
  }

  #createPlan(series: readonly Series[], previous: Plan | undefined): Plan {
    const sole = new SoleMembers(series);
    // Series that come in several arrays in turns would change their place with each table.
    sole.isOutdated = series.length > maxSoleMembers || previous?.sole.isOutdated === true;
    const unknown = [...series.entries()].filter(([, one]) => !this.#members.has(one));
    // The oldest first, so that a sum begins with its oldest member.
    for (const [column, one] of unknown.toSorted(([, a], [, b]) => compareStarts(a, b))) {
      if (!this.#members.has(one)) this.#join(one, column, sole);
    }
    const isSole = !sole.isOutdated && series.every((one) => this.#members.get(one) instanceof SoleMembers);
    if (isSole) this.#adoptSole(series, sole);
    const members = isSole ? undefined : series.flatMap((one) => this.#memberOf(one) ?? []);
    if (members) adoptAll(sole.readings, members);
    const columns =
      members?.every(({ target }) => target.isPlain) === false ? createColumns(members) : undefined;
    const mapped = (columns ?? members)?.map(({ target }) => target.series) ?? sole.mapped;
    return {
      generation: this.#generation,
      sole,
      members,
      columns,
      series: [series, previous?.series].find((array) => isSame(mapped, array)) ?? mapped,
    };
  }

  #adoptSole(series: readonly Series[], sole: SoleMembers): void {
    for (const [column, one] of series.entries()) {
      const known = this.#members.get(one);
      if (known instanceof SoleMembers) sole.adopt(column, one, known);
      this.#members.set(one, sole);
    }
  }

  /** The member that a live series is. A sole member becomes one like others. */
  #memberOf(series: Series): Member | undefined {
    const known = this.#members.get(series);
    if (!(known instanceof SoleMembers)) return known;
    const column = known.columnOf(series);
    const mapped = elementAt(known.mapped, column);
    this.#targets.remove(mapped);
    const member = this.#addTarget(mapped).join(series.start, known.readings, column);
    this.#members.set(series, member);
    known.isOutdated = true;
    return member;
  }

  #join(series: Series, column: number, sole: SoleMembers): void {
    const mapped = this.#mapping.map(series);
    inheritPublisher(mapped, series);
    const known = this.#findTarget(mapped);
    const isOlder = mapped.metric.kind === 'counter' && series.start < mapped.start;
    const isAlone = known === undefined && !isOlder && this.#mapping.reductionOf?.(mapped) === undefined;
    if (isAlone && !sole.isOutdated) {
      sole.add(column, mapped);
      this.#members.set(series, sole);
      this.#targets.add(mapped, series);
      return;
    }
    const target = known ?? this.#addTarget(mapped);
    const isShared = !target.isEmpty;
    this.#members.set(series, target.join(series.start, sole.readings, column));
    if (isShared) this.#generation += 1;
    if (isShared && target.isChosen) this.#mapping.onConflict(target.series);
  }

  #mappedOf(series: Series): Series {
    const known = this.#members.get(series);
    return known instanceof SoleMembers ? known.mappedOf(series) : (known?.target.series ?? series);
  }

  #findTarget(mapped: Series): MappedSeries | undefined {
    const target = this.#targets.find(mapped);
    return target && (target instanceof MappedSeries ? target : this.#memberOf(target)?.target);
  }

  #addTarget(mapped: Series): MappedSeries {
    const target = new MappedSeries(mapped, this.#mapping.reductionOf?.(mapped));
    this.#targets.add(mapped, target);
    return target;
  }

  /** @returns the mapped series that ended with these */
  #end(ended: readonly Series[]): Series[] {
    return ended.flatMap((series) => {
      const known = this.#members.get(series);
      if (known === undefined) return [];
      const mapped = this.#mappedOf(series);
      const isLast = known instanceof SoleMembers && !this.#mapping.isKept?.(mapped);
      if (isLast) this.#targets.remove(mapped);
      const member = isLast ? undefined : this.#memberOf(series);
      this.#members.delete(series);
      return member ? this.#leave(member) : [mapped];
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
function keepValues(table: Table, { members, sole: { readings } }: Plan): Float64Array {
  const lastRow = table.offsets.length - 1;
  if (lastRow < 0) return table.values;
  if (members) adoptAll(readings, members);
  const { length } = table.series;
  for (let column = 0; column < length; column++) {
    const row = findLatestRow(table, column);
    if (row >= 0) readings.values[column] = table.values[row * length + column];
  }
  noteLastRow(table, readings);
  return table.values;
}

function recutValues(
  table: Table,
  { members = [], sole: { readings } }: Plan,
  columns: readonly Column[],
): Float64Array {
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
  readings.note({ at: Number(epoch) + offset, epoch, offset });
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
