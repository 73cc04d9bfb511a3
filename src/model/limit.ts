/** Waiting members are compared with the holders of places this often. */
const contestEveryNs = 1e9;
/** To replace a holder, a member must have used this many times as much. */
const hysteresis = 1.5;
/** At most `places` members get a place in this time: when processes come and go quickly, most never get one. */
const turnoverNs = 60e9;
/** Weights are scaled down before they overflow. */
const maxExponent = 500;

/** A candidate for a place: a group of series or workloads. */
export interface Ranked {
  /** Whether it has a place. */
  isShown: boolean;
  /** Its use, with recent use weighted more, in the units of its limit. */
  weight: number;
}

export interface LimitOptions {
  /** Maximum number of members with a place. */
  readonly places: number;
  /** Use this long ago counts half. */
  readonly halfLifeNs: number;
  /** To replace a holder, a member must have used this much more, in the unit of its use. */
  readonly margin: number;
}

/**
 * Decides which members of a set have a place: those with the most recent use. A member keeps its place until
 * it ends or another one has used clearly more. Times are nanoseconds.
 */
export class Limit<Member extends Ranked> {
  /** How often a member got or lost a place. */
  changes = 0;
  readonly #places: number;
  readonly #halfLifeNs: number;
  readonly #margin: number;
  readonly #shown = new Set<Member>();
  readonly #waiting = new Set<Member>();
  /** How many places may be given at present. */
  #budget: number;
  #rankedAt = NaN;
  #contestedAt = -Infinity;
  /** Weights are relative to this time: later use weighs more, so that no weight has to be lowered as time passes. */
  #baseAt = NaN;
  #factor = 1;

  constructor({ places, halfLifeNs, margin }: LimitOptions) {
    this.#places = places;
    this.#halfLifeNs = halfLifeNs;
    this.#margin = margin;
    // Leaves places for later members after the first ones are seen.
    this.#budget = 2 * places;
  }

  /** Advances to the time boundary that the next weights belong to. */
  advance(at: number): void {
    if (Number.isNaN(this.#baseAt)) this.#baseAt = at;
    const exponent = (at - this.#baseAt) / this.#halfLifeNs;
    if (exponent > maxExponent) this.#rebase(at, exponent);
    this.#factor = 2 ** ((at - this.#baseAt) / this.#halfLifeNs);
  }

  /** Adds use of a member; a member without a place becomes a candidate. */
  weigh(member: Member, used: number): void {
    member.weight += used * this.#factor;
    if (!member.isShown) this.#waiting.add(member);
  }

  /**
   * Gives places to the members with the largest weights.
   * @returns the members that lost theirs
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

/** The first member in rank order; the set must not be empty. */
function findFirst<Member extends Ranked>(
  members: ReadonlySet<Member>,
  isBefore: (one: Member, other: Member) => boolean,
): Member {
  let first: Member | undefined;
  for (const member of members) if (first === undefined || isBefore(member, first)) first = member;
  if (first !== undefined) return first;
  throw new RangeError('Cannot rank members: expected at least one, found none');
}

/** The first member with the largest weight. */
function findHeaviest<Member extends Ranked>(members: ReadonlySet<Member>): Member {
  return findFirst(members, (one, other) => one.weight > other.weight);
}

/** The last member with the smallest weight. */
function findLightest<Member extends Ranked>(members: ReadonlySet<Member>): Member {
  return findFirst(members, (one, other) => one.weight <= other.weight);
}
