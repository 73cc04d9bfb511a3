import { elementAt } from '../../element.js';
import type { CountedEvent, EventEncoding, EventGroup } from './counted-event.js';
import { groupReadFormat } from './counter-group.js';
import { closePerfEvent, enablePerfEvent, openPerfEvent, PerfEventError, type PerfEvent } from './event.js';
import type { EventProbe } from './groups.js';
import { hasPrivilege } from './modifiers.js';

/** What events are counted for: one process, one CPU, or a cgroup on one CPU; and how. */
export type CountingPlace = Pick<
  PerfEvent,
  'pid' | 'cpu' | 'isCgroup' | 'inherit' | 'inheritThread' | 'enableOnExec'
>;

/** Tries events for a target. */
export function createProbe(place: CountingPlace): EventProbe {
  return {
    open(event, groupFd) {
      const encoding = elementAt(event.encodings, 0);
      // If only some CPUs can count an event, one of them is tried.
      const cpu = place.cpu < 0 ? place.cpu : (encoding.cpus?.[0] ?? place.cpu);
      if (place.cpu >= 0 || encoding.isTask) return openEncoding(event, encoding, { ...place, cpu, groupFd });
      const reason = 'it counts for the whole machine only, not for a process';
      throw new PerfEventError(`Cannot open perf event "${event.name}": ${reason}`, 'EINVAL');
    },
    close: closePerfEvent,
  };
}

/**
 * Opens one PMU's part of a group, as a leader and its members. Counting starts now, or with `enableOnExec` at
 * the next `execve`.
 * @param part index of the encoding of each event; an event without it is left out
 * @returns the descriptors, the leader's first, for a `CounterGroup`
 * @throws PerfEventError
 */
export function openGroup(events: readonly CountedEvent[], part: number, place: CountingPlace): number[] {
  const fds: number[] = [];
  try {
    for (const event of events) {
      const encoding = event.encodings.at(part);
      if (encoding === undefined) continue;
      const [leader] = fds;
      const own = leader === undefined ? { disabled: true, ...place } : { ...place, enableOnExec: false };
      fds.push(openEncoding(event, encoding, { ...own, groupFd: leader ?? -1 }));
    }
  } catch (error) {
    fds.forEach(closePerfEvent);
    throw error;
  }
  const [leader] = fds;
  if (leader !== undefined && place.enableOnExec !== true) enablePerfEvent(leader);
  return fds;
}

/** The groups that the user may count. */
export interface RightfulGroups {
  readonly groups: readonly EventGroup[];
  /** The names of events that are counted in user space only. */
  readonly userOnly: readonly string[];
}

/**
 * Excludes the kernel if it may not be counted, like perf, for events without explicit modifiers. Kernel-only
 * events are unchanged, and refused: without the kernel they would count 0.
 */
export function adaptToRights(groups: readonly EventGroup[], probe: EventProbe): RightfulGroups {
  const userOnly: string[] = [];
  const adapt = (event: CountedEvent): CountedEvent => {
    const isFree = !hasPrivilege(event.modifiers) && !event.isKernelOnly;
    if (!isFree || !forbidden.has(findFailure(event, probe))) return event;
    const reduced = {
      ...event,
      modifiers: { ...event.modifiers, excludeKernel: true, excludeHypervisor: true },
    };
    const failure = findFailure(reduced, probe);
    if (failure === '') userOnly.push(event.name);
    // Only privileged users learn that a machine does not have an event at all.
    return failure === '' || failure === 'ENOENT' ? reduced : event;
  };
  return { groups: groups.map((group) => ({ ...group, events: group.events.map(adapt) })), userOnly };
}

const forbidden = new Set(['EACCES', 'EPERM']);

/** The error code; empty: no error. */
function findFailure(event: CountedEvent, probe: EventProbe): string {
  try {
    probe.close(probe.open(event, -1));
    return '';
  } catch (error) {
    if (error instanceof PerfEventError) return error.code;
    throw error;
  }
}

type Opening = CountingPlace & Pick<PerfEvent, 'groupFd' | 'disabled'>;

function openEncoding(event: CountedEvent, encoding: EventEncoding, opening: Opening): number {
  const { type, config, config1, config2, config3 } = encoding;
  const words = { type, config, config1, config2, config3 };
  const how = { ...event.modifiers, ...opening, readFormat: groupReadFormat };
  return openPerfEvent({ name: event.name, ...words, ...how });
}
