import { elementAt } from '../../src/element.js';
import { UnavailableError } from '../../src/errors.js';
import { describeUncounted, type CountedEvent, type EventGroup } from '../../src/linux/perf/counted-event.js';
import { CounterGroup } from '../../src/linux/perf/counter-group.js';
import { closePerfEvent, PerfEventError } from '../../src/linux/perf/event.js';
import { fitGroups } from '../../src/linux/perf/groups.js';
import { adaptToRights, createProbe, openGroup, type CountingPlace } from '../../src/linux/perf/place.js';
import { findFirstReservedFd } from '../../src/linux/privileges.js';
import { findOrAdd } from '../../src/model/plan.js';
import { Layout, type Owner } from './layout.js';
import { isCgroupGone, openPlaces, placeThread } from './places.js';
import type { Plan } from './plan.js';
import { ScaledCounts } from './scaled-counts.js';

/** Counters of a target. Must be closed. */
export interface Counters {
  readonly layout: Layout;
  /** The groups that the events are counted in. */
  readonly groups: readonly EventGroup[];
  /** Notes for the user: which events are not counted, and why. */
  readonly notes: readonly string[];
  /** Whether threads that start later must be added. */
  readonly isGrowing: boolean;
  /** The size of the largest group that is not explicit. */
  readonly largest: number;
  /** Whether such a group is never scheduled, so that smaller ones are needed. */
  readonly isStarved: boolean;
  /** Counts another thread. */
  addThread(tid: number): void;
  /**
   * Also counts on CPUs that came online, and keeps the counts of CPUs that went offline.
   * @param lasting those that were online all the time since the last call
   */
  followCpus(online: readonly number[], lasting: readonly number[]): void;
  close(): void;
}

/**
 * Opens the counters of a target.
 * @param maxEvents maximum events per group
 * @param fitted groups that are known to fit; by default this is tried
 * @throws UnavailableError if none of its events can be counted
 */
export function openCounters(plan: Plan, maxEvents: number, fitted?: readonly EventGroup[]): Counters {
  const opening = new Opening(plan, maxEvents, fitted);
  try {
    return opening.open();
  } catch (error) {
    opening.close();
    throw error;
  }
}

class Opening implements Counters {
  readonly layout = new Layout();
  readonly notes: string[] = [];
  isGrowing = false;
  readonly #plan: Plan;
  readonly #maxEvents: number;
  groups: readonly EventGroup[];
  readonly #divisible = new Set<ScaledCounts>();
  readonly #firstReserved = findFirstReservedFd();
  /** Counts on a CPU, which end when it goes offline. */
  readonly #byCpu = new Map<number, ScaledCounts[]>();
  #isBegun = false;

  constructor(plan: Plan, maxEvents: number, fitted: readonly EventGroup[] = []) {
    this.#plan = plan;
    this.#maxEvents = maxEvents;
    this.groups = fitted;
  }

  get largest(): number {
    return Math.max(0, ...this.groups.filter(isDivisible).map(({ events }) => events.length));
  }

