import type { OpenSampler, Sampler } from '../../src/component/sampling.js';
import type { EventGroup } from '../../src/linux/perf/counted-event.js';
import type { Columns } from './metrics.js';
import { OnlineCpus } from './online-cpus.js';
import { openCounters, type Counters } from './open-counters.js';
import { listThreads } from './places.js';
import type { Plan } from './plan.js';

/** What samplers of several targets share. */
export interface SharedByTargets {
  /** Closed by its owner. */
  readonly online?: OnlineCpus;
  /** Groups that fit for another target of the same kind, so that this need not be tried again. */
  readonly fitted?: readonly EventGroup[] | undefined;
}

/** Column numbers per opening: far more than CPUs times events. */
const maxColumns = 2 ** 24;

/** Reads the counters of one target on a sampling thread. */
export class PerfSampler implements Sampler {
  width = 0;
  columns: Columns = { columns: [], notes: [] };
  columnIds: readonly number[] = [];
  generation = 0;
  #openings = 0;
  readonly #plan: Plan;
  readonly #cpus: OnlineCpus;
  readonly #ownsCpus: boolean;
  #counters: Counters;
  #maxEvents = Infinity;
  #online: ReadonlyMap<number, number> = new Map();
  readonly #threads = new Set<number>();

  /** @throws UnavailableError if none of the target's events can be counted */
  constructor(plan: Plan, { online, fitted }: SharedByTargets = {}) {
    this.#plan = plan;
    this.#cpus = online ?? new OnlineCpus(plan.sysfs);
    this.#ownsCpus = online === undefined;
    try {
      this.#counters = this.#open(fitted);
    } catch (error) {
      this.#closeOwnCpus();
      throw error;
    }
  }

  /** The groups in which its events are counted. */
  get fitted(): readonly EventGroup[] {
    return this.#counters.groups;
  }

  /** Number of open perf events. */
  get events(): number {
    return this.#counters.layout.groups.reduce((sum, { totals }) => sum + totals.length, 0);
  }

  read(values: Float64Array, at: number): void {
    this.#counters.layout.read(values, at);
  }

  maintain(): void {
    this.#divideStarved();
    this.#addThreads();
    if (this.#plan.target.kind !== 'process') this.#followCpus();
    this.#reportError();
  }

  close(): void {
    this.#counters.close();
    this.#closeOwnCpus();
  }

  #closeOwnCpus(): void {
    if (this.#ownsCpus) this.#cpus.close();
  }

  #open(fitted?: readonly EventGroup[]): Counters {
    if (this.#plan.target.kind !== 'process') this.#online = this.#cpus.read();
    this.#noteThreads();
    const counters = openCounters(this.#plan, this.#maxEvents, fitted);
    this.#openings++;
    this.#describe(counters);
    return counters;
  }

  #describe({ layout, notes }: Counters): void {
    this.columns = { columns: layout.columns, notes, error: layout.error };
    this.width = layout.columns.length;
    this.columnIds = layout.columnIds.map((id) => this.#openings * maxColumns + id);
  }

  #followCpus(): void {
    const [before, online] = [this.#online, this.#cpus.read()];
    if (online === before) return;
    this.#online = online;
    const cpus = [...online.keys()];
    const lasting = cpus.filter((cpu) => online.get(cpu) === before.get(cpu));
    this.#counters.followCpus(cpus, lasting);
    if (this.#counters.layout.columns.length === this.width) return;
    this.#describe(this.#counters);
    this.generation++;
  }

  /** Only the description changes: the series are the same. */
  #reportError(): void {
    const { error } = this.#counters.layout;
    if (error === this.columns.error) return;
    this.columns = { ...this.columns, error };
    this.generation++;
  }

  #openAgain(): void {
    this.#counters.close();
    this.#counters = this.#open();
    this.generation++;
  }

  /** The kernel accepts groups that it can never schedule if others (the NMI watchdog) permanently occupy a counter. */
  #divideStarved(): void {
    const { isStarved, largest } = this.#counters;
    if (!isStarved) return;
    this.#maxEvents = Math.floor(largest / 2);
    this.#openAgain();
  }

  #addThreads(): void {
    if (!this.#counters.isGrowing) return;
    const known = new Set(this.#threads);
    this.#noteThreads();
    for (const tid of this.#threads) if (!known.has(tid)) this.#counters.addThread(tid);
  }

  #noteThreads(): void {
    const { target, procfs } = this.#plan;
    if (target.kind !== 'process') return;
    const now = new Set(listThreads(target.pid, procfs));
    for (const tid of this.#threads) if (!now.has(tid)) this.#threads.delete(tid);
    for (const tid of now) this.#threads.add(tid);
  }
}

/** The receiver passes its plan. */
export const openSampler: OpenSampler<Plan> = (plan) => new PerfSampler(plan);
