import type { WantedWeight } from './config.js';
import type { CounterWeights } from './counter-weights.js';
import type { Usage } from './usage.js';
import {
  byEvents,
  byTime,
  raiseFrequency,
  weighingOn,
  type Weighing,
  type Weighings,
  type Weight,
} from './weighing.js';
import type { Window } from './windows.js';

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
    const weighed = { ...usage, busyNs: whole, machineBusyNs, cpuNs: parts };
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
