/** Members that wait for another's place are compared with it this often. */
const contestEveryNs = 1e9;
/** To take a place, a member must have used this many times as much as its holder. */
const hysteresis = 1.5;
/** As many members as the limit may get a place in this time: where processes come and go, most do so without one. */
const turnoverNs = 60e9;
/** Weights are scaled down before they overflow. */
const maxExponent = 500;

/** What can have a place: a group of series, of workloads. */
export interface Ranked {
  /** Whether it has a place. */
  isShown: boolean;
  /** What it used, the recent more than the old, on the scale of its limit. */
  weight: number;
}

export interface LimitOptions {
  /** How many members have a place at a time. */
  readonly places: number;
  /** What a member used this long ago counts half. */
  readonly halfLifeNs: number;
  /** To take a place, a member must have used this much more than its holder, in the unit of what is weighed. */
  readonly margin: number;
}

/**
 * Decides which members of a set have a place: those that used most recently. A place is kept until its member ends or
 * another one used clearly more. Times are nanoseconds.
 */
export class Limit<Member extends Ranked> {
  /** How often a member got a place or lost one. */
  changes = 0;
  readonly #places: number;
  readonly #halfLifeNs: number;
  readonly #margin: number;
  readonly #shown = new Set<Member>();
  readonly #waiting = new Set<Member>();
  /** How many places may be given now. */
  #budget: number;
  #rankedAt = NaN;
  #contestedAt = -Infinity;
  /** Weights count from here: later use weighs more, and no weight has to be lowered as time passes. */
  #baseAt = NaN;
  #factor = 1;

  constructor({ places, halfLifeNs, margin }: LimitOptions) {
    this.#places = places;
    this.#halfLifeNs = halfLifeNs;
    this.#margin = margin;
    // The first that are seen leave enough for those that follow.
    this.#budget = 2 * places;
  }

  /** Time passes up to the boundary that the next weights belong to. */
  advance(at: number): void {
    if (Number.isNaN(this.#baseAt)) this.#baseAt = at;
    const exponent = (at - this.#baseAt) / this.#halfLifeNs;
    if (exponent > maxExponent) this.#rebase(at, exponent);
    this.#factor = 2 ** ((at - this.#baseAt) / this.#halfLifeNs);
  }

  /** A member used something, or exists: then it waits for a place. */
  weigh(member: Member, used: number): void {
    member.weight += used * this.#factor;
    if (!member.isShown) this.#waiting.add(member);
  }

  /**
   * Gives places to the members with the largest weights.
   * @returns those that lost theirs
   */
  rank(at: number): readonly Member[] {
    this.#refill(at);
    while (this.#shown.size < this.#places && this.#canShow()) this.#show(findHeaviest(this.#waiting));
    if (at - this.#contestedAt < contestEveryNs) return [];
    this.#contestedAt = at;
    return this.#contest();
  }

  /** A member has ended. */
  remove(member: Member): void {
    this.#shown.delete(member);
    this.#waiting.delete(member);
  }

  #refill(at: number): void {
    const passedNs = at - this.#rankedAt;
    this.#rankedAt = at;
    if (this.#budget >= this.#places || !(passedNs > 0)) return;
    this.#budget = Math.min(this.#places, this.#budget + (passedNs / turnoverNs) * this.#places);
  }

  #canShow(): boolean {
    return this.#waiting.size > 0 && this.#budget >= 1;
  }

  #contest(): readonly Member[] {
    const hidden: Member[] = [];
    while (this.#shown.size > 0 && this.#canShow()) {
      const lightest = findLightest(this.#shown);
      const heaviest = findHeaviest(this.#waiting);
      if (heaviest.weight <= hysteresis * lightest.weight + this.#margin * this.#factor) break;
      this.#hide(lightest);
      this.#show(heaviest);
      hidden.push(lightest);
    }
    return hidden;
  }

  #show(member: Member): void {
    this.changes += 1;
    member.isShown = true;
    this.#waiting.delete(member);
    this.#shown.add(member);
    this.#budget -= 1;
  }

  #hide(member: Member): void {
    this.changes += 1;
    member.isShown = false;
    this.#shown.delete(member);
    this.#waiting.add(member);
  }

  #rebase(at: number, exponent: number): void {
    for (const members of [this.#shown, this.#waiting]) {
      for (const member of members) member.weight *= 2 ** -exponent;
    }
    this.#baseAt = at;
  }
}

/** The member that comes before all others; there is at least one. */
function findFirst<Member extends Ranked>(
  members: ReadonlySet<Member>,
  isBefore: (one: Member, other: Member) => boolean,
): Member {
  let first: Member | undefined;
  for (const member of members) if (first === undefined || isBefore(member, first)) first = member;
  if (first !== undefined) return first;
  throw new RangeError('Cannot rank members: expected at least one, found none');
}

/** The first of those with the largest weight. */
function findHeaviest<Member extends Ranked>(members: ReadonlySet<Member>): Member {
  return findFirst(members, (one, other) => one.weight > other.weight);
}

/** The last of those with the smallest weight. */
function findLightest<Member extends Ranked>(members: ReadonlySet<Member>): Member {
  return findFirst(members, (one, other) => one.weight <= other.weight);
}
