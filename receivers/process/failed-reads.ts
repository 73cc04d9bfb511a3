import type { Log } from '../../src/component/log.js';
import { LoggedCauses } from '../../src/logged-causes.js';
import type { FailedRead } from './scan.js';

/** Counts missing values of processes that could be read before, and logs each cause once. */
export class FailedReads {
  readonly #log: Log;
  readonly #causes = new LoggedCauses();
  #missing = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param failed the failed reads of one scan */
  note(failed: readonly FailedRead[]): void {
    for (const { path, problem, points } of failed) {
      this.#missing += points;
      // Processes that fail with the same problem are logged once.
      if (this.#causes.add(problem))
        this.#log.warn(
          `Cannot read ${path}: ${problem}; its values are missing until it can be read, as are those of other processes with this problem`,
        );
    }
    if (failed.length === 0 && this.#causes.clear())
      this.#log.info('Recovered, every process can be read again');
  }

  /** The number of values that are missing since the last call. */
  takeMissing(): number {
    const missing = this.#missing;
    this.#missing = 0;
    return missing;
  }
}
