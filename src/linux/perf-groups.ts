import { findOrAdd } from '../model/find-or-add.js';
import type { CountedEvent, EventEncoding, EventGroup } from './perf-counted-event.js';
import { PerfEventError } from './perf-event.js';

/** An event that this machine does not count, and why. */
export interface RefusedEvent {
  readonly event: CountedEvent;
  /** The error's name: `EACCES`. */
  readonly code: string;
  readonly reason: string;
}

/** Groups that a PMU takes. */
export interface FittingGroups {
  readonly groups: readonly EventGroup[];
  readonly refused: readonly RefusedEvent[];
}

/** Tries what can be counted together. */
export interface EventProbe {
  /** Opens an event in the group of a leader; -1: as a leader. @throws PerfEventError */
  open(event: CountedEvent, leaderFd: number): number;
  close(fd: number): void;
}

/**
 * Divides events into groups that the kernel takes, as few as it allows: those of one PMU together, so that their
 * ratios hold even where groups take turns. What was written in braces stays together or is refused.
 * @param mostEvents in a group: fewer where a full one was seen never to count
 */
export function fitGroups(
  groups: readonly EventGroup[],
  probe: EventProbe,
  mostEvents = Number.POSITIVE_INFINITY,
): FittingGroups {
  const fit = new GroupFit(probe, mostEvents);
  for (const group of groups.filter(({ isExplicit }) => isExplicit)) fit.addExplicit(group.events);
  const free = groups.filter(({ isExplicit }) => !isExplicit).flatMap(({ events }) => events);
  for (const events of groupByPmu(free)) fit.addFree(events);
  return fit;
}

/** The software's events, which can always count, are kept from those that take turns. */
function groupByPmu(events: readonly CountedEvent[]): Iterable<readonly CountedEvent[]> {
  const byPmu = new Map<string, CountedEvent[]>();
  for (const event of events) {
    const key = event.isSoftware ? 'software' : event.encodings.map(nameCounter).join(' ');
    findOrAdd(byPmu, key, () => []).push(event);
  }
  return byPmu.values();
}

/** Codes that all PMUs of cores have are counted by the same PMU as the codes of one. */
function nameCounter({ pmu, type }: EventEncoding): string {
  return pmu === '' || pmu === 'cpu' ? 'cpu' : `${pmu} ${type > 4 ? type : ''}`;
}

class GroupFit implements FittingGroups {
  readonly groups: EventGroup[] = [];
  readonly refused: RefusedEvent[] = [];
  readonly #probe: EventProbe;
  readonly #mostEvents: number;

  constructor(probe: EventProbe, mostEvents: number) {
    this.#probe = probe;
    this.#mostEvents = mostEvents;
  }

  addExplicit(events: readonly CountedEvent[]): void {
    const { taken, left } = this.#open(events, events.length);
    if (taken.length === events.length) this.groups.push({ events, isExplicit: true });
    else for (const event of events) this.#refuse(event, left);
  }

  addFree(events: readonly CountedEvent[]): void {
    const { taken, left } = this.#open(events, this.#mostEvents);
    if (taken.length > 0) this.groups.push({ events: taken, isExplicit: false });
    const [first] = left;
    // Nothing but the leader's own fault keeps it from being opened alone.
    if (taken.length === 0 && first) this.#refuse(first.event, left);
    const rest = left.slice(taken.length === 0 ? 1 : 0);
    if (rest.length > 0) this.addFree(rest.map(({ event }) => event));
  }

  /** Opens as many as go together and closes them again. */
  #open(events: readonly CountedEvent[], most: number): { taken: CountedEvent[]; left: Failure[] } {
    const [taken, left, fds]: [CountedEvent[], Failure[], number[]] = [[], [], []];
    for (const event of events) {
      const fd = taken.length < most ? this.#tryEvent(event, fds[0] ?? -1) : undefined;
      if (typeof fd === 'number') {
        fds.push(fd);
        taken.push(event);
      } else left.push({ event, error: fd });
      // Without a leader the rest waits for the next round.
      if (taken.length === 0) {
        left.push(...events.slice(1).map((other) => ({ event: other, error: undefined })));
        break;
      }
    }
    for (const fd of fds) this.#probe.close(fd);
    return { taken, left };
  }

  #tryEvent(event: CountedEvent, leaderFd: number): number | PerfEventError {
    try {
      return this.#probe.open(event, leaderFd);
    } catch (error) {
      if (error instanceof PerfEventError) return error;
      throw error;
    }
  }

  #refuse(event: CountedEvent, failures: readonly Failure[]): void {
    const own = failures.find((failure) => failure.event === event)?.error;
    const error = own ?? failures.find((failure) => failure.error)?.error;
    const reason = own?.message ?? `Cannot count event "${event.name}" in its group: ${error?.message}`;
    this.refused.push({ event, code: error?.code ?? 'EINVAL', reason });
  }
}

interface Failure {
  readonly event: CountedEvent;
  /** Undefined where it was not tried. */
  readonly error: PerfEventError | undefined;
}

/** Why events are refused, in one line for all that have the same reason. */
export function describeRefused(
  refused: readonly Pick<RefusedEvent, 'reason' | 'event'>[],
): readonly string[] {
  const names = new Map<string, string[]>();
  for (const { event, reason } of refused) {
    const pattern = reason.replace(`event "${event.name}"`, 'event NAME');
    findOrAdd(names, pattern, () => []).push(event.name);
  }
  return [...names].map(([pattern, [first = '', ...rest]]) => {
    const all = [first, ...rest].map((name) => `"${name}"`).join(', ');
    return pattern.replace('event NAME', () => `${rest.length > 0 ? 'events' : 'event'} ${all}`);
  });
}
