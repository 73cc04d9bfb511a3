import { elementAt } from '../element.js';
import { EnergyCurve } from '../energy/energy-curve.js';
import type { MeterFacts } from '../energy/meter-facts.js';
import { createGap, cutUsage, mergeUsages, type Usage, type UsageTick } from './usage.js';
import { splitUsage } from './usage-split.js';

/**
 * Maximum number of boundaries that are held until energy arrives; beyond it, adjacent ones are merged in
 * pairs: windows get longer, totals do not change.
 */
const maxPending = 4096;
/**
 * Ratio of the time between two knots to that between two boundaries from which on usage is divided at a knot, not energy
 * at a boundary: where refreshes set it, the error is smaller then. Where readings do, they may be as frequent as boundaries.
 */
const slowRefreshes = 0.75;
const slowReadings = 1.25;
/** Weight of a new time between two boundaries in their mean. */
const learningRate = 1 / 16;

/** A window of one domain. Times are nanoseconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
  /** Whole nanojoules. */
  readonly energyNj: number;
  /** Learned refresh interval of the meter; 0: not known yet. */
  readonly refreshNs: number;
  /** Maximum age of the energy that the meter shows, different at each end. */
  readonly lagNs: number;
  /** Further age of this energy, alike at both ends, up to the length of the window; undefined: none. */
  readonly delayNs?: number;
  /**
   * Total time at both ends for which energy or usage may be on the wrong side of the end; 0: both ends are readings of
   * the energy and of the usage.
   */
  readonly edgeNs: number;
  /** Mean time between readings of power that none of them covers; undefined: a meter counted the energy. */
  readonly sampleNs?: number;
  /** Of a remainder: energy of the domains within its meter that is not idle; it varies with the load as well. */
  readonly domainsNj?: number;
  /** How far the usage may lag behind; 0: it is exact. */
  readonly tickNs: number;
  readonly usage: Usage;
  /** The readings from which its energy was computed; only where they are kept. */
  readonly ends?: WindowEnds;
}

/** A point of a curve: nanoseconds and whole nanojoules. */
export interface Settled {
  readonly at: number;
  readonly nj: number;
}

/** The curve at the ends of a window. Knots are time and value of two points; between them the curve is linear. */
export interface WindowEnds {
  /** The value of the curve at the start, whole nanojoules. */
  readonly from_nj: number;
  /** Around the start, where it is the first window. */
  readonly knots_from?: readonly number[];
  readonly knots_to: readonly number[];
}

/**
 * Cuts the curve of one energy counter at the boundaries of the usage (docs/ledger.md, Windows). A window ends
 * at the first boundary that follows a new knot and is not too close for the tick of the usage, once the curve
 * is known up to it. If the knots are farther apart than the boundaries, it ends at the last knot before that boundary, and
 * the usage is divided there: less is assumed about it than about the energy between two knots.
 */
export class Windows {
  readonly curve: EnergyCurve;
  /** The end of the previous counter of the domain: its windows end later. */
  endsAfter = -Infinity;
  readonly #maxWindowNs: number;
  readonly #tick: UsageTick;
  readonly #keepsEnds: boolean;
  /** Only where power is read: the time over which each reading is a mean. */
  readonly #meanNs: number | undefined;
  #pending: Usage[] = [];
  #knotsFrom: readonly number[] | undefined;
  #from = NaN;
  #fromNj = 0;
  #fromEdgeNs = 0;
  /** As `edgeNs`, at the end of the next window: of a usage that was divided there; 0: none was. */
  #splitEdgeNs = 0;
  /** The last boundary, and the mean time between two. */
  #pushedTo = NaN;
  #usageNs = NaN;
  #isClosed = false;
  /** Whether the usage has reached the end of the curve. */
  #isPast = false;
  #hasWindow = false;

  /**
   * @param maxWindowNs a longer window is a gap
   * @param keepsEnds whether windows include the readings that their energy was computed from
   * @param facts undefined: only the readings of the meter are known
   */
  constructor(maxWindowNs: number, tick: UsageTick, keepsEnds = false, facts?: MeterFacts) {
    this.curve = new EnergyCurve(facts?.refreshNs);
    this.#meanNs = facts?.isSampled === true ? (facts.refreshNs ?? Infinity) : undefined;
    this.#maxWindowNs = maxWindowNs;
    this.#tick = tick;
    this.#keepsEnds = keepsEnds;
  }

