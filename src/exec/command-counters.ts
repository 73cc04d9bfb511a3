import type { CountedEvent } from '../linux/perf/counted-event.js';
import { closePerfEvent, PerfEventError, perfReadFormat, readPerfEvent } from '../linux/perf/event.js';
import { fitGroups } from '../linux/perf/groups.js';
import { adaptToRights, createProbe, openGroup, type CountingPlace } from '../linux/perf/place.js';
import { findRatios } from '../linux/perf/ratios.js';
import type { ResolvedEvents } from '../linux/perf/resolve.js';
import type { CommandCounts, CountRatio, EventCount } from './command-events.js';

const readFormat = perfReadFormat.totalTimeEnabled + perfReadFormat.totalTimeRunning;

/** An event with the descriptors of its parts: one per PMU that counts it. */
interface OpenEvent {
  readonly event: CountedEvent;
  readonly fds: number[];
}

/** Counts what a command and everything that it starts does. Must be finished. */
export class CommandCounters {
  readonly #order: readonly string[];
  readonly #counts = new Map<string, EventCount>();
  readonly #open: OpenEvent[] = [];
  readonly #userOnly: ReadonlySet<string>;
  #finished: CommandCounts | undefined;

  /** @param pid of the stopped process */
  constructor(pid: number, { groups }: Pick<ResolvedEvents, 'groups'>) {
    const place = { pid, cpu: -1, inherit: true, enableOnExec: true, readFormat };
    const probe = createProbe({ pid, cpu: -1, inherit: true, readFormat });
    const rightful = adaptToRights(groups, probe);
    this.#userOnly = new Set(rightful.userOnly);
    const fit = fitGroups(rightful.groups, probe);
    this.#order = groups.flatMap(({ events }) => events.map(({ name }) => name));
    for (const { event, reason } of fit.refused) {
      this.#refuse(event.name, event.unit, reason.replace(` of process ${pid}`, ''));
    }
    for (const { events } of fit.groups) this.#openGroup(events, place);
  }

  /** Reads the counts; the command has ended. */
  finish(): CommandCounts {
    this.#finished ??= this.#count();
    return this.#finished;
  }

  /** The name stands beside the reason already. */
  #refuse(name: string, unit: EventCount['unit'], reason: string): void {
    const start = `Cannot open perf event "${name}": `;
    const note = reason.startsWith(start) ? reason.slice(start.length) : reason;
    this.#counts.set(name, { name, unit, value: undefined, runningRatio: undefined, note });
  }

  #openGroup(events: readonly CountedEvent[], place: CountingPlace): void {
    const opened = events.map((event): OpenEvent => ({ event, fds: [] }));
    const parts = Math.max(...events.map(({ encodings }) => encodings.length));
    for (let part = 0; part < parts; part++) {
      const own = opened.filter(({ event }) => part < event.encodings.length);
      const fds = tryGroup(own, part, place);
      own.forEach(({ fds: known }, i) => known.push(...fds.slice(i, i + 1)));
    }
    this.#open.push(...opened);
  }

  #count(): CommandCounts {
    for (const { event, fds } of this.#open) this.#counts.set(event.name, this.#read(event, fds));
    for (const { fds } of this.#open) fds.forEach(closePerfEvent);
    const events = this.#order.flatMap((name) => this.#counts.get(name) ?? []);
    return { events, ratios: this.#divide() };
  }

  #read({ name, unit, scale }: CountedEvent, fds: readonly number[]): EventCount {
    const { value, enabledNs, runningNs, isRead } = readParts(fds);
    const isCounted = isRead && (runningNs > 0 || enabledNs === 0);
    if (!isCounted) {
      const note = 'the command was over before it had its turn, or another program holds the counter';
      return { name, unit, value: undefined, runningRatio: 0, note };
    }
    const isWhole = runningNs >= enabledNs;
    return {
      name,
      unit,
      value: (isWhole ? value : Math.round((value * enabledNs) / runningNs)) * scale,
      runningRatio: isWhole ? 1 : runningNs / enabledNs,
      note: this.#userOnly.has(name) ? 'in user space only' : undefined,
    };
  }

  #divide(): readonly CountRatio[] {
    return findRatios(this.#open.map(({ event }) => event)).flatMap(({ kind, numerator, denominator }) => {
      const [above, below] = [numerator, denominator].map(({ name }) => this.#counts.get(name)?.value);
      if (above === undefined || below === undefined || below === 0) return [];
      return [{ kind, name: numerator.name, of: denominator.name, value: above / below }];
    });
  }
}

/** What one PMU's part cannot count stays out of the sum. */
function tryGroup(own: readonly OpenEvent[], part: number, place: CountingPlace): readonly number[] {
  try {
    return openGroup(
      own.map(({ event }) => event),
      part,
      place,
    );
  } catch (error) {
    if (error instanceof PerfEventError) return [];
    throw error;
  }
}

interface PartsReading {
  readonly value: number;
  readonly enabledNs: number;
  readonly runningNs: number;
  /** False where no part could be read: a pinned event that did not get its counter, say. */
  readonly isRead: boolean;
}

/** A command runs on one kind of cores or on the other: together their PMUs have counted all the time. */
function readParts(fds: readonly number[]): PartsReading {
  const words = new BigUint64Array(3);
  let [value, enabledNs, runningNs, isRead] = [0n, 0n, 0n, false];
  for (const fd of fds) {
    if (readPerfEvent(fd, new Uint8Array(words.buffer)) !== words.byteLength) continue;
    isRead = true;
    value += words[0];
    enabledNs = words[1] > enabledNs ? words[1] : enabledNs;
    runningNs += words[2];
  }
  return { value: Number(value), enabledNs: Number(enabledNs), runningNs: Number(runningNs), isRead };
}
