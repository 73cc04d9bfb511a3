import { elementAt } from '../../element.js';
import { findOrAdd } from '../../model/plan.js';
import type { CountedEvent, EventEncoding, EventGroup } from './counted-event.js';
import { PerfEventError } from './event.js';

/** An event that this machine does not count, and the reason. */
export interface RefusedEvent {
  readonly event: CountedEvent;
  /** The error code: `EACCES`. */
  readonly code: string;
  readonly reason: string;
}

/** Groups that fit on a PMU. */
export interface FittingGroups {
  readonly groups: readonly EventGroup[];
  readonly refused: readonly RefusedEvent[];
}

/** Tries which events can be counted together. */
export interface EventProbe {
  /** Opens an event in the group of a leader; -1: as a leader. @throws PerfEventError */
  open(event: CountedEvent, leaderFd: number): number;
  close(fd: number): void;
}

/**
 * Divides events into as few groups as the kernel accepts: those of one PMU together, so that their ratios are
 * valid even when groups are multiplexed. Groups in braces stay together or are refused.
 * @param maxEvents per group: reduced when a full one turned out never to count
 */
export function fitGroups(
  groups: readonly EventGroup[],
  probe: EventProbe,
  maxEvents = Infinity,
): FittingGroups {
  const fit = new GroupFit(probe, maxEvents);
  for (const group of groups.filter(({ isExplicit }) => isExplicit)) fit.addExplicit(group.events);
  const free = groups.filter(({ isExplicit }) => !isExplicit).flatMap(({ events }) => events);
  for (const events of groupByPmu(free)) fit.addFree(events);
  return fit;
}

/** Software events, which can always be counted, are kept apart from multiplexed events. */
function groupByPmu(events: readonly CountedEvent[]): Iterable<readonly CountedEvent[]> {
  const byPmu = new Map<string, CountedEvent[]>();
  for (const event of events) {
    const key = event.isSoftware ? 'software' : event.encodings.map(nameCounter).join(' ');
    findOrAdd(byPmu, key, () => []).push(event);
  }
  return byPmu.values();
}

/** Codes of all core PMUs are counted by the same PMU as the codes of one. */
function nameCounter({ pmu, type }: EventEncoding): string {
  return pmu === '' || pmu === 'cpu' ? 'cpu' : `${pmu} ${type > 4 ? type : ''}`;
}

class GroupFit implements FittingGroups {
  readonly groups: EventGroup[] = [];
  readonly refused: RefusedEvent[] = [];
  readonly #probe: EventProbe;
  readonly #maxEvents: number;

  constructor(probe: EventProbe, maxEvents: number) {
    this.#probe = probe;
    this.#maxEvents = maxEvents;
  }

  addExplicit(events: readonly CountedEvent[]): void {
    const { taken, left } = this.#open(events, events.length);
    if (taken.length === events.length) this.groups.push({ events, isExplicit: true });
    else this.#refuseAll(events, left);
  }

  addFree(events: readonly CountedEvent[]): void {
    let rest = events;
    while (rest.length > 0) {
      const { taken, left, untried } = this.#open(rest, this.#maxEvents);
      if (taken.length > 0) this.groups.push({ events: taken, isExplicit: false });
      // Only an error of the leader itself keeps it from being opened alone.
      else this.#refuseAll(rest.slice(0, 1), left);
      const failed = taken.length > 0 ? left.map(({ event }) => event) : [];
      rest = [...failed, ...rest.slice(untried)];
    }
  }

  /** Opens as many as fit together and closes them again. */
  #open(events: readonly CountedEvent[], most: number): Opened {
    const [taken, left, fds]: [CountedEvent[], Failure[], number[]] = [[], [], []];
    let untried = 0;
    let misses = 0;
    try {
      for (const event of events) {
        if (taken.length >= most || misses >= maxMisses) break;
        untried++;
        const fd = this.#tryEvent(event, fds[0] ?? -1);
        if (typeof fd === 'number') {
          fds.push(fd);
          taken.push(event);
          misses = 0;
        } else {
          left.push({ event, error: fd });
          misses++;
        }
        // Without a leader the others wait for the next round.
        if (taken.length === 0) break;
      }
    } finally {
      for (const fd of fds) this.#probe.close(fd);
    }
    return { taken, left, untried };
  }

  #tryEvent(event: CountedEvent, leaderFd: number): number | PerfEventError {
    try {
      return this.#probe.open(event, leaderFd);
    } catch (error) {
      if (error instanceof PerfEventError) return error;
      throw error;
    }
  }

  #refuseAll(events: readonly CountedEvent[], failures: readonly Failure[]): void {
    const errors = new Map(failures.map(({ event, error }) => [event, error]));
    const { error: first } = elementAt(failures, 0);
    for (const event of events) {
      const own = errors.get(event);
      const reason = own?.message ?? `Cannot count event "${event.name}" in its group: ${first.message}`;
      this.refused.push({ event, code: (own ?? first).code, reason });
    }
  }
}

/** No PMU has as many counters: after this many events that do not fit, the group is full. */
const maxMisses = 16;

/** The result of opening events in one group. */
interface Opened {
  readonly taken: readonly CountedEvent[];
  /** Events that did not fit. */
  readonly left: readonly Failure[];
  /** Index of the first event that was not tried. */
  readonly untried: number;
}

interface Failure {
  readonly event: CountedEvent;
  readonly error: PerfEventError;
}
