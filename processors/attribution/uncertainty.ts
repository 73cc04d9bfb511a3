import { leastRefreshNs } from '../../src/energy/refresh-bound.js';
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
 * A clock shows the time up to the last tick. At both ends of a window the error is between zero and one tick: 95 % of
 * the differences are below this fraction of it.
 */
const tickError = 0.8;
/**
 * Between two readings, power is assumed to be constant: on one side of a window's end it may be zero, on the
 * other twice the mean. So may that of the time that a delayed meter does not show.
 */
const powerRange = 2;
/** Only windows of at least this many refreshes show how low the power of a domain can be. */
const minRefreshes = 20;

/**
 * Maximum ratio between the energies per CPU or GPU second of two workloads (docs/ledger.md, Uncertainty): for
 * processors it depends on the clock, on what they execute and on whether the other thread of the core is busy;
 * for memory on how much of the work misses the caches.
 */
const secondsRatio = 4;
const memoryRatio = 16;
/** The same without the effect of clocks, as far as a power of the frequency describes it. */
const cyclesRatio = 3;
/** Per byte: reads and writes, open and closed rows. Per miss, also the bytes that it and prefetches move. */
const bytesRatio = 2;
const missesRatio = 3;

/** Maximum ratio between the energies per weight of two workloads. @param hwType hardware whose energy is shared */
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

/** The inputs to the error of a window, besides the window. */
export interface Evidence {
  /** Energy of the window that is shared by weight, including its unattributed part: nanojoules. */
  readonly dynamicNj: number;
  readonly unattributedNj: number;
  /** The largest fraction of the weights that one workload has, 0 to 1. */
  readonly topShare: number;
  /** The weight by which it is shared. */
  readonly weight: Weight;
  /** Fraction of the weights that is shared by CPU time, where CPU time is not the weight of the whole window. */
  readonly timeShare: number;
  /** Undefined: not known. */
  readonly floor: FloorPower | undefined;
}

export interface UncertaintyOptions {
  /** Hardware type of the domain. */
  readonly hwType: string;
  readonly isEstimated: boolean;
}

/**
 * The relative error of a domain's windows (docs/ledger.md, Uncertainty): the fraction of the energy that may
 * be attributed wrongly, with a confidence of 95 %.
 */
export class Uncertainty {
  readonly #options: UncertaintyOptions;
  #leastWatts = Infinity;

  constructor(options: UncertaintyOptions) {
    this.#options = options;
  }

  /** The minimum power so far of all windows that are long enough to show it; Infinity: there was none. */
  get leastWatts(): number {
    return this.#leastWatts;
  }

  /** @returns 0 to 1; 1 where nothing is known */
  of(window: Window, evidence: Evidence): number {
    const { from, to, energyNj, delayNs = 0, domainsNj = 0 } = window;
    // A meter that shows no more than its domains used lags behind them.
    if (this.#options.isEstimated || (energyNj === 0 && domainsNj > 0)) return 1;
    if (energyNj === 0) return Math.min(1, Math.max(lagErrorNs(window), delayNs) / (to - from));
    const weightsNj = this.#misplacedByWeights(evidence) * evidence.dynamicNj;
    const floorNj = Math.min(this.#floorErrorWatts(window, evidence.floor) * (to - from), energyNj);
    const biasNj = weightsNj + floorNj + evidence.unattributedNj;
    return Math.min(1, noiseOf(window, evidence.dynamicNj) + biasNj / energyNj);
  }

  /** Counts of several workloads together are divided among them by time, with the error of time. */
  #misplacedByWeights({ weight, topShare, timeShare }: Evidence): number {
    const { hwType } = this.#options;
    const counted = misplacedShare(findWeightRatio(hwType, weight), topShare);
    if (weight === byTime || weight === byEvents) return counted;
    return Math.min(1, counted + timeShare * misplacedShare(findWeightRatio(hwType, byTime), 0));
  }

  /** Without a floor, only the minimum power so far limits how much of the energy is idle energy. */
  #floorErrorWatts({ from, to, energyNj, refreshNs }: Window, floor: FloorPower | undefined): number {
    const watts = energyNj / (to - from);
    if (to - from >= minRefreshes * Math.max(refreshNs, leastRefreshNs)) {
      this.#leastWatts = Math.min(this.#leastWatts, watts);
    }
    return floor === undefined ? Math.min(this.#leastWatts, watts) : floor.errorWatts;
  }
}

/**
 * Error that varies from window to window and averages out in totals. Idle power is constant: it contributes
 * nothing at the ends of a window.
 */
function noiseOf(window: Window, dynamicNj: number): number {
  const { from, to, energyNj, delayNs = 0, edgeNs, tickNs, sampleNs = 0, domainsNj = 0 } = window;
  // The meter of a remainder also shows the power of the domains, whose changes it shows late.
  const varyingNj = dynamicNj + domainsNj;
  const sharedNs = (powerRange * edgeNs * varyingNj) / energyNj;
  // The error of sampled power is at most its mean; with n readings, it is divided by the square root of n.
  const sampledNs = (Math.sqrt(sampleNs * (to - from)) * varyingNj) / energyNj;
  // Energy of a window of this length, but of earlier time: in the time at its end that is missing, power may be twice
  // the mean, too.
  const delayedNs = (powerRange * delayNs * varyingNj) / energyNj;
  return Math.hypot(lagErrorNs(window), delayedNs, sharedNs, sampledNs, tickError * tickNs) / (to - from);
}

/**
 * A meter shows the energy up to its last refresh. Where windows, readings and refreshes have constant lengths, the
 * difference of its age between both ends has few values, of up to the maximum age. It is a fraction of the energy
 * that is shown, which may be that of a window shorter by this difference.
 */
function lagErrorNs({ from, to, lagNs }: Window): number {
  const durationNs = to - from;
  return lagNs < durationNs ? (lagNs * durationNs) / (durationNs - lagNs) : durationNs;
}

/**
 * The maximum fraction of some energy that is attributed wrongly if shares are assumed proportional to weights
 * while the energy per weight of two workloads differs by at most a ratio. The maximum is reached where some
 * workloads have the higher energy per weight and all others the lower one; where one workload has most of the
 * weights, it is one of these two sides.
 * @param topShare the largest fraction of the weights that one workload has
 */
export function misplacedShare(ratio: number, topShare: number): number {
  // If the fraction p of the weights has the higher energy per weight, it gets p(1-p)(r-1)/(1+p(r-1)) too
  // little.
  const worst = 1 / (1 + Math.sqrt(ratio));
  if (topShare <= 1 - worst) return misplacedAt(worst, ratio);
  return Math.max(misplacedAt(1 - topShare, ratio), misplacedAt(topShare, ratio));
}

function misplacedAt(part: number, ratio: number): number {
  return (part * (1 - part) * (ratio - 1)) / (1 + part * (ratio - 1));
}
