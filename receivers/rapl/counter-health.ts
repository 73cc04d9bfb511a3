import type { Domain } from './domain.js';

/**
 * What is known of a counter. Only movement is evidence, and later evidence reverses every state.
 *
 * - `unknown`: shows nothing so far, or may be a copy of another counter. Not published.
 * - `alive`: it moved since the last check.
 * - `resting`: it does not change, but has counted before. Published.
 * - `dead`: it did not change for a minute while its package drew 200 J. Not published until it moves.
 * - `copy`: it moves with another counter, which is published for both.
 */
export type HealthState = 'unknown' | 'alive' | 'resting' | 'dead' | 'copy';

// A part that does not move for this long, while its package draws 200 J, counts nothing.
const deadAfterMs = 60_000;
const deadAfterJoules = 200;

/** Decides by movement whether a counter counts anything, and whether it is not a copy. */
export class CounterHealth {
  /** The counters that it may be identical with, including this one. */
  twins: Twins | undefined;
  /** Whether it is published for all of its twins. */
  isFirst = false;
  /** By its own movement only. */
  #state: Exclude<HealthState, 'copy'>;
  #joules = 0;
  #movedMs;
  #packageJoules = NaN;

  /** @param hasCounted whether it had counted something before it was opened */
  constructor(hasCounted: boolean, nowMs: number) {
    this.#state = hasCounted ? 'resting' : 'unknown';
    this.#movedMs = nowMs;
  }

  get state(): HealthState {
    if (this.twins?.verdict === 'unknown') return 'unknown';
    return this.isOneOfMany && !this.isFirst ? 'copy' : this.#state;
  }

  /** Whether it counts something of its own, as far as is known. */
  get isCounting(): boolean {
    const { state } = this;
    return state === 'alive' || state === 'resting';
  }

  /** Whether others show the same counter. */
  get isOneOfMany(): boolean {
    return this.twins?.verdict === 'same';
  }

  /** The counter was reset, or opened again: it counts from 0. */
  restart(): void {
    this.#joules = 0;
  }

  /**
   * Checks the counter.
   * @param joules NaN: not read
   * @param packageJoules of the package that it is a part of; undefined if not moving proves nothing
   */
  look(joules: number, packageJoules: number | undefined, nowMs: number): void {
    if (Number.isNaN(joules) || Number.isNaN(packageJoules)) return;
    const hasMoved = joules !== this.#joules;
    this.#joules = joules;
    if (hasMoved) this.#state = 'alive';
    else if (this.#state === 'alive') this.#state = 'resting';
    this.#followPackage(hasMoved, packageJoules ?? 0, nowMs);
  }

  #followPackage(hasMoved: boolean, packageJoules: number, nowMs: number): void {
    const drawn = packageJoules - this.#packageJoules;
    // Unknown so far, or the counter of the package was reset.
    const isComparable = drawn >= 0;
    if (hasMoved || !isComparable) {
      this.#movedMs = nowMs;
      this.#packageJoules = packageJoules;
    } else if (
      this.#state === 'resting' &&
      drawn >= deadAfterJoules &&
      nowMs - this.#movedMs >= deadAfterMs
    ) {
      this.#state = 'dead';
    }
  }
}

/** The column of the package whose energy shows whether a part is dead; undefined: none does. */
export function findPackage(domains: readonly Domain[], { kind, ...place }: Domain): number | undefined {
  // An integrated GPU may be idle for days.
  if (kind === 'package' || kind === 'uncore') return undefined;
  const column = domains.findIndex(
    (other) =>
      other.kind === 'package' &&
      (kind === 'psys' || (other.package === place.package && other.die === place.die)),
  );
  return column < 0 ? undefined : column;
}

// Counters that differ by this much are different: no time between their readings explains it.
const farApartMicrojoules = 5_000_000_000;
// A single comparison may be affected by an incomplete reading, or by files that are being written.
const enough = 2;

/** Reads a counter file, in microjoules; undefined if it cannot be read. */
export type ReadCounter = (path: string) => number | undefined;

/**
 * Counters that may be identical: dies of a package (older kernels show the counter of the package once per
 * die), or `psys` of several sockets. They are compared while they move; equality at one instant proves
 * nothing.
 */
export class Twins {
  readonly paths: readonly string[];
  /** `different` is final. `same` is reversed when they start to differ. */
  verdict: 'unknown' | 'same' | 'different' = 'unknown';
  #lastEqual = NaN;
  #equal = 0;
  #unequal = 0;

  constructor(paths: readonly string[]) {
    this.paths = paths;
  }

  /** Compares all of them once. */
  compare(read: ReadCounter): void {
    if (this.verdict === 'different') return;
    const comparison = readTogether(this.paths, read);
    if (comparison === undefined) return;
    if (comparison.isEqual) this.#countEqual(comparison.microjoules);
    else this.#countUnequal(read);
  }

  /** Decides with what is known, before the last readings are published. */
  settle(read: ReadCounter): void {
    this.compare(read);
    this.compare(read);
    if (this.verdict === 'unknown') this.verdict = this.#unequal > 0 ? 'different' : 'unknown';
  }

  #countEqual(microjoules: number): void {
    this.#unequal = 0;
    if (microjoules === this.#lastEqual || microjoules === 0) return;
    this.#lastEqual = microjoules;
    this.#equal++;
    if (this.#equal >= enough) this.verdict = 'same';
  }

  #countUnequal(read: ReadCounter): void {
    const again = readTogether(this.paths, read);
    if (again === undefined || again.isEqual) return;
    this.#unequal += again.apart >= farApartMicrojoules ? enough : 1;
    if (this.#unequal >= enough) this.verdict = 'different';
  }
}

interface Comparison {
  readonly isEqual: boolean;
  /** The reading of the first of them. */
  readonly microjoules: number;
  /** The difference between the smallest and the greatest reading, in microjoules. */
  readonly apart: number;
}

/**
 * If they are one counter, all readings lie between two readings of the first, taken before and after, however
 * fast it counts.
 */
function readTogether(paths: readonly string[], read: ReadCounter): Comparison | undefined {
  const readable = paths.filter((path) => read(path) !== undefined);
  const [before, ...between] = readable.map((path) => read(path) ?? NaN);
  const after = read(readable[0] ?? '') ?? NaN;
  // Fewer than two can be read, one failed meanwhile, or the counter wrapped.
  if (before === undefined || between.length === 0 || !(before <= after)) return undefined;
  if (between.some(Number.isNaN)) return undefined;
  const isEqual = between.every((one) => before <= one && one <= after);
  const all = [before, after, ...between];
  return { isEqual, microjoules: before, apart: Math.max(...all) - Math.min(...all) };
}

/**
 * The columns of counters that may be identical, at least two each. Counters of perf_event have no path and are
 * never identical: the kernel has one per die only if dies have counters of their own, except on AMD, where
 * only one per package is read.
 */
export function findTwins(
  places: readonly { readonly domain: Domain; readonly path: string }[],
): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [column, { domain, path }] of places.entries()) {
    const { kind, package: packageId, die } = domain;
    if (path === '' || (kind !== 'psys' && die === undefined)) continue;
    const key = kind === 'psys' ? kind : `${kind} ${packageId}`;
    groups.set(key, [...(groups.get(key) ?? []), column]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** For messages: counters that show the same value and have not moved. */
export function describeUndecided(names: readonly string[]): string {
  const all = names.join(' and ');
  return `${all} show the same and have not moved, so may be one counter: published when they move, with all that they count`;
}
