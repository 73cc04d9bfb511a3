import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { findLookups, type Lookup } from './lookup.js';

/** The names of an id. Once known, or decided to be none, they stay the same while a live series has the id. */
export interface Decision {
  readonly lookup: Lookup;
  /** Undefined: the lookup is pending. */
  names: Attributes | undefined;
  /** Whether every source answered, so that another lookup soon would have the same result. */
  isCertain: boolean;
  /** Number of live series that were forwarded with it. */
  liveSeries: number;
}

/** How long the names of an id without live series are kept: a container may have successive short processes. */
const keptMs = 120_000;
/** Maximum number of ids without live series that are kept. */
const maxKept = 10_000;

/** For resources without ids, which are the most: no state is kept for them. */
const none: readonly Decision[] = [];

/** The decisions on all ids. */
export class Decisions {
  readonly #nowMs: () => number;
  readonly #byKey = new Map<string, Decision>();
  /** Those without live series, in the order in which they lost their last one, and when they are removed. */
  readonly #unused = new Map<Decision, number>();
  /** Those without live series that are to be looked up again for the next series. */
  readonly #uncertain = new Set<Decision>();
  readonly #ofResources = new WeakMap<Resource, readonly Decision[]>();

  /** @param nowMs a monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Number of known ids. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The decisions for the ids of these series; new ones are also added to `created`. */
  collect(series: readonly Series[], created: Decision[]): Set<Decision> {
    const found = new Set<Decision>();
    let last: Resource | undefined;
    for (const { resource } of series) {
      if (resource === last) continue;
      last = resource;
      for (const lookup of findLookups(resource)) found.add(this.#findOrCreate(lookup, created));
    }
    return found;
  }

  /** The decisions for the ids of a resource: the same array as long as they are unchanged. */
  of(resource: Resource): readonly Decision[] {
    const known = this.#ofResources.get(resource);
    if (known?.every((decision) => this.#byKey.get(decision.lookup.key) === decision)) return known;
    const lookups = findLookups(resource);
    if (lookups.length === 0) return none;
    const decisions = lookups.flatMap(({ key }) => this.#byKey.get(key) ?? []);
    this.#ofResources.set(resource, decisions);
    return decisions;
  }

  /** A series is forwarded for the first time. */
  retain(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      decision.liveSeries += 1;
      this.#unused.delete(decision);
      this.#uncertain.delete(decision);
    }
  }

  /** A series has ended. */
  release(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      decision.liveSeries -= 1;
      if (decision.liveSeries > 0) continue;
      if (decision.isCertain) this.#unused.set(decision, this.#nowMs() + keptMs);
      else this.#uncertain.add(decision);
    }
  }

  /**
   * Removes ids without live series after some time. Not to be called while tables are held, which need their
   * decisions.
   */
  sweep(): void {
    for (const decision of this.#uncertain) this.#byKey.delete(decision.lookup.key);
    this.#uncertain.clear();
    if (this.#unused.size === 0) return;
    const nowMs = this.#nowMs();
    for (const [decision, untilMs] of this.#unused) {
      if (untilMs > nowMs && this.#unused.size <= maxKept) return;
      this.#unused.delete(decision);
      this.#byKey.delete(decision.lookup.key);
    }
  }

  #findOrCreate(lookup: Lookup, created: Decision[]): Decision {
    const known = this.#byKey.get(lookup.key);
    if (known) return known;
    const decision: Decision = { lookup, names: undefined, isCertain: false, liveSeries: 0 };
    this.#byKey.set(lookup.key, decision);
    created.push(decision);
    return decision;
  }
}
