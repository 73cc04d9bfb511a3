import type { Domain } from './domain.js';

// A part that stands still while its package draws as much, for as long, counts nothing.
const deadAfterMs = 60_000;
const deadAfterJoules = 200;

/** What is known of one counter. */
interface Watched {
  /** The column of the package of which it is a part, or which is a part of it; -1: nothing tells. */
  readonly parent: number;
  isAlive: boolean;
  joules: number;
  /** When it last moved, and what its package had counted by then. */
  movedMs: number;
  parentJoules: number;
}

/**
 * Tells dead counters from live ones: dead is what stands still while its package counts, alive again what moves. An
 * integrated GPU may rest for days: it is dead only if it is so from the beginning.
 */
export class Liveness {
  readonly #watched: readonly Watched[];

  constructor(domains: readonly Domain[], isAlive: readonly boolean[], nowMs: number) {
    this.#watched = domains.map((domain, column) => ({
      parent: domain.kind === 'uncore' || domain.kind === 'package' ? -1 : findParent(domains, domain),
      isAlive: isAlive[column],
      joules: Number.NaN,
      movedMs: nowMs,
      parentJoules: 0,
    }));
  }

  isAlive(column: number): boolean {
    return this.#watched[column].isAlive;
  }

  /**
   * Looks at the latest reading of every counter, NaN for none.
   * @returns the columns that have become alive or dead
   */
  update(latest: Float64Array, nowMs: number): readonly number[] {
    return this.#watched.flatMap((watched, column) => {
      const { isAlive } = watched;
      if (!Number.isNaN(latest[column])) look(watched, latest, { column, nowMs });
      return watched.isAlive === isAlive ? [] : [column];
    });
  }
}

function look(
  watched: Watched,
  latest: Float64Array,
  { column, nowMs }: { readonly column: number; readonly nowMs: number },
): void {
  const joules = latest[column];
  const parentJoules = watched.parent < 0 ? 0 : latest[watched.parent];
  if (Number.isNaN(parentJoules)) return;
  const isFirst = Number.isNaN(watched.joules);
  const hasMoved = !isFirst && joules !== watched.joules;
  if (hasMoved) watched.isAlive = true;
  if (isFirst || hasMoved || parentJoules < watched.parentJoules) {
    Object.assign(watched, { joules, parentJoules, movedMs: nowMs });
  } else if (
    nowMs - watched.movedMs >= deadAfterMs &&
    parentJoules - watched.parentJoules >= deadAfterJoules
  ) {
    watched.isAlive = false;
  }
}

function findParent(domains: readonly Domain[], { kind, package: packageId, die }: Domain): number {
  return domains.findIndex(
    (other) =>
      other.kind === 'package' && (kind === 'psys' || (other.package === packageId && other.die === die)),
  );
}
