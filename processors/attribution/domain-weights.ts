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
import type { WantedWeight } from './config.js';

/** Old windows count for less: after 200 windows, a third. */
const retention = 0.995;
/** From how many windows coefficients are found, and over how many more their error. */
const minWindows = 30;

/**
 * Shares the energy of a domain by what events cost (docs/ledger.md, Sharing): their cost is found by non-negative least
 * squares over the windows so far, with a constant power that goes to no workload. As long as the windows that
 * follow are predicted too badly, the energy is shared by time.
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
   * @param indices of the events among all, ascending
   * @param maxError relative error of the predicted energy up to which it is shared by events
   */
  constructor(indices: readonly number[], maxError: number) {
    this.#indices = indices;
    this.#maxError = maxError;
    this.#squares = new NonNegativeLeastSquares(indices.length + 1, retention);
    this.#row = new Float64Array(indices.length + 2);
  }

  /** How far energy differs from what was predicted, in relation to the part that events explain; 1: nothing is known. */
  get error(): number {
    if (this.#windows < 2 * minWindows || this.#explainedSquares === 0) return 1;
    return Math.min(1, Math.sqrt(this.#missedSquares / this.#explainedSquares));
  }

  /** What each event costs, of all by whose costs any energy is shared, in the order of their names: nanojoules. */
  get costs(): readonly number[] {
    const costs: number[] = [];
    for (const [place, event] of this.#indices.entries()) {
      while (costs.length < event) costs.push(0);
      costs[event] = this.#squares.coefficients[place];
    }
    return costs;
  }

  /** The window with what events cost in place of times; undefined: they explain too little of the energy. */
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

  /** Learns from a window that has been settled. */
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

  /** By a window that the coefficients do not know yet. */
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

/** For how long nothing has to be counted until it is said. */
const missingNs = 10e9;

/** A window as its energy is shared. */
export interface WeighedWindow {
  readonly window: Window;
  readonly weight: Weight;
  /** What part of the weights was shared by CPU time, among workloads that were counted together. */
  readonly timeShare: number;
}

/** By what the energy of one domain is shared: as it is configured where that was counted, else by time. */
export class DomainWeights {
  readonly counters: CounterWeights | undefined;
  readonly wanted: WantedWeight;
  /** By what the last window was shared. */
  weight: Weight = byTime;
  /** For how long its energy was shared by time although it is configured otherwise, or was shared otherwise before. */
  fallbackNs = 0;
  #wasCounted = false;

  /** @param counters where energy is shared by what events cost */
  constructor(wanted: WantedWeight, counters: CounterWeights | undefined) {
    this.wanted = wanted;
    this.counters = counters;
  }

  /** Whether a weight that is configured is missing for longer than receivers take to start; events need time to be learned. */
  get isMissing(): boolean {
    const isCounted = this.wanted.model === 'dram' || this.wanted.model === 'frequency_cpu_time';
    return isCounted && this.wanted.isSet && this.weight === byTime && this.fallbackNs > missingNs;
  }

  /**
   * What takes the place of time in a usage.
   * @param own of the package
   */
  choose({ memory, frequency }: Weighings, own: Usage, number: number | undefined): Weighing | undefined {
    const { model, gamma } = this.wanted;
    if (model === 'dram') return weighingOn(memory, number);
    const cycles = model === 'frequency_cpu_time' ? weighingOn(frequency, number) : undefined;
    return cycles && raiseFrequency(cycles, own, gamma);
  }

  /** The window with weights in place of times, where there are any. */
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
    const { weight, whole, parts } = fitWeights(weighing);
    const machineBusyNs = usage.machineBusyNs ?? usage.busyNs;
    // Counts of interrupts are not known apart.
    const weighed = { ...usage, interruptNs: 0, busyNs: whole, machineBusyNs, cpuNs: parts };
    return { window: { ...measured, usage: weighed }, weight, timeShare: weighing.byTime / weighing.whole };
  }
}

/** Weights whose sums are exact in doubles: where they are larger, such as times of high powers of frequencies, parts of them. */
function fitWeights(weighing: Weighing): Weighing {
  const { whole, parts } = weighing;
  const most = parts.reduce((sum, part) => sum + part, whole);
  if (most <= Number.MAX_SAFE_INTEGER) return weighing;
  const divisor = 2 ** Math.ceil(Math.log2(most / Number.MAX_SAFE_INTEGER));
  return {
    ...weighing,
    whole: Math.ceil(whole / divisor),
    parts: parts.map((part) => Math.floor(part / divisor)),
  };
}
