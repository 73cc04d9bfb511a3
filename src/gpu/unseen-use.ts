import type { ProcessUsage } from './protocol.js';

/** Utilizations of engines for graphics and computing, by driver-specific names. */
const generalColumn = /^utilization\.(?:general|(?:gt\d+-)?(?:rcs|ccs)\d+)$/u;
/** For how many windows processes may be ahead of the utilization. */
const maxAhead = 10;

/**
 * The utilization of a GPU beyond that of its known processes: by work that bypasses DRM, such as that of ROCm,
 * and by processes that have ended since. A driver reports an instantaneous utilization, or a mean over a time
 * of its own, so it is compared with the processes over several windows.
 */
export class UnseenUse {
  readonly #columns: readonly number[];
  /** By how much processes are ahead of the utilization, in nanoseconds. */
  #aheadNs = 0;

  /** @param columns of the device */
  constructor(columns: readonly string[]) {
    this.#columns = [...columns.keys()].filter((at) => generalColumn.test(columns[at] ?? ''));
  }

  /**
   * Adds a window.
   * @param values one per column of the device
   * @returns percent of the window; 0 if the utilization is unknown
   */
  take(values: Float64Array, { fromNs, toNs, samples }: ProcessUsage): number {
    const windowNs = Number(toNs - fromNs);
    const busy = this.#columns.reduce((sum, at) => sum + (values[at] ?? NaN), 0);
    if (this.#columns.length === 0 || windowNs <= 0 || !(busy <= this.#columns.length)) return 0;
    const seen = samples.reduce((sum, { shares }) => sum + (shares.general ?? 0) / 100, 0);
    // Several queues of one engine may be busy at the same time.
    const aheadNs = this.#aheadNs + (Math.min(seen, this.#columns.length) - busy) * windowNs;
    this.#aheadNs = Math.min(Math.max(0, aheadNs), maxAhead * windowNs);
    return (100 * Math.max(0, -aheadNs)) / windowNs;
  }
}
