import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import { nameDomain, type Note } from './domain.js';
import { nameFolder, readEnergy, type Zone } from './find-powercap.js';

const checkMs = 10_000;
/** Minimum growth of a copy that counts as evidence. */
const minMicrojoules = 1_000_000;
const maxDeviation = 0.05;

/** A zone that is read, and another one that shows the same domain. */
interface Pair {
  readonly zone: Zone;
  readonly copy: Zone;
  /** Counts the copy from the last movement of the zone. */
  readonly counter: WrappingCounter;
  /** The zone's last reading, in microjoules; NaN: it could not be read. */
  latest: number;
  /** Since when it has shown that, or has not been readable. */
  stillMs: number;
  /** The readings of both when their growth was last compared, in microjoules. */
  before: Shown;
  isDoubtful: boolean;
}

interface Shown {
  readonly microjoules: number;
  readonly copyMicrojoules: number;
}

/** An unmoving zone to be replaced by its copy, which counts. */
export interface Takeover {
  readonly from: Zone;
  /** The copy; its own copies include the replaced zone. */
  readonly to: Zone;
  /** Has counted the copy since the other zone stopped moving. */
  readonly counter: WrappingCounter;
}

/** The findings of a check. */
interface Findings {
  readonly takeovers: readonly Takeover[];
  readonly notes: readonly Note[];
}

/**
 * Compares zones that show the same domain (MSR and MMIO) by their movement. When they grow at different rates,
 * one of them is wrong, and a warning names both. When a zone does not change, or cannot be read, for 10 s in
 * which its copy counts a joule, the copy replaces it. No joule is lost, since the copy has been counted since
 * the zone stopped moving, and none is counted twice, since the zone is no longer read.
 */
export class CopyWatch {
  #pairs: readonly Pair[];
  #checkedMs: number;

  /** @param previous the previous watch, whose comparisons continue */
  constructor(zones: readonly Zone[], nowMs: number, previous?: CopyWatch) {
    const known = previous === undefined ? [] : previous.#pairs;
    this.#pairs = zones.flatMap((zone) => createPairs(zone, nowMs)).map((pair) => continuePair(pair, known));
    this.#checkedMs = previous === undefined ? nowMs : previous.#checkedMs;
  }

  /** Whether `check` has anything to do. */
  isDue(nowMs: number): boolean {
    return this.#pairs.length > 0 && nowMs - this.#checkedMs >= checkMs;
  }

  /**
   * Compares the counts since the last call.
   * @param wasRead whether a zone gave a reading since then
   */
  check(nowMs: number, wasRead: (zone: Zone) => boolean): Findings {
    this.#checkedMs = nowMs;
    const takeovers: Takeover[] = [];
    const notes: Note[] = [];
    for (const pair of this.#pairs) {
      const shown = readPair(pair);
      const isTaken = takeovers.some(({ from }) => from === pair.zone);
      if (!isTaken && follow(pair, shown, { nowMs, wasRead: wasRead(pair.zone) })) {
        takeovers.push(takeOver(pair));
        notes.push(describeTakeover(pair));
      } else notes.push(...compare(pair, shown));
    }
    for (const takeover of takeovers) this.#replace(takeover, nowMs);
    return { takeovers, notes };
  }

  #replace({ from, to }: Takeover, nowMs: number): void {
    this.#pairs = [...this.#pairs.filter(({ zone }) => zone !== from), ...createPairs(to, nowMs)];
  }
}

function createPairs(zone: Zone, nowMs: number): readonly Pair[] {
  return zone.copies.map((copy) => createPair(zone, copy, nowMs));
}

function createPair(zone: Zone, copy: Zone, nowMs: number): Pair {
  const before = readPair({ zone, copy });
  const counter = new WrappingCounter(copy);
  counter.update(before.copyMicrojoules, nowMs);
  return { zone, copy, counter, latest: before.microjoules, stillMs: nowMs, before, isDoubtful: false };
}

