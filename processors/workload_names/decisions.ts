import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { findLookups, type Lookup } from './lookup.js';

/** The names of an id. Once there are some, or it is decided that there are none, they hold while a live series has it. */
export interface Decision {
  readonly lookup: Lookup;
  /** Undefined: still looked up. */
  names: Attributes | undefined;
  /** Whether every source answered, so that asking again soon would give the same. */
  isCertain: boolean;
  /** Live series that were forwarded with it. */
  liveSeries: number;
}

/** How long the names of an id without live series are kept: short processes of one container come and go. */
const keptMs = 120_000;
/** Ids without live series that are kept at most. */
const maxKept = 10_000;

/** Of a resource without ids, which most are: nothing is kept of it. */
const none: readonly Decision[] = [];

/** What was decided for each id. */
export class Decisions {
  readonly #nowMs: () => number;
  readonly #byKey = new Map<string, Decision>();
  /** Those without live series, the one that lost its last first first, and when they are forgotten. */
  readonly #unused = new Map<Decision, number>();
  /** Those without live series that are to be looked up again when one comes. */
  readonly #uncertain = new Set<Decision>();
  readonly #ofResources = new WeakMap<Resource, readonly Decision[]>();

  /** @param nowMs a monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** How many ids are known. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The decisions for the ids of these series; what was not known at all is also added to `created`. */
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

  /** The decisions for the ids of a resource: the same array while they are the same. */
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

  /** Forgets what no live series has, after a time. Not to be called while tables are held: they need their decisions. */
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
