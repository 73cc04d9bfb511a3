import type { OpenSampler, Sampler } from '../../src/component/sampling.js';
import { describeError } from '../../src/errors.js';
import type { EventGroup } from '../../src/linux/perf/counted-event.js';
import { PerfEventError } from '../../src/linux/perf/event.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Column } from './metrics.js';
import { OnlineCpus } from './online-cpus.js';
import { isCgroupGone } from './places.js';
import type { PlannedTarget, TargetsPlan } from './plan.js';
import { PerfSampler } from './sampler.js';

/** The description of the columns of a sampler of several targets. Plain data. */
export interface TargetColumns {
  /** Targets with equal columns share a layout. */
  readonly layouts: readonly (readonly Column[])[];
  /** In column order. */
  readonly targets: readonly { readonly key: string; readonly layout: number }[];
  /** Notes for the user. */
  readonly notes: readonly string[];
  /** Why counters cannot be read: `EISDIR`. Undefined if all can be. */
  readonly error?: string | undefined;
}

interface Counted {
  readonly target: PlannedTarget;
  readonly sampler: PerfSampler;
  /** The id of each of its columns among those of all targets, by its own id. */
  readonly columnIds: Map<number, number>;
}

/** Reads the counters of processes and cgroups that come and go: all at the same instant, into one row. */
class TargetsSampler implements Sampler {
  width = 0;
  columns: TargetColumns = { layouts: [], targets: [], notes: [] };
  columnIds: readonly number[] = [];
  generation = 0;
  readonly #online: OnlineCpus;
  readonly #counted = new Map<string, Counted>();
  /** Targets that cannot be counted; they are not tried again while they exist. */
  readonly #refused = new Set<string>();
  /** Targets that wait for others to end, because the limit is reached. */
  readonly #waiting = new Set<string>();
  #all: readonly Counted[] = [];
  #notes: string[] = [];
  #lastId = 0;
  /** Groups that fit for one cgroup fit for all. */
  #fitted: readonly EventGroup[] | undefined;

  constructor(plan: TargetsPlan, nowMs: () => number) {
    this.#online = new OnlineCpus(plan.common.sysfs, nowMs);
    this.#follow(plan);
    this.#describe();
  }

  read(values: Float64Array, at: number): void {
    let next = at;
    for (const { sampler } of this.#all) {
      sampler.read(values, next);
      next += sampler.width;
    }
  }

