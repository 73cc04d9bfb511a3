import { findAttribute } from '../../src/model/group.js';
import { Limit, type Ranked } from '../../src/model/limit.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import { attributesKey, type AttributeValue, type Series } from '../../src/model/series.js';
import { readLatest, type Table } from '../../src/model/table.js';
import type { Config } from './config.js';

/** Several series as one: they keep their names, or are all part of `other`. */
export class Group implements Ranked {
  readonly key: string;
  /** Live series that were mapped. */
  readonly members = new Set<Series>();
  isShown: boolean;
  /** Whether its members were last forwarded under their own names. */
  wasShown: boolean;
  weight = 0;

  constructor(key: string, isShown: boolean) {
    this.key = key;
    this.isShown = isShown;
    this.wasShown = isShown;
  }
}

/** A live series of the metric that ranks its group. */
class RankedSeries {
  readonly series: Series;
  readonly group: Group;
  last = NaN;
  /** Time of its last reading, in nanoseconds of the ranking. */
  lastAt = NaN;

  constructor(series: Series, group: Group) {
    this.series = series;
    this.group = group;
  }
}

/** A column of a ranked series. */
interface RankedColumn {
  readonly column: number;
  readonly ranked: RankedSeries;
}

/** If time goes back by more than this, the clock was set back; by less, a table is late. */
const maxLateNs = 60e9;

/** The groups of all live series, and which of them have a place. */
export class Groups {
  readonly #config: Config;
  readonly #shown: ReadonlySet<string>;
  readonly #limit: Limit<Group>;
  readonly #halfLifeNs: number;
  readonly #groups = new Map<string, Group>();
  readonly #ranked = new Map<Series, RankedSeries>();
  readonly #columnsOf = createPlans((series: readonly Series[]) => this.#findColumns(series));
  /** Unix time in nanoseconds of time 0 of the ranking. */
  #epoch: bigint | undefined;
  #at = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#shown = new Set(config.shown);
    this.#halfLifeNs = config.window * 1e6;
    this.#limit = new Limit({ places: config.limit, halfLifeNs: this.#halfLifeNs, margin: 0 });
  }

  /** Whether a series of the ranking metric was seen. */
  get hasRanked(): boolean {
    return this.#ranked.size > 0;
  }

  /** The group of a series; undefined: it has none of the attributes. */
  find(series: Series): Group | undefined {
    const entries = this.#config.group_by.flatMap((name): [string, AttributeValue][] => {
      const value = findAttribute(series, name);
      return value === undefined ? [] : [[name, value]];
    });
    if (entries.length === 0) return undefined;
    const key = attributesKey(Object.fromEntries(entries));
    const [[name, value] = []] = entries;
    const isShown = name === this.#config.group_by[0] && this.#shown.has(String(value));
    return findOrAdd(this.#groups, key, () => new Group(key, isShown));
  }

  /**
   * Ranks the groups by the values of the metric in a table.
   * @returns the groups that gained a place, and those that lost theirs
   */
  rank(table: Table): readonly Group[] {
    const columns = this.#columnsOf(table.series);
    if (columns.length === 0 || table.offsets.length === 0) return [];
    const at = this.#timeOf(table);
    this.#limit.advance(at);
    for (const { column, ranked } of columns) this.#weigh(table, column, ranked);
    const { changes } = this.#limit;
    this.#limit.rank(at);
    return changes === this.#limit.changes ? [] : this.#takeChanged();
  }

  #takeChanged(): readonly Group[] {
    const changed = [...this.#groups.values()].filter(({ isShown, wasShown }) => isShown !== wasShown);
    for (const group of changed) group.wasShown = group.isShown;
    return changed;
  }

  /** A series has ended. */
  remove(series: Series): void {
    const group = this.#ranked.get(series)?.group ?? this.find(series);
    this.#ranked.delete(series);
    group?.members.delete(series);
    if (group === undefined || group.members.size > 0) return;
    this.#groups.delete(group.key);
    this.#limit.remove(group);
  }

  #findColumns(series: readonly Series[]): readonly RankedColumn[] {
    return [...series.entries()].flatMap(([column, one]) => {
      if (one.metric.name !== this.#config.metric) return [];
      const group = this.find(one);
      if (group === undefined) return [];
      return { column, ranked: findOrAdd(this.#ranked, one, () => new RankedSeries(one, group)) };
    });
  }

  /** The latest known time; it does not decrease. */
  #timeOf({ epoch, offsets }: Table): number {
    this.#epoch ??= epoch;
    const at = Number(epoch - this.#epoch) + (offsets.at(-1) ?? 0);
    // If the clock was set back, time continues from here.
    if (at < this.#at - maxLateNs) this.#epoch -= BigInt(Math.round(this.#at - at));
    this.#at = Math.max(this.#at, at);
    return this.#at;
  }

  #weigh(table: Table, column: number, ranked: RankedSeries): void {
    const value = readLatest(table, column);
    if (Number.isNaN(value)) return this.#limit.weigh(ranked.group, 0);
    this.#limit.weigh(ranked.group, Math.max(0, this.#used(ranked, value)));
    ranked.last = value;
    ranked.lastAt = this.#at;
  }

  /** Usage since the last reading: its growth, or its value times the elapsed time. */
  #used({ series: { metric, start }, last, lastAt }: RankedSeries, value: number): number {
    const isFirst = Number.isNaN(lastAt);
    const sinceNs = isFirst ? this.#at - Number(start - (this.#epoch ?? start)) : this.#at - lastAt;
    // Its usage before the first reading is assumed to be uniform over its lifetime.
    const share = isFirst && sinceNs > this.#halfLifeNs ? this.#halfLifeNs / sinceNs : 1;
    if (metric.kind === 'counter') return isFirst ? value * share : value - last;
    return value * Math.min(isFirst ? this.#halfLifeNs : sinceNs, sinceNs);
  }
}
