import { NonNegativeLeastSquares } from '../../src/energy/non-negative-least-squares.js';
import type { EventGrowth } from './events.js';
import type { Usage } from './usage.js';
import type { Window } from './windows.js';

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
