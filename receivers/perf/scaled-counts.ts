import type { CounterGroup } from '../../src/linux/perf/counter-group.js';

/** What of a group of counters is used here. */
export type CountedGroup = Pick<
  CounterGroup,
  'width' | 'read' | 'enabledNs' | 'runningNs' | 'countOf' | 'rebase' | 'close'
>;

/**
 * Time over which the share of running time is taken. The kernel lets groups take turns every 1 to 4 ms
 * (perf_event_mux_interval_ms): within less, a group may not have had its turn.
 */
const windowNs = 100e6;

/** Where many groups take turns, each has had its first one long before. */
const starvedNs = 1e9;

/**
 * Counts of groups that stand in for each other (a process runs on one kind of cores or on the other), from the
 * first reading on: exact where they always ran, else estimated. What grows is scaled window by window, never
 * the whole count: its scale changes, and a counter must not fall. Within a window the scale of the one before
 * holds, and the estimate waits where it ran ahead.
 */
export class ScaledCounts {
  /** Group after group. NaN while nothing was counted though it should have been. */
  readonly totals: Float64Array;
  readonly #parts: readonly CountedGroup[];
  /** Whole counts up to the window. */
  readonly #settled: Float64Array;
  readonly #inWindow: Float64Array;
  readonly #shown: Float64Array;
  readonly #state = { enabledNs: 0, runningNs: 0, scale: 1, lastEnabledNs: 0, lastRunningNs: 0 };
  /** By part: whether it has a base to count from. */
  readonly #isBegun: boolean[];
  #hasRun = false;

  /** @param fromOpening what was counted between the opening and the first reading counts, too */
  constructor(parts: readonly CountedGroup[], fromOpening: boolean) {
    const width = parts.reduce((sum, part) => sum + part.width, 0);
    this.#parts = parts;
    this.#isBegun = parts.map(() => fromOpening);
    this.totals = new Float64Array(width);
    this.#settled = new Float64Array(width);
    this.#inWindow = new Float64Array(width);
    this.#shown = new Float64Array(width);
  }

  /** Time in which it was meant to count, in the last window that ended; 0 before the first. */
  get enabledNs(): number {
    return this.#state.lastEnabledNs;
  }

  /** Time in which it did count, in the same window. */
  get runningNs(): number {
    return this.#state.lastRunningNs;
  }

  /** Whether it never counted in a second in which it should have. */
  get isStarved(): boolean {
    return !this.#hasRun && this.#state.enabledNs >= starvedNs;
  }

  /** Reads the groups. Allocates nothing. */
  read(): void {
    const state = this.#state;
    let enabledNs = 0;
    let at = 0;
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i];
      if (this.#readGrowth(i)) {
        enabledNs = Math.max(enabledNs, part.enabledNs);
        state.runningNs += part.runningNs;
        for (let k = 0; k < part.width; k++) this.#inWindow[at + k] += part.countOf(k);
        part.rebase();
      }
      at += part.width;
    }
    state.enabledNs += enabledNs;
    if (state.runningNs > 0) this.#hasRun = true;
    if (state.enabledNs >= windowNs && state.runningNs > 0) this.#settle();
    this.#show();
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }

  /** @returns false where nothing is known to have grown: the first reading of a part, or a CPU that is offline */
  #readGrowth(index: number): boolean {
    const part = this.#parts[index];
    if (!part.read()) return false;
    if (this.#isBegun[index]) return true;
    this.#isBegun[index] = true;
    part.rebase();
    return false;
  }

  #settle(): void {
    const state = this.#state;
    state.scale = state.runningNs >= state.enabledNs ? 1 : state.enabledNs / state.runningNs;
    for (let i = 0; i < this.#settled.length; i++) {
      this.#settled[i] += Math.round(this.#inWindow[i] * state.scale);
    }
    this.#inWindow.fill(0);
    state.lastEnabledNs = state.enabledNs;
    state.lastRunningNs = Math.min(state.runningNs, state.enabledNs);
    state.enabledNs = 0;
    state.runningNs = 0;
  }

  #show(): void {
    const { scale, enabledNs } = this.#state;
    const isUnknown = !this.#hasRun && enabledNs > 0;
    for (let i = 0; i < this.totals.length; i++) {
      const estimate = this.#settled[i] + Math.round(this.#inWindow[i] * scale);
      if (estimate > this.#shown[i]) this.#shown[i] = estimate;
      this.totals[i] = isUnknown ? NaN : this.#shown[i];
    }
  }
}