  update(options: unknown): void {
    // The receiver passes its plan.
    if (!this.#follow(options as TargetsPlan)) return;
    this.generation++;
    this.#describe();
  }

  maintain(): void {
    const isChanged = this.#all.map((one) => this.#maintain(one)).includes(true);
    if (!isChanged && this.#notes.length === 0) return;
    this.generation++;
    this.#describe();
  }

  close(): void {
    for (const { sampler } of this.#counted.values()) sampler.close();
    this.#online.close();
  }

  /** @returns whether there is anything new to describe */
  #follow({ common, targets, maxCgroupEvents }: TargetsPlan): boolean {
    const keys = new Set(targets.map(({ key }) => key));
    const hasGone = this.#leave(keys);
    const come = targets.filter(({ key }) => !this.#counted.has(key) && !this.#refused.has(key));
    const room = new Room(maxCgroupEvents, this.#counted.values());
    const opened = come.filter((target) => {
      const isHopeless = this.#waiting.has(target.key) && !hasGone;
      return !isHopeless && this.#tryOpen(target, common, room);
    });
    return hasGone || opened.length + this.#notes.length > 0;
  }

  #leave(keys: ReadonlySet<string>): boolean {
    const gone = [...this.#counted.values()].filter(({ target }) => !keys.has(target.key));
    for (const { target, sampler } of gone) {
      sampler.close();
      this.#counted.delete(target.key);
    }
    for (const each of [this.#refused, this.#waiting])
      for (const key of each) if (!keys.has(key)) each.delete(key);
    return gone.length > 0;
  }

  #tryOpen(planned: PlannedTarget, common: TargetsPlan['common'], room: Room): boolean {
    try {
      this.#open(planned, common, room);
      this.#waiting.delete(planned.key);
      return true;
    } catch (error) {
      this.#refuse(planned, error);
      return false;
    }
  }

  #open(planned: PlannedTarget, common: TargetsPlan['common'], room: Room): void {
    const { key, target } = planned;
    const isCgroup = target.kind === 'cgroup';
    if (isCgroup) room.check();
    const shared = { online: this.#online, fitted: isCgroup ? this.#fitted : undefined };
    const sampler = new PerfSampler({ ...common, target }, shared);
    if (isCgroup) this.#fitted = sampler.fitted;
    if (isCgroup) room.take(sampler);
    this.#counted.set(key, { target: planned, sampler, columnIds: new Map() });
    this.#notes.push(...sampler.columns.notes);
  }

  #refuse(planned: PlannedTarget, error: unknown): void {
    const isLack =
      error instanceof NoRoomError || (error instanceof PerfEventError && error.code === 'EMFILE');
    const set = isLack ? this.#waiting : this.#refused;
    if (set.has(planned.key)) return;
    set.add(planned.key);
    if (!isCgroupGone(planned.target))
      this.#notes.push(`Cannot count ${planned.name}: ${describeError(error)}`);
  }

  /** @returns whether its columns changed */
  #maintain({ target, sampler }: Counted): boolean {
    const before = sampler.generation;
    try {
      sampler.maintain();
    } catch (error) {
      if (!isCgroupGone(target.target))
        this.#notes.push(`Cannot count all of ${target.name}: ${describeError(error)}`);
    }
    if (sampler.generation === before) return false;
    if (target.target.kind === 'cgroup') this.#fitted = sampler.fitted;
    this.#notes.push(...sampler.columns.notes);
    return true;
  }

  #describe(): void {
    this.#all = [...this.#counted.values()];
    this.width = this.#all.reduce((sum, { sampler }) => sum + sampler.width, 0);
    this.columnIds = this.#all.flatMap(({ sampler, columnIds }) =>
      sampler.columnIds.map((id) => findOrAdd(columnIds, id, () => ++this.#lastId)),
    );
    const layouts = new Map<string, { readonly index: number; readonly columns: readonly Column[] }>();
    const targets = this.#all.map(({ target, sampler }) => {
      const { columns } = sampler.columns;
      const layout = findOrAdd(layouts, JSON.stringify(columns), () => ({ index: layouts.size, columns }));
      return { key: target.key, layout: layout.index };
    });
    const notes = this.#notes;
    this.#notes = [];
    const failing = this.#all.find(({ sampler }) => sampler.columns.error !== undefined);
    const error = failing?.sampler.columns.error;
    this.columns = { layouts: [...layouts.values()].map(({ columns }) => columns), targets, notes, error };
  }
}

/** Thrown while the limit is reached; when others end, there may be room again. */
class NoRoomError extends Error {}

/** The remaining number of perf events for cgroups. */
class Room {
  readonly #max: number;
  #taken = 0;
  #perCgroup = 0;
  #cgroups = 0;

  constructor(max: number, counted: Iterable<Counted>) {
    this.#max = max;
    for (const { target, sampler } of counted) if (target.target.kind === 'cgroup') this.take(sampler);
  }

  take({ events }: PerfSampler): void {
    this.#taken += events;
    this.#cgroups++;
    this.#perCgroup = Math.max(this.#perCgroup, events);
  }

  /** @throws NoRoomError if there is no room for another target */
  check(): void {
    if (this.#taken + this.#perCgroup <= this.#max) return;
    throw new NoRoomError(
      `expected at most ${this.#max} perf events for cgroups, found ${this.#perCgroup} (events x CPUs) ` +
        `x ${this.#cgroups + 1} cgroups; select fewer cgroups or events, or raise max_cgroup_events`,
    );
  }
}

/**
 * Opens the counters of the targets that can be counted.
 * @param nowMs a monotonic clock
 */
export function openTargetsSampler(
  plan: TargetsPlan,
  nowMs: () => number = () => performance.now(),
): Sampler & { readonly columns: TargetColumns } {
  return new TargetsSampler(plan, nowMs);
}

/** The receiver passes its plan. */
export const openSampler: OpenSampler<TargetsPlan> = (plan) => openTargetsSampler(plan);