  get isStarved(): boolean {
    return [...this.#divisible].some((counts) => counts.isStarved);
  }

  open(): Counters {
    const { places, isGrowing, close } = openPlaces(this.#plan);
    this.isGrowing = isGrowing;
    try {
      if (this.groups.length === 0) this.#fit(elementAt(places, 0));
      for (const place of places) this.#openPlace(place);
    } finally {
      close();
    }
    if (this.layout.groups.length === 0) throw new UnavailableError(this.#describeNothing());
    this.#finish();
    this.#isBegun = true;
    return this;
  }

  addThread(tid: number): void {
    this.#openPlace(placeThread(tid, false));
  }

  followCpus(online: readonly number[], lasting: readonly number[]): void {
    const known = [...this.#byCpu.keys()];
    for (const cpu of known) if (!lasting.includes(cpu)) this.#retire(cpu);
    if (online.every((cpu) => this.#byCpu.has(cpu))) return;
    const { places, close } = openPlaces(this.#plan);
    try {
      for (const place of places) if (!this.#byCpu.has(place.cpu)) this.#openPlace(place);
    } finally {
      close();
    }
    this.#finish();
  }

  close(): void {
    for (const group of this.layout.groups) group.close();
  }

  #finish(): void {
    this.layout.finish(this.#plan.hasRatio, this.#plan.derivedReadings);
  }

  /** The kernel permanently detaches the events of a CPU that goes offline. */
  #retire(cpu: number): void {
    for (const counts of this.#byCpu.get(cpu) ?? []) {
      counts.read();
      this.layout.retire(counts);
      this.#divisible.delete(counts);
      counts.close();
    }
    this.#byCpu.delete(cpu);
  }

  /** Groups that fit in one place fit in all. */
  #fit(place: CountingPlace): void {
    const probe = createProbe(place);
    const { groups, userOnly } = adaptToRights(this.#plan.groups, probe);
    const fit = fitGroups(groups, probe, this.#maxEvents);
    this.groups = fit.groups;
    this.notes.push(
      ...describeUncounted(fit.refused.map(({ event: { name }, reason }) => ({ name, reason }))),
    );
    if (userOnly.length > 0) this.notes.push(describeUserOnly(userOnly));
  }

  #openPlace(place: CountingPlace): void {
    if (place.cpu >= 0) this.#byCpu.set(place.cpu, []);
    for (const group of this.groups) {
      const { events } = group;
      // The kernel moves the events of a PMU outside the cores to another CPU by itself.
      if (this.#isBegun && !isOfCpu(group)) continue;
      const parts = Math.max(...events.map(({ encodings }) => encodings.length));
      const opened = Array.from({ length: parts }, (_, part) => this.#openPart(events, part, place));
      const counted = opened.flatMap((one) => one ?? []);
      // A process runs on either kind of cores: together their PMUs have counted all the time.
      if (place.cpu < 0) this.#add(counted, group);
      else for (const one of counted) this.#addOnCpu(place.cpu, one, group);
    }
  }

  #addOnCpu(cpu: number, part: OpenPart, group: EventGroup): void {
    const counts = this.#add([part], group);
    if (counts !== undefined && isOfCpu(group)) findOrAdd(this.#byCpu, cpu, () => []).push(counts);
  }

  #add(parts: readonly OpenPart[], group: EventGroup): ScaledCounts | undefined {
    if (parts.length === 0) return undefined;
    const owners = parts.flatMap((part) => part.owners);
    // A new column is 0 at its first reading.
    const fromOpening = this.#isBegun && owners.every((owner) => this.layout.has(owner));
    const counts = new ScaledCounts(
      parts.map((part) => part.group),
      fromOpening,
    );
    if (isDivisible(group)) this.#divisible.add(counts);
    this.layout.add(counts, owners);
    return counts;
  }

  #openPart(events: readonly CountedEvent[], part: number, place: CountingPlace): OpenPart | undefined {
    const own = events.filter(({ encodings }) => part < encodings.length);
    const cpus = own.map(({ encodings }) => encodings[part]?.cpus).find((some) => some !== undefined);
    if (place.cpu >= 0 && cpus && !cpus.includes(place.cpu)) return undefined;
    try {
      const group = new CounterGroup(this.#openWithinReserve(own, part, place));
      return { group, owners: own.map((event) => this.#ownerOf(event, part, place)) };
    } catch (error) {
      this.#noteFailure(error);
      return undefined;
    }
  }

  /**
   * Many targets need many descriptors; a reserve is left for other uses.
   * @throws PerfEventError
   */
  #openWithinReserve(events: readonly CountedEvent[], part: number, place: CountingPlace): number[] {
    const fds = openGroup(events, part, place);
    if (fds.every((fd) => fd < this.#firstReserved)) return fds;
    for (const fd of fds) closePerfEvent(fd);
    throw new PerfEventError(
      'Cannot open further perf events: EMFILE, the last descriptors are reserved',
      'EMFILE',
    );
  }

  #ownerOf(event: CountedEvent, part: number, { cpu }: CountingPlace): Owner {
    const { perCpu, perPmu } = this.#plan;
    const isDivided = perPmu && event.encodings.length > 1;
    return {
      event,
      cpu: perCpu && cpu >= 0 ? cpu : undefined,
      pmu: isDivided ? event.encodings[part]?.pmu : undefined,
    };
  }

  /** A thread that has ended, or a CPU that went offline meanwhile, needs no note. */
  #noteFailure(error: unknown): void {
    if (!(error instanceof PerfEventError)) throw error;
    if (error.code === 'EMFILE') throw error;
    if (error.code === 'ESRCH' || error.code === 'ENODEV' || isCgroupGone(this.#plan.target)) return;
    this.notes.push(error.message);
  }

  #describeNothing(): string {
    const { target } = this.#plan;
    const what = target.kind === 'process' ? `process ${target.pid}` : `the ${target.kind}`;
    const reasons = this.notes.length > 0 ? this.notes.join('; ') : 'it has ended';
    return `Cannot count events of ${what}: ${reasons}`;
  }
}

/** Explicit groups stay together. */
function isDivisible({ events, isExplicit }: EventGroup): boolean {
  return !isExplicit && events.length > 1;
}

/** Whether it counts what a CPU runs. */
function isOfCpu({ events }: EventGroup): boolean {
  return events.every(({ encodings }) => encodings.every(({ isTask }) => isTask));
}

interface OpenPart {
  readonly group: CounterGroup;
  readonly owners: readonly Owner[];
}

function describeUserOnly(names: readonly string[]): string {
  const remedy = 'kernel.perf_event_paranoid must be at most 1 or CAP_PERFMON granted';
  return `Counted in user space only: ${names.join(', ')}; for the kernel, ${remedy}`;
}
