import type { Log } from '../../src/component/log.js';
import { describeError, findErrorCode } from '../../src/errors.js';

const firstWaitMs = 200;
const maxWaitMs = 30_000;

/** Whether a source can be asked: not immediately after a failure. Logs when that changes, or its cause. */
export class Availability {
  readonly #title: string;
  readonly #log: Log;
  #cause: string | undefined;
  #waitMs = 0;
  #retryAtMs = 0;

  /** @param title for messages: `Docker (/var/run/docker.sock)` */
  constructor(title: string, log: Log) {
    this.#title = title;
    this.#log = log;
  }

  /** The remaining time in which it is not asked. */
  get leftMs(): number {
    return Math.max(0, this.#retryAtMs - performance.now());
  }

  /** The pause after the last failure, whatever its cause. */
  get waitMs(): number {
    return this.#waitMs;
  }

  succeeded(): void {
    if (this.#cause !== undefined) this.#log.info(`Recovered, getting names from ${this.#title}`);
    this.#cause = undefined;
    this.#waitMs = 0;
    this.#retryAtMs = 0;
  }

  failed(error: unknown): void {
    this.#waitMs = Math.min(maxWaitMs, Math.max(firstWaitMs, 2 * this.#waitMs));
    // Checking again for a file costs nothing, and as soon as it exists it is needed.
    this.#retryAtMs = findErrorCode(error) === 'ENOENT' ? 0 : performance.now() + this.#waitMs;
    const cause = describeError(error);
    if (cause === this.#cause) return;
    this.#cause = cause;
    this.#log.warn(
      `Cannot get names from ${this.#title}: ${cause}; continuing without these names, trying again`,
    );
  }
}