function continuePair(pair: Pair, known: readonly Pair[]): Pair {
  const { zone, copy } = pair;
  const before = known.find((one) => one.zone.path === zone.path && one.copy.path === copy.path);
  return before ? { ...before, zone, copy } : pair;
}

function readPair({ zone, copy }: Pick<Pair, 'zone' | 'copy'>): Shown {
  const microjoules = readEnergy(zone.path) ?? NaN;
  return { microjoules, copyMicrojoules: readEnergy(copy.path) ?? NaN };
}

/** @returns whether the zone did not move, or could not be read, long enough while its copy counted */
function follow(
  pair: Pair,
  { microjoules, copyMicrojoules }: Shown,
  { nowMs, wasRead }: { readonly nowMs: number; readonly wasRead: boolean },
): boolean {
  const { counter } = pair;
  // A zone that fails now but was read meanwhile has published its count until then.
  const hasMoved = !Object.is(microjoules, pair.latest) || (Number.isNaN(microjoules) && wasRead);
  pair.latest = microjoules;
  if (hasMoved) counter.restart();
  const isContinuous = counter.update(copyMicrojoules, nowMs);
  if (hasMoved || !isContinuous) pair.stillMs = nowMs;
  return nowMs - pair.stillMs >= checkMs && counter.joules * 1e6 >= minMicrojoules;
}

function takeOver({ zone, copy, counter }: Pair): Takeover {
  const others = zone.copies.filter((one) => one !== copy);
  return { from: zone, to: { ...copy, copies: [zone, ...others] }, counter };
}

function describeTakeover({ zone, copy, counter, latest }: Pair): Note {
  const [read, other] = [nameFolder(zone.path), nameFolder(copy.path)];
  const counted = `${round(counter.joules * 1e6)} J`;
  const stood = Number.isNaN(latest) ? 'gave no reading' : 'stood still';
  const text = `${nameDomain(zone.domain)} is read from ${other} instead of ${read}, which ${stood} while ${other} counted ${counted}`;
  return { level: 'warn', text };
}

/** Logs when the two start to grow at different rates, and when they agree again. */
function compare(pair: Pair, shown: Shown): readonly Note[] {
  const growth = shown.microjoules - pair.before.microjoules;
  const copyGrowth = shown.copyMicrojoules - pair.before.copyMicrojoules;
  // Not at a wrap, nor when one could not be read.
  const isComparable = growth >= 0 && copyGrowth >= 0;
  if (isComparable && Math.max(growth, copyGrowth) < minMicrojoules) return [];
  pair.before = shown;
  const isDoubtful = Math.abs(growth - copyGrowth) > maxDeviation * Math.max(growth, copyGrowth);
  if (!isComparable || isDoubtful === pair.isDoubtful) return [];
  pair.isDoubtful = isDoubtful;
  const names = `${nameFolder(pair.zone.path)} and ${nameFolder(pair.copy.path)}, both ${nameDomain(pair.zone.domain)}`;
  if (!isDoubtful) return [{ level: 'info', text: `${names}, agree again` }];
  const counted = `${round(growth)} J and ${round(copyGrowth)} J`;
  return [{ level: 'warn', text: `${names}, do not agree: ${counted}; the first is read` }];
}

function round(microjoules: number): number {
  return Math.round(microjoules / 1e4) / 100;
}

// They are not read at the same instant.
const maxApartMicrojoules = 1_000_000;

/** For messages: which zone is read if several show a domain. */
export function describeCopies(zones: readonly Zone[]): readonly string[] {
  return zones.flatMap(({ domain, path, copies }) =>
    copies.map((copy) => {
      const [read, other] = [nameFolder(path), nameFolder(copy.path)];
      return `${nameDomain(domain)} is read from ${read}, not from ${other}${compareShown(path, copy.path)}`;
    }),
  );
}

function compareShown(path: string, copy: string): string {
  const apart = Math.abs((readEnergy(path) ?? NaN) - (readEnergy(copy) ?? NaN));
  if (Number.isNaN(apart)) return '';
  return apart <= maxApartMicrojoules ? ', which shows the same' : ', which has a count of its own';
}
