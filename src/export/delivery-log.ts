import type { Log } from '../component/log.js';
import type { DropReason } from './delivery-telemetry.js';

const reminderIntervalMs = 60_000;
/** A backend that words every failure differently must not fill the log. */
const maxCausesPerReminder = 10;

/** The parts of an outage message: `Cannot <action>: <cause>. <consequence>`. */
export interface OutageTexts {
  readonly action: string;
  readonly consequence: string;
}

/**
 * Logs an outage: its first cause, each cause that was not logged within the last minute, and once a minute the
 * latest cause with the time since the first one.
 */
export class OutageLog {
  readonly #log: Log;
  readonly #texts: OutageTexts;
  readonly #intervalMs: number;
  readonly #logged = new Set<string>();
  #latest = '';
  #sinceMs = 0;
  #reminder: NodeJS.Timeout | undefined;

  /** @param intervalMs time between reminders */
  constructor(log: Log, texts: OutageTexts, intervalMs = reminderIntervalMs) {
    this.#log = log;
    this.#texts = texts;
    this.#intervalMs = intervalMs;
  }

  /** Whether the last attempt failed. */
  get isOutage(): boolean {
    return this.#reminder !== undefined;
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
   * An attempt succeeded: the outage has ended.
   * @returns its duration; undefined if there was none
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

/** Instants and durations vary between failures of the same cause. */
function withoutTimes(cause: string): string {
  return cause.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d+(?:\.\d+)?\s?m?s\b/gu, '');
}

/** Minimum time between two lines about losses for the same reason, or about requests that were too large. */
const lineIntervalMs = 60_000;

const explanations: Readonly<Record<DropReason, string>> = {
  queue_full: 'the sending queue is full',
  rejected: 'the request was refused for good',
  partial_success: 'the request was taken without them',
  retries_exhausted: 'retry_on_failure.max_elapsed_time has passed',
  shutdown: 'there was no time left before the shutdown',
  expired: 'they have waited longer than max_age of their storage',
  storage_failed: 'the storage of the sending queue did not take them, or cannot return them',
};

function formatKibibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}

interface DropTally {
  /** Points lost since the last line. */
  points: number;
  /** The latest message of the server. */
  message: string;
  loggedMs: number;
}

/** Logs the state of deliveries: outages, their causes and ends, and losses, at most once a minute. */
export class DeliveryLog {
  readonly #log: Log;
  readonly #target: string;
  readonly #drops = new Map<DropReason, DropTally>();
  readonly #outage: OutageLog;
  #lastWarning = '';
  #loggedSplitMs = -Infinity;

  constructor(log: Log, target: string) {
    this.#log = log;
    this.#target = target;
    this.#outage = new OutageLog(log, {
      action: `export to ${target}`,
      consequence: 'Keeping data and trying again',
    });
  }

  /** Whether the last attempt failed. */
  get isOutage(): boolean {
    return this.#outage.isOutage;
  }

  /** An attempt failed and will be repeated. */
  failed(message: string): void {
    this.#outage.failed(message);
  }

  /** A request was delivered. */
  delivered(waiting: { readonly requests: number; readonly bytes: number }): void {
    const outageMs = this.#outage.recovered();
    if (outageMs === undefined) return;
    const seconds = Math.round(outageMs / 1000);
    this.#log.info(
      `Recovered, exporting to ${this.#target} again after ${seconds} s: ${describeRequests(waiting.requests, 'queued')} will follow, ` +
        formatKibibytes(waiting.bytes),
    );
  }

  /** The storage has requests of an earlier run. */
  resumed({ requests, bytes }: { readonly requests: number; readonly bytes: number }): void {
    this.#log.info(
      `Exporting ${describeRequests(requests, 'stored')} of an earlier run to ${this.#target}, ${formatKibibytes(bytes)}`,
    );
  }

  /** At shutdown something is left in the storage. */
  kept({ points, bytes }: { readonly points: number; readonly bytes: number }): void {
    this.#log.info(
      `Kept ${points} points for ${this.#target} in the storage until the next start, ${formatKibibytes(bytes)}`,
    );
  }

  /** A request was too large for the server and is sent in two halves. */
  split(bytes: number, message: string): void {
    if (performance.now() - this.#loggedSplitMs < lineIntervalMs) return;
    this.#loggedSplitMs = performance.now();
    this.#log.warn(
      `Cannot export ${bytes} bytes at once to ${this.#target}: ${message}. Sending them in halves; ` +
        'a lower batch.max_bytes avoids that',
    );
  }

  /** The server accepted a request with a warning. */
  warned(message: string): void {
    if (message === this.#lastWarning) return;
    this.#lastWarning = message;
    this.#log.warn(`Exported to ${this.#target} with a warning: ${message}`);
  }

  /** Points are lost. */
  dropped(reason: DropReason, points: number, message: string): void {
    const tally = this.#drops.get(reason) ?? { points: 0, message, loggedMs: -Infinity };
    this.#drops.set(reason, tally);
    tally.points += points;
    tally.message = message;
    if (performance.now() - tally.loggedMs >= lineIntervalMs) this.#report(reason, tally);
  }

  /** Logs losses that were not logged yet, and ends the reminders. */
  close(): void {
    this.#outage.close();
    for (const [reason, tally] of this.#drops) if (tally.points > 0) this.#report(reason, tally);
  }

  #report(reason: DropReason, tally: DropTally): void {
    const cause = [explanations[reason], tally.message].filter((part) => part !== '').join(': ');
    this.#log.error(`Lost ${tally.points} points for ${this.#target}: ${cause}`);
    tally.points = 0;
    tally.loggedMs = performance.now();
  }
}

/** `1 stored request`, `2 stored requests` */
function describeRequests(count: number, kind: 'stored' | 'queued'): string {
  return `${count} ${kind} ${count === 1 ? 'request' : 'requests'}`;
}
