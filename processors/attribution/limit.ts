import type { Group } from './views.js';

/** What a group used this long ago counts half. */
const halfLifeNs = 30e9;
/** Groups that wait for another's place are compared with it this often. */
const contestEveryNs = 1e9;
/** To take a place, a group must have used this many times as much as its holder, and this much more. */
const hysteresis = 1.5;
const marginNs = 50e6;
/** As many groups as the limit may get a place in this time: where processes come and go, most do so without one. */
const turnoverNs = 60e9;
/** Weights are scaled down before they overflow. */
const largestExponent = 500;

/**
 * Decides which groups of a view have series of their own: those that used most CPU time recently, by which energy is
 * shared. A place is kept until its group ends or another one used clearly more. Times are nanoseconds.
 */
export class Limit {
  /** How often a group got a place or lost one. */
  changes = 0;
  readonly #most: number;
  readonly #shown = new Set<Group>();
  readonly #waiting = new Set<Group>();
  /** How many places may be given now. */
  #budget: number;
  #rankedAt = NaN;
  #contestedAt = -Infinity;
  /** Weights count from here: later use weighs more, and no weight has to be lowered as time passes. */
  #baseAt = NaN;
  #factor = 1;

  /** @param most groups that have series of their own at a time */
  constructor(most: number) {
    this.#most = most;
    // The first that are seen leave enough for those that follow.
    this.#budget = 2 * most;
  }

  /** Time passes up to the boundary that the next weights belong to. */
  advance(at: number): void {
    if (Number.isNaN(this.#baseAt)) this.#baseAt = at;
    const exponent = (at - this.#baseAt) / halfLifeNs;
    if (exponent > largestExponent) this.#rebase(at, exponent);
    this.#factor = 2 ** ((at - this.#baseAt) / halfLifeNs);
  }

  /** A group used CPU time. */
  weigh(group: Group, cpuNs: number): void {
    group.weight += cpuNs * this.#factor;
    if (!group.isShown) this.#waiting.add(group);
  }

  /**
   * Gives places to the groups with the largest weights.
   * @returns those that lost theirs
   */
  rank(at: number): readonly Group[] {
    this.#refill(at);
    while (this.#shown.size < this.#most && this.#canShow()) this.#show(findHeaviest(this.#waiting));
    if (at - this.#contestedAt < contestEveryNs) return [];
    this.#contestedAt = at;
    return this.#contest();
  }

  /** A group has ended. */
  remove(group: Group): void {
    this.#shown.delete(group);
    this.#waiting.delete(group);
  }

  #refill(at: number): void {
    const passedNs = at - this.#rankedAt;
    this.#rankedAt = at;
    if (this.#budget >= this.#most || !(passedNs > 0)) return;
    this.#budget = Math.min(this.#most, this.#budget + (passedNs / turnoverNs) * this.#most);
  }

  #canShow(): boolean {
    return this.#waiting.size > 0 && this.#budget >= 1;
  }

  #contest(): readonly Group[] {
    const hidden: Group[] = [];
    while (this.#shown.size > 0 && this.#canShow()) {
      const lightest = findLightest(this.#shown);
      const heaviest = findHeaviest(this.#waiting);
      if (heaviest.weight <= hysteresis * lightest.weight + marginNs * this.#factor) break;
      this.#hide(lightest);
      this.#show(heaviest);
      hidden.push(lightest);
    }
    return hidden;
  }

  #show(group: Group): void {
    this.changes += 1;
    group.isShown = true;
    this.#waiting.delete(group);
    this.#shown.add(group);
    this.#budget -= 1;
  }

  #hide(group: Group): void {
    this.changes += 1;
    group.isShown = false;
    this.#shown.delete(group);
    this.#waiting.add(group);
  }

  #rebase(at: number, exponent: number): void {
    for (const groups of [this.#shown, this.#waiting]) {
      for (const group of groups) group.weight *= 2 ** -exponent;
    }
    this.#baseAt = at;
  }
}

/** The first of those with the largest weight. */
function findHeaviest(groups: ReadonlySet<Group>): Group {
  let [heaviest] = groups;
  for (const group of groups) if (group.weight > heaviest.weight) heaviest = group;
  return heaviest;
}

/** The last of those with the smallest weight. */
function findLightest(groups: ReadonlySet<Group>): Group {
  let [lightest] = groups;
  for (const group of groups) if (group.weight <= lightest.weight) lightest = group;
  return lightest;
}
