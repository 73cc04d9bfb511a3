import { leastRefreshNs } from '../../src/energy/knot-finder.js';
import {
  byBandwidth,
  byEvents,
  byFrequency,
  byMisses,
  byTime,
  type Weight,
} from '../../src/usage/weighing.js';
import type { Window } from '../../src/usage/windows.js';
import type { FloorPower } from './floor.js';

/**
 * A meter shows what was used up to its last refresh, and a clock what was used up to the last tick. At both ends of a
 * window that is off by anything from nothing to the whole interval: 95 % of the differences are below this part of it.
 */
const edgeError = 0.8;
/** Between two readings, power is taken for even: on one side of a window's end there may be none of it, on the other twice. */
const powerRange = 2;
/** Only windows of this many refreshes show how low the power of a domain can be. */
const minRefreshes = 20;

/**
 * How far the energy per CPU or GPU second of two workloads may lie apart (docs/ledger.md, Uncertainty): processors
 * differ in it by clock, by what they execute and by whether the other thread of the core is busy; memory by how much of
 * the work misses the caches.
 */
const secondsRatio = 4;
const memoryRatio = 16;
/** The same without the clocks, as far as a power of the frequency describes them. */
const cyclesRatio = 3;
/** Of a byte: reads and writes, rows that are open and that are not. Of a miss also the bytes that it and prefetches move. */
const bytesRatio = 2;
const missesRatio = 3;

/** How far the energy per weight of two workloads lies apart. @param hwType whose energy is shared */
function findWeightRatio(hwType: string, weight: Weight): number {
  const ofTime = hwType === 'memory' ? memoryRatio : secondsRatio;
  return {
    [byTime]: ofTime,
    [byEvents]: ofTime,
    [byFrequency]: cyclesRatio,
    [byBandwidth]: bytesRatio,
    [byMisses]: missesRatio,
  }[weight];
}

/** What the error of a window is computed from, besides the window. */
export interface Evidence {
  /** Energy of the window that is shared by weight, the unattributed part of it included: nanojoules. */
  readonly dynamicNj: number;
  readonly unattributedNj: number;
  /** The largest part that one workload has of the weights, 0 to 1. */
  readonly topShare: number;
  /** By what it is shared. */
  readonly weight: Weight;
  /** What part of the weights is shared by CPU time, where it is not by that as a whole. */
  readonly timeShare: number;
  /** Undefined: not known. */
  readonly floor: FloorPower | undefined;
}

export interface UncertaintyOptions {
  /** Of the domain. */
  readonly hwType: string;
  readonly isEstimated: boolean;
}

/**
 * The relative error of a domain's windows (docs/ledger.md, Uncertainty): the part of the energy that may be booked in
 * the wrong place, with a confidence of 95 %.
 */
export class Uncertainty {
  readonly #options: UncertaintyOptions;
  #leastWatts = Infinity;

  constructor(options: UncertaintyOptions) {
    this.#options = options;
  }

  /** The least power so far of a window that shows how low it can be; Infinity: there was none. */
  get leastWatts(): number {
    return this.#leastWatts;
  }

  /** @returns 0 to 1, and 1 where nothing is known */
  of(window: Window, evidence: Evidence): number {
    const { from, to, energyNj } = window;
    if (this.#options.isEstimated) return 1;
    if (energyNj === 0) return Math.min(1, (edgeError * window.lagNs) / (to - from));
    const weightsNj = this.#misplacedByWeights(evidence) * evidence.dynamicNj;
    const floorNj = Math.min(this.#floorErrorWatts(window, evidence.floor) * (to - from), energyNj);
    const biasNj = weightsNj + floorNj + evidence.unattributedNj;
    return Math.min(1, noiseOf(window, evidence.dynamicNj) + biasNj / energyNj);
  }

  /** What was counted of several workloads together is shared among them by time, and as wrong as that. */
  #misplacedByWeights({ weight, topShare, timeShare }: Evidence): number {
    const { hwType } = this.#options;
    const counted = misplacedShare(findWeightRatio(hwType, weight), topShare);
    if (weight === byTime || weight === byEvents) return counted;
    return Math.min(1, counted + timeShare * misplacedShare(findWeightRatio(hwType, byTime), 0));
  }

  /** Without a floor, nothing but the least power so far says how much of the energy is idle energy at most. */
  #floorErrorWatts({ from, to, energyNj, refreshNs }: Window, floor: FloorPower | undefined): number {
    const watts = energyNj / (to - from);
    if (to - from >= minRefreshes * Math.max(refreshNs, leastRefreshNs)) {
      this.#leastWatts = Math.min(this.#leastWatts, watts);
    }
    return floor === undefined ? Math.min(this.#leastWatts, watts) : floor.errorWatts;
  }
}

/** What differs from window to window and evens out in totals. Idle power is even: no part of it is on the wrong side. */
function noiseOf(window: Window, dynamicNj: number): number {
  const { from, to, energyNj, lagNs, edgeNs, tickNs, sampleNs = 0 } = window;
  const sharedNs = (powerRange * edgeNs * dynamicNj) / energyNj;
  // Power that is either at its mean or elsewhere is off by as much; of n readings, by a square root of n less.
  const sampledNs = (Math.sqrt(sampleNs * (to - from)) * dynamicNj) / energyNj;
  return Math.hypot(edgeError * lagNs, sharedNs, sampledNs, edgeError * tickNs) / (to - from);
}

/**
 * The largest part of some energy that is shared wrongly where shares are taken for equal to weights, and the energy per
 * weight of two workloads differs by a ratio at most. That is where some workloads need the more and all others the less;
 * where one workload has most of the weights, it is itself either side.
 * @param topShare the largest part that one workload has of the weights
 */
export function misplacedShare(ratio: number, topShare: number): number {
  // Where the part p of the weights needs the ratio more, that part gets p(1-p)(r-1)/(1+p(r-1)) too little.
  const worst = 1 / (1 + Math.sqrt(ratio));
  if (topShare <= 1 - worst) return misplacedAt(worst, ratio);
  return Math.max(misplacedAt(1 - topShare, ratio), misplacedAt(topShare, ratio));
}

function misplacedAt(part: number, ratio: number): number {
  return (part * (1 - part) * (ratio - 1)) / (1 + part * (ratio - 1));
}