  /** The end of the last window, or the beginning of the curve, and its energy up to there; undefined: it has not begun. */
  get settled(): Settled | undefined {
    if (!Number.isNaN(this.#from)) return { at: this.#from, nj: this.#fromNj };
    const { firstAt } = this.curve;
    return Number.isNaN(firstAt) ? undefined : { at: firstAt, nj: this.curve.energyNjAt(firstAt) };
  }

  /** Whether its curve begins before the previous one ended: the clock was set back. */
  get isSetBack(): boolean {
    return !this.#hasWindow && this.curve.oldestAt < this.endsAfter;
  }

  /** Whether no further readings are accepted. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether it will never have another window. */
  get isDrained(): boolean {
    return this.#isPast && this.#pending.length === 0;
  }

  /** Receives the usage up to a boundary. Boundaries are ascending, unless the clock was set back. */
  push(usage: Usage): void {
    if (this.#isPast) return;
    if (usage.to <= this.#pushedTo) return this.#isClosed ? this.finish() : undefined;
    if (this.#isClosed && !(usage.to <= this.curve.lastAt)) {
      this.#end(usage);
      return;
    }
    this.#pending.push(usage);
    this.#learn(usage.to);
    this.#forgetLongAgo(usage.to);
    if (this.#pending.length > maxPending) this.#pending = mergeByTwos(this.#pending);
  }

  #learn(to: number): void {
    const usageNs = to - this.#pushedTo;
    this.#usageNs = this.#usageNs > 0 ? this.#usageNs + (usageNs - this.#usageNs) * learningRate : usageNs;
    this.#pushedTo = to;
  }

  /**
   * No energy will follow: the last window ends with the last reading.
   * @returns the usage since then, so far
   */
  close(): readonly Usage[] {
    if (this.#isClosed) return [];
    this.#isClosed = true;
    this.curve.finish();
    const first = this.#pending.findIndex(({ to }) => !(to <= this.curve.lastAt));
    const beyond = first < 0 ? [] : this.#pending.splice(first);
    const [beyondLast] = beyond;
    if (beyondLast) this.#end(beyondLast);
    return beyond;
  }

  /** No energy or usage will follow. */
  finish(): void {
    this.close();
    if (!this.#isPast) this.#end(createGap(this.curve.lastAt));
  }

  /** Takes the next window if its energy and its usage are known; undefined: not yet. */
  takeReady(): Window | undefined {
    const index = this.#findReady();
    if (index >= 0) return this.#cut(this.#pending.splice(0, index + 1));
    if (this.#isPast) this.#pending = [];
    return undefined;
  }

  /** Whether no future window can still charge workloads that existed at this boundary. */
  isDoneWith(boundary: number): boolean {
    const waiting = this.#pending.find((usage) => !usage.isGap);
    return waiting === undefined || waiting.firstTo > boundary;
  }

  /** Takes the usage in which the curve ends: it shares the energy up to there, and is the last one. */
  #end(usage: Usage): void {
    this.#isPast = true;
    const { lastAt } = this.curve;
    const reachedAt = this.#pending.at(-1)?.to ?? this.#from;
    if (!Number.isNaN(lastAt) && !(reachedAt >= lastAt)) this.#pending.push(cutUsage(usage, lastAt));
  }

  /** @returns the index of the boundary at which the next window ends; -1: not known yet */
  #findReady(): number {
    const { lastAt } = this.curve;
    if (Number.isNaN(lastAt) || this.#pending.length === 0) return -1;
    if (Number.isNaN(this.#from)) this.#begin(lastAt);
    if (Number.isNaN(this.#from)) return -1;
    const knotAt = this.curve.findKnotAfter(this.#from);
    const minTo = this.#from + this.#tick.minWindowNs;
    const index = this.#pending.findIndex(({ to }) => to >= knotAt && to >= minTo && to > this.endsAfter);
    const found = this.#pending[index];
    if (found !== undefined && this.#splitAtKnot(index, minTo)) return index;
    if (found !== undefined && found.to <= lastAt) {
      // The energy after the last boundary does not make a gap of the time before it.
      return this.#isClosed && index > 0 && found.isGap ? index - 1 : index;
    }
    // No knot will follow: the rest extends to the last boundary that the curve reaches.
    return this.#isClosed ? this.#pending.findLastIndex(({ to }) => to <= lastAt) : -1;
  }

  /**
   * Divides the usage in which the next window ends at the last knot in it, if the meter is slow.
   * @returns whether it was divided: the window ends with the part up to the knot
   */
  #splitAtKnot(index: number, minTo: number): boolean {
    const usage = elementAt(this.#pending, index);
    const from = index === 0 ? this.#from : elementAt(this.#pending, index - 1).to;
    const { to } = usage;
    const { changeNs, refreshNs } = this.curve;
    const slowRatio = refreshNs > 0 ? slowRefreshes : slowReadings;
    if (usage.isGap || !(changeNs >= slowRatio * this.#usageNs)) return false;
    const at = this.curve.findKnotUpTo(to);
    if (!(at > from && at < to && at >= minTo && at > this.endsAfter)) return false;
    this.#pending.splice(index, 1, ...splitUsage(usage, from, at));
    this.#splitEdgeNs = ((at - from) * (to - at)) / (to - from);
    return true;
  }

  /** The first window starts where the energy starts to be known, so that no counted energy is missing. */
  #begin(lastAt: number): void {
    const { firstAt } = this.curve;
    this.#pending = this.#pending.filter(({ to }) => to > firstAt);
    const [first] = this.#pending;
    if (first === undefined || first.to > lastAt) return;
    this.#from = firstAt;
    this.#fromNj = this.curve.energyNjAt(firstAt);
    this.#fromEdgeNs = 0;
    if (this.#keepsEnds) this.#knotsFrom = this.curve.knotsAround(firstAt);
    // The usage before its first reading is not known. That is a gap only where the meter includes the energy
    // of that time.
    if (first.isGap && !(this.curve.findKnotAfter(firstAt) <= first.to)) this.#pending.shift();
  }

  #cut(usages: readonly Usage[]): Window {
    this.#hasWindow = true;
    const usage = mergeUsages(usages);
    const { to } = usage;
    const from = this.#from;
    // A curve that was thinned in the meantime may be lower than before.
    const energyNj = Math.max(0, this.curve.energyNjAt(to) - this.#fromNj);
    const fromEdgeNs = this.#fromEdgeNs;
    const ends = this.#keepsEnds ? this.#findEnds(to) : undefined;
    this.#from = to;
    this.#fromNj += energyNj;
    this.#fromEdgeNs = Math.max(this.#splitEdgeNs, this.curve.edgeNsAt(to));
    this.#splitEdgeNs = 0;
    this.curve.forgetBefore(to);
    return {
      from,
      to,
      energyNj,
      refreshNs: this.curve.refreshNs,
      // The end of a reading of power is its instant.
      lagNs: this.#meanNs === undefined ? this.curve.lagNs : 0,
      delayNs: Math.min(to - from, this.#meanNs ?? this.curve.delayNs),
      edgeNs: Math.hypot(fromEdgeNs, this.#fromEdgeNs),
      tickNs: this.#tick.ns,
      ...(this.#meanNs !== undefined && { sampleNs: Math.max(0, this.curve.readNs - this.#meanNs) }),
      usage: to - from > this.#maxWindowNs ? createGap(to) : usage,
      ...(ends && { ends }),
    };
  }

  #findEnds(to: number): WindowEnds {
    const knots = this.#knotsFrom;
    this.#knotsFrom = undefined;
    return {
      from_nj: this.#fromNj,
      ...(knots && { knots_from: knots }),
      knots_to: this.curve.knotsAround(to),
    };
  }

  /** Discards usage older than the maximum window: a window that needs it will be a gap. */
  #forgetLongAgo(now: number): void {
    const isLongAgo = ({ to }: Usage) => now - to >= this.#maxWindowNs;
    const last = this.#pending.findLastIndex(isLongAgo);
    const old = this.#pending[last];
    if (old !== undefined && (last > 0 || !old.isGap)) this.#pending.splice(0, last + 1, createGap(old.to));
  }
}

function mergeByTwos(usages: readonly Usage[]): Usage[] {
  return usages.flatMap((usage, i) => {
    if (i % 2 === 1) return [];
    const next = usages.at(i + 1);
    return [next === undefined ? usage : mergeUsages([usage, next])];
  });
}
