import type { CounterGroup } from '../../src/linux/perf/counter-group.js';

/** The part of a counter group that is used here. */
export type CountedGroup = Pick<
  CounterGroup,
  'width' | 'read' | 'error' | 'enabledNs' | 'runningNs' | 'countOf' | 'rebase' | 'close'
>;

/**
 * Time over which the running ratio is computed. The kernel rotates groups every 1 to 4 ms
 * (perf_event_mux_interval_ms): within less time, a group may not have been scheduled.
 */
const windowNs = 100e6;

/** By then, even many multiplexed groups have all been scheduled. */
const starvedNs = 1e9;

/**
 * Counts of groups that stand in for each other (a process runs on one kind of cores or on the other), from the
 * first reading on: exact where they always ran, else estimated. Growth is scaled per window, never the whole
 * count, since the scale changes and a counter must not decrease. Within a window the scale of the previous one
 * is used; an estimate that turns out too large stays constant until it is correct.
 */
export class ScaledCounts {
  /** By group. NaN while nothing was counted although it should have been, and while a group cannot be read. */
  readonly totals: Float64Array;
  readonly #parts: readonly CountedGroup[];
  /** Totals at the start of the window. */
  readonly #settled: Float64Array;
  readonly #inWindow: Float64Array;
  /** The last total of each group, 0 before the first. */
  readonly lastTotals: Float64Array;
  readonly #state = { enabledNs: 0, runningNs: 0, scale: 1, lastEnabledNs: 0, lastRunningNs: 0 };
  /** By part: whether it has a base to count from. */
  readonly #isBegun: boolean[];
  #hasRun = false;
  #error: string | undefined;

  /** @param fromOpening whether counts between the opening and the first reading are included */
  constructor(parts: readonly CountedGroup[], fromOpening: boolean) {
    const width = parts.reduce((sum, part) => sum + part.width, 0);
    this.#parts = parts;
    this.#isBegun = parts.map(() => fromOpening);
    this.totals = new Float64Array(width);
    this.#settled = new Float64Array(width);
    this.#inWindow = new Float64Array(width);
    this.lastTotals = new Float64Array(width);
  }

  /** Enabled time in the last complete window; 0 before the first. */
  get enabledNs(): number {
    return this.#state.lastEnabledNs;
  }

  /** Running time in the same window. */
  get runningNs(): number {
    return this.#state.lastRunningNs;
  }

  /** Whether it did not count for a second in which it was enabled. */
  get isStarved(): boolean {
    return !this.#hasRun && this.#state.enabledNs >= starvedNs;
  }

  /** Why a group could not be read the last time: `EISDIR`. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Reads the groups. Allocates nothing. */
  read(): void {
    const state = this.#state;
    let enabledNs = 0;
    let at = 0;
    this.#error = undefined;
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i];
      if (this.#readGrowth(i)) {
        enabledNs = Math.max(enabledNs, part.enabledNs);
        state.runningNs += part.runningNs;
        for (let k = 0; k < part.width; k++) this.#inWindow[at + k] += part.countOf(k);
        part.rebase();
      }
      this.#error ??= part.error;
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

  /** @returns false if no growth is known: the first reading of a part, or a CPU that is offline, an error */
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
    const isUnknown = this.error !== undefined || (!this.#hasRun && enabledNs > 0);
    for (let i = 0; i < this.totals.length; i++) {
      const estimate = this.#settled[i] + Math.round(this.#inWindow[i] * scale);
      if (estimate > this.lastTotals[i]) this.lastTotals[i] = estimate;
      this.totals[i] = isUnknown ? NaN : this.lastTotals[i];
    }
  }
}
