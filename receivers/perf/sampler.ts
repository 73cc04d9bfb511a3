import type { OpenSampler, Sampler } from '../../src/component/sampling.js';
import type { Columns } from './metrics.js';
import { openCounters, type Counters } from './open-counters.js';
import { findOnline, listThreads } from './places.js';
import { parseCpuList } from '../../src/linux/topology.js';
import type { Plan } from './plan.js';

// CPUs that go offline or come back.
const checkMs = 1000;

/** Each opening has its own numbers for columns: far more than there are CPUs times events. */
const maxColumns = 2 ** 24;

/** Reads the counters of one target on a sampling thread. */
class PerfSampler implements Sampler {
  width = 0;
  columns: Columns = { columns: [], notes: [] };
  columnIds: readonly number[] = [];
  generation = 0;
  #openings = 0;
  readonly #plan: Plan;
  readonly #nowMs: () => number;
  #counters: Counters;
  #mostEvents = Infinity;
  #online = '';
  #checkedMs = 0;
  readonly #threads = new Set<number>();

  constructor(plan: Plan, nowMs: () => number) {
    this.#plan = plan;
    this.#nowMs = nowMs;
    this.#counters = this.#open();
  }

  read(values: Float64Array, at: number): void {
    this.#counters.layout.read(values, at);
  }

  maintain(): void {
    this.#divideStarved();
    this.#addThreads();
    const nowMs = this.#nowMs();
    if (this.#plan.target.kind === 'process' || nowMs - this.#checkedMs < checkMs) return;
    this.#checkedMs = nowMs;
    this.#followCpus();
  }

  close(): void {
    this.#counters.close();
  }

  #open(): Counters {
    this.#online = findOnline(this.#plan.sysfs);
    this.#checkedMs = this.#nowMs();
    this.#noteThreads();
    const counters = openCounters(this.#plan, this.#mostEvents);
    this.#openings++;
    this.#describe(counters);
    return counters;
  }

  #describe({ layout, notes }: Counters): void {
    this.columns = { columns: layout.columns, notes };
    this.width = layout.columns.length;
    this.columnIds = layout.columnIds.map((id) => this.#openings * maxColumns + id);
  }

  #followCpus(): void {
    const online = findOnline(this.#plan.sysfs);
    if (online === this.#online) return;
    this.#online = online;
    this.#counters.followCpus(parseCpuList(online));
    if (this.#counters.layout.columns.length === this.width) return;
    this.#describe(this.#counters);
    this.generation++;
  }

  #openAgain(): void {
    this.#counters.close();
    this.#counters = this.#open();
    this.generation++;
  }

  /** The kernel takes groups that it then cannot count, where others (the NMI watchdog) hold a counter for good. */
  #divideStarved(): void {
    const { isStarved, largest } = this.#counters;
    if (!isStarved) return;
    this.#mostEvents = Math.floor(largest / 2);
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

/**
 * Opens the counters of a target.
 * @param nowMs a clock that never runs backwards
 * @throws UnavailableError when nothing of it can be counted
 */
export function openPerfSampler(plan: Plan, nowMs: () => number = () => performance.now()): Sampler {
  return new PerfSampler(plan, nowMs);
}

/** The receiver passes its plan. */
export const openSampler: OpenSampler<Plan> = (plan) => openPerfSampler(plan);
