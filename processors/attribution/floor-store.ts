import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/component/errors.js';
import type { CpuCount } from './cpu-count.js';
import { loadQuietWatts, saveQuietWatts } from './floor-file.js';
import { FloorLearner } from './floor-learner.js';

/** The learned floors of all domains, kept in a file where there is one. */
export class FloorStore {
  readonly #path: string | null;
  readonly #cpuCount: CpuCount;
  readonly #log: Log;
  readonly #learners = new Map<string, FloorLearner>();

  constructor(path: string | null, cpuCount: CpuCount, log: Log) {
    this.#path = path;
    this.#cpuCount = cpuCount;
    this.#log = log;
  }

  /** Takes what an earlier run has learned. A file that is no good is not worth stopping for. */
  load(): void {
    if (this.#path === null) return;
    try {
      for (const [key, quietWatts] of loadQuietWatts(this.#path)) {
        this.#learners.set(key, new FloorLearner(this.#cpuCount, quietWatts));
      }
    } catch (error) {
      this.#log.warn(`${describeError(error)}; floors are learned anew`);
    }
  }

  /** Keeps what has been learned for the next run. */
  save(): void {
    if (this.#path === null || this.#learners.size === 0) return;
    try {
      const learned = [...this.#learners].map(([key, { quietWatts }]) => [key, quietWatts] as const);
      saveQuietWatts(this.#path, new Map(learned));
    } catch (error) {
      this.#log.warn(describeError(error));
    }
  }

  /** @param key the same in every run for the same domain */
  learnerOf(key: string): FloorLearner {
    const known = this.#learners.get(key);
    if (known) return known;
    const learner = new FloorLearner(this.#cpuCount);
    this.#learners.set(key, learner);
    return learner;
  }
}
