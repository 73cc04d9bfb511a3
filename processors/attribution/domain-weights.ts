import { NonNegativeLeastSquares } from '../../src/energy/non-negative-least-squares.js';
import type { EventGrowth } from '../../src/usage/events.js';
import type { Usage } from '../../src/usage/usage.js';
import {
  byEvents,
  byTime,
  raiseFrequency,
  weighingOn,
  type Weighing,
  type Weighings,
  type Weight,
} from '../../src/usage/weighing.js';
import type { Window } from '../../src/usage/windows.js';
import { findWeight, listEvents, type Config, type WantedWeight } from './config.js';

/** Old windows have less weight: after 200 windows, about a third. */
const retention = 0.995;
/** Number of windows needed to find coefficients, and then to find their error. */
const minWindows = 30;

/**
 * Shares the energy of a domain by the costs of events (docs/ledger.md, Sharing): costs are found by
 * non-negative least squares over the windows so far, with a constant power that is charged to no workload. As
 * long as later windows are predicted too inaccurately, the energy is shared by time.
 */
export class CounterWeights {
  readonly #indices: readonly number[];
  readonly #maxError: number;
  readonly #squares: NonNegativeLeastSquares;
  readonly #row: Float64Array;
  #windows = 0;
  #missedSquares = 0;
  #explainedSquares = 0;

  /**
   * @param indices of the events among all events, ascending
   * @param maxError maximum relative error of the predicted energy at which it is still shared by events
   */
  constructor(indices: readonly number[], maxError: number) {
    this.#indices = indices;
    this.#maxError = maxError;
    this.#squares = new NonNegativeLeastSquares(indices.length + 1, retention);
    this.#row = new Float64Array(indices.length + 2);
  }

