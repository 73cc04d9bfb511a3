import type { Log } from '../component/log.js';

const reminderIntervalMs = 60_000;
/** A backend that gives every failure words of its own must not fill the log. */
const maxCausesPerReminder = 10;

/** The texts of an outage: `Cannot <action>: <cause>. <consequence>`. */
export interface OutageTexts {
  readonly action: string;
  readonly consequence: string;
}

/**
 * Logs an outage: its first cause, every cause that was not logged within the last minute, and once a minute the
 * latest cause with the time since the first.
 */
export class OutageLog {
  readonly #log: Log;
  readonly #texts: OutageTexts;
  readonly #intervalMs: number;
  readonly #logged = new Set<string>();
  #latest = '';
  #sinceMs = 0;
  #reminder: NodeJS.Timeout | undefined;

  /** @param intervalMs time from one reminder to the next */
  constructor(log: Log, texts: OutageTexts, intervalMs = reminderIntervalMs) {
    this.#log = log;
    this.#texts = texts;
    this.#intervalMs = intervalMs;
  }

  /** An attempt failed. */
  failed(cause: string): void {
    this.#latest = cause;
    this.#reminder ??= this.#begin();
    const key = withoutTimes(cause);
    if (this.#logged.has(key) || this.#logged.size >= maxCausesPerReminder) return;
    this.#logged.add(key);
    this.#warn(cause);
  }

  /**
   * An attempt succeeded: the outage is over.
   * @returns how long it was; undefined when there was none
   */
  recovered(): number | undefined {
    if (this.#reminder === undefined) return undefined;
    this.close();
    return performance.now() - this.#sinceMs;
  }

  /** Ends the reminders. */
  close(): void {
    clearInterval(this.#reminder);
    this.#reminder = undefined;
    this.#logged.clear();
  }

  #begin(): NodeJS.Timeout {
    this.#sinceMs = performance.now();
    return setInterval(() => this.#remind(), this.#intervalMs).unref();
  }

  #remind(): void {
    this.#logged.clear();
    this.#logged.add(withoutTimes(this.#latest));
    const seconds = Math.round((performance.now() - this.#sinceMs) / 1000);
    this.#warn(`${this.#latest} (for ${seconds} s)`);
  }

  #warn(cause: string): void {
    this.#log.warn(`Cannot ${this.#texts.action}: ${cause}. ${this.#texts.consequence}`);
  }
}

/** Instants and durations differ from one failure of the same cause to the next. */
function withoutTimes(cause: string): string {
  return cause.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d+(?:\.\d+)?\s?m?s\b/gu, '');
}
