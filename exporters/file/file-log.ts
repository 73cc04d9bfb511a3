import type { Log } from '../../src/component/log.js';

/** Minimum time between two log lines about lost points. */
const lossLineIntervalMs = 60_000;

/** Logs when a file cannot be written, when it can be written again, and, at intervals, lost points. */
export class FileLog {
  readonly #log: Log;
  readonly #path: string;
  #failingSinceMs: number | undefined;
  #lostPoints = 0;
  #loggedMs = -Infinity;

  constructor(log: Log, path: string) {
    this.#log = log;
    this.#path = path;
  }

  /** An attempt failed and will be repeated. */
  failed(message: string): void {
    if (this.#failingSinceMs !== undefined) return;
    this.#failingSinceMs = performance.now();
    this.#log.error(`${message}. Keeping points in memory and trying again`);
  }

  /** All buffered tables are in the file. */
  works(): void {
    if (this.#failingSinceMs === undefined) return;
    const seconds = Math.round((performance.now() - this.#failingSinceMs) / 1000);
    this.#failingSinceMs = undefined;
    this.#log.info(`Recovered, writing ${this.#path} again after ${seconds} s`);
  }

  /** Points are lost. */
  lost(points: number): void {
    this.#lostPoints += points;
    if (performance.now() - this.#loggedMs >= lossLineIntervalMs) this.#report();
  }

  /** Logs what was not logged yet. */
  close(): void {
    if (this.#lostPoints > 0) this.#report();
  }

  #report(): void {
    const cause =
      this.#failingSinceMs === undefined
        ? 'points arrive faster than they are written, or buffer_bytes is too small'
        : 'it could not be written in time';
    this.#log.error(`Lost ${this.#lostPoints} points for ${this.#path}: ${cause}`);
    this.#lostPoints = 0;
    this.#loggedMs = performance.now();
  }
}