  /**
   * Difference between measured and predicted energy, relative to the part that events explain; 1: nothing is
   * known.
   */
  get error(): number {
    if (this.#windows < 2 * minWindows || this.#explainedSquares === 0) return 1;
    return Math.min(1, Math.sqrt(this.#missedSquares / this.#explainedSquares));
  }

  /** The cost of each event in nanojoules, in the order of the names of all events used for sharing. */
  get costs(): readonly number[] {
    const costs: number[] = [];
    for (const [place, event] of this.#indices.entries()) {
      while (costs.length < event) costs.push(0);
      costs[event] = this.#squares.coefficients[place];
    }
    return costs;
  }

  /** The window with event costs in place of times; undefined: they explain too little of the energy. */
  weigh(window: Window): Window | undefined {
    const { usage } = window;
    if (usage.isGap || usage.events === undefined || this.error > this.#maxError) return undefined;
    const costs = this.#costs(usage.events, usage.workloads.length);
    const wholeNj = Math.round(this.#costOf(usage.events.machine));
    if (wholeNj === 0) return undefined;
    const weighed: Usage = {
      ...usage,
      interruptNs: 0,
      busyNs: wholeNj,
      machineBusyNs: usage.machineBusyNs ?? usage.busyNs,
      cpuNs: costs,
    };
    return { ...window, usage: weighed };
  }

  /** Learns from a settled window. */
  observe({ from, to, energyNj, usage: { isGap, events } }: Window): void {
    if (isGap || events === undefined) return;
    const row = this.#row;
    const last = this.#indices.length;
    for (let i = 0; i < last; i++) row[i] = events.machine[this.#indices[i]];
    row[last] = to - from;
    row[last + 1] = energyNj;
    if (this.#windows >= minWindows) this.#test(row);
    this.#squares.add(row);
    this.#squares.solve();
    this.#windows += 1;
  }

  /** Tests the coefficients with a window that was not yet used to find them. */
  #test(row: Float64Array): void {
    const { coefficients } = this.#squares;
    const last = this.#indices.length;
    let explainedNj = 0;
    for (let i = 0; i < last; i++) explainedNj += coefficients[i] * row[i];
    const missedNj = row[last + 1] - explainedNj - coefficients[last] * row[last];
    this.#missedSquares = retention * this.#missedSquares + missedNj ** 2;
    this.#explainedSquares = retention * this.#explainedSquares + explainedNj ** 2;
  }

  #costs({ workloads }: EventGrowth, count: number): number[] {
    return Array.from({ length: count }, (_, workload) => {
      let costNj = 0;
      for (let i = 0; i < this.#indices.length; i++) {
        costNj += this.#squares.coefficients[i] * workloads[this.#indices[i]][workload];
      }
      return Math.round(costNj);
    });
  }

  #costOf(growths: readonly number[]): number {
    let costNj = 0;
    for (let i = 0; i < this.#indices.length; i++) {
      costNj += this.#squares.coefficients[i] * growths[this.#indices[i]];
    }
    return costNj;
  }
}

/** How long counts must be missing before a warning is logged. */
const missingNs = 10e9;

/** A window with the weights by which its energy is shared. */
export interface WeighedWindow {
  readonly window: Window;
  readonly weight: Weight;
  /** Fraction of the weights that was shared by CPU time, among workloads that were counted together. */
  readonly timeShare: number;
}

/** How the energy of one domain is shared: as configured where the events were counted, otherwise by time. */
export class DomainWeights {
  readonly counters: CounterWeights | undefined;
  readonly wanted: WantedWeight;
  /** The weight by which the last window was shared. */
  weight: Weight = byTime;
  /** For how long its energy was shared by time although another weight is configured or was used before. */
  fallbackNs = 0;
  #wasCounted = false;

  /** @param counters present where energy is shared by the costs of events */
  constructor(wanted: WantedWeight, counters: CounterWeights | undefined) {
    this.wanted = wanted;
    this.counters = counters;
  }

  /** Whether a configured weight is missing for longer than receivers take to start; events need time to be learned. */
  get isMissing(): boolean {
    const isCounted = this.wanted.model === 'dram' || this.wanted.model === 'frequency_cpu_time';
    return isCounted && this.wanted.isSet && this.weight === byTime && this.fallbackNs > missingNs;
  }

  /**
   * The weights that replace times in a usage.
   * @param own events of the package
   */
  choose({ memory, frequency }: Weighings, own: Usage, number: number | undefined): Weighing | undefined {
    const { model, gamma } = this.wanted;
    if (model === 'dram') return weighingOn(memory, number);
    const cycles = model === 'frequency_cpu_time' ? weighingOn(frequency, number) : undefined;
    return cycles && raiseFrequency(cycles, own, gamma);
  }

  /** The window with weights in place of times, where weights are available. */
  weigh(measured: Window): WeighedWindow {
    const found = this.#find(measured) ?? { window: measured, weight: byTime, timeShare: 1 };
    this.weight = found.weight;
    this.#wasCounted ||= found.weight !== byTime;
    const { isSet, model } = this.wanted;
    const isAnother = isSet ? model !== 'cpu_time' : this.#wasCounted;
    if (found.weight === byTime && isAnother && !measured.usage.isGap) {
      this.fallbackNs += measured.to - measured.from;
    }
    return found;
  }

  #find(measured: Window): WeighedWindow | undefined {
    const events = this.counters?.weigh(measured);
    if (events) return { window: events, weight: byEvents, timeShare: 0 };
    const { usage } = measured;
    const { weighing } = usage;
    if (usage.isGap || weighing === undefined || weighing.whole === 0) return undefined;
    // A power of an impossible count.
    if (!Number.isFinite(weighing.whole + weighing.byTime)) return undefined;
    const fitted = fitWeights(weighing);
    if (fitted === undefined) return undefined;
    const { weight, whole, parts } = fitted;
    const machineBusyNs = usage.machineBusyNs ?? usage.busyNs;
    // Events of interrupts are not counted separately.
    const weighed = { ...usage, interruptNs: 0, busyNs: whole, machineBusyNs, cpuNs: parts };
    return { window: { ...measured, usage: weighed }, weight, timeShare: weighing.byTime / weighing.whole };
  }
}

/** @param isByUse whether the energy is shared by use of the CPUs, which events can replace */
export function createWeights(config: Config, hwType: string, isByUse: boolean): DomainWeights {
  const byUse = { model: 'cpu_time', gamma: 1, counters: [], maxError: 0, isSet: false } as const;
  const wanted = isByUse ? findWeight(config, hwType) : byUse;
  if (wanted.model !== 'counters') return new DomainWeights(wanted, undefined);
  const events = listEvents(config);
  const indices = [...new Set(wanted.counters.map((name) => events.indexOf(name)))].toSorted((a, b) => a - b);
  return new DomainWeights(wanted, new CounterWeights(indices, wanted.maxError));
}

/**
 * Scales weights so that their sums are exact in doubles; needed for large ones, such as times of high powers
 * of frequencies.
 * @returns undefined if a reading was so large that their sum is infinite
 */
function fitWeights(weighing: Weighing): Weighing | undefined {
  const { whole, parts } = weighing;
  const most = parts.reduce((sum, part) => sum + part, whole);
  if (most <= Number.MAX_SAFE_INTEGER) return weighing;
  if (!(most < Infinity)) return undefined;
  const divisor = 2 ** Math.ceil(Math.log2(most / Number.MAX_SAFE_INTEGER));
  return {
    ...weighing,
    whole: Math.ceil(whole / divisor),
    parts: parts.map((part) => Math.floor(part / divisor)),
  };
}
