import { UsageCurve } from '../energy/usage-curve.js';
import { findOrAdd } from '../model/plan.js';
import { ATTR_PERF_EVENT_NAME, ATTR_PROCESS_PID } from '../model/semantic-conventions.js';
import type { Resource, Series } from '../model/series.js';
import { eventCount, eventTime } from '../model/usage-metrics.js';
import { findCgroupPath } from './group-identity.js';
import type { Workload } from './workload.js';

/** The metrics of the receiver `perf` that count events. */
export const eventMetrics: ReadonlySet<string> = new Set([eventCount.name, eventTime.name]);

/** Number of events between two boundaries, by the index of their names. */
export interface EventGrowth {
  readonly machine: readonly number[];
  /** For each event, the count of each workload of the usage. */
  readonly workloads: readonly (readonly number[])[];
}

/** The events by which energy is shared, for the machine and for each process. Times are nanoseconds. */
export class Events {
  readonly #names: readonly string[];
  readonly #epoch: bigint;
  readonly #find: (resource: Resource) => Workload | undefined;
  readonly #machine: (UsageCurve | undefined)[];
  readonly #counters = new Map<Series, EventCounter>();

  /**
   * @param epoch Unix time in nanoseconds of time 0
   * @param find returns the workload with a resource, if known
   */
  constructor(names: readonly string[], epoch: bigint, find: (resource: Resource) => Workload | undefined) {
    this.#names = names;
    this.#epoch = epoch;
    this.#find = find;
    this.#machine = names.map(() => undefined);
  }

  /** Number of events; 0: no energy is shared by events. */
  get count(): number {
    return this.#names.length;
  }

  /** The receiver of a series' readings; undefined: no energy is shared by it. */
  counterOf(series: Series): EventCounter | undefined {
    const event = this.#names.indexOf(String(series.attributes[ATTR_PERF_EVENT_NAME]));
    const { attributes } = series.resource;
    const isMachine = attributes[ATTR_PROCESS_PID] === undefined;
    // Events of a cgroup would count those of its processes twice.
    if (event < 0 || (isMachine && findCgroupPath(attributes) !== undefined)) return undefined;
    const startAt = Number(series.start - this.#epoch);
    const find = () => {
      const curves = isMachine ? this.#machine : this.#curvesOf(series.resource);
      return curves && (curves[event] ??= new UsageCurve(startAt));
    };
    return findOrAdd(this.#counters, series, () => new EventCounter(find));
  }

  #curvesOf(process: Resource): (UsageCurve | undefined)[] | undefined {
    const workload = this.#find(process);
    return workload && (workload.events ??= []);
  }

  /** A series has no further readings. */
  end(series: Series): void {
    this.#counters.delete(series);
  }

  /** The count of each event for the machine between two boundaries; to be called once for each. */
  cut(from: number, to: number): number[] {
    return this.#machine.map((curve) => curve?.cut(from, to) ?? 0);
  }
}

/** Receives the readings of one counter of events. */
export interface EventReader {
  /** @param value since the counter's start; not finite: no reading */
  read(value: number, at: number): void;
}

/** One counter of events. */
export class EventCounter implements EventReader {
  readonly #find: () => UsageCurve | undefined;
  #curve: UsageCurve | undefined;
  #last = 0;

  /** @param find returns the curve on which its growth is counted; undefined: its process is not known yet */
  constructor(find: () => UsageCurve | undefined) {
    this.#find = find;
  }

  read(value: number, at: number): void {
    if (!(value >= this.#last && value < Infinity)) return;
    this.#curve ??= this.#find();
    this.#curve?.read(at, value - this.#last);
    this.#last = value;
  }
}
