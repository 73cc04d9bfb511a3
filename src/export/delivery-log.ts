import type { Log } from '../component/log.js';
import { OutageLog } from './outage-log.js';
import type { DropReason } from './delivery-telemetry.js';

/** Shortest time between two lines about losses of the same reason, or about requests that were too large. */
const lineIntervalMs = 60_000;

const explanations: Readonly<Record<DropReason, string>> = {
  queue_full: 'the sending queue is full',
  rejected: 'the request was refused for good',
  partial_success: 'the request was taken without them',
  retries_exhausted: 'retry_on_failure.max_elapsed_time has passed',
  shutdown: 'there was no time left before the shutdown',
};

interface DropTally {
  /** Points lost since the last line. */
  points: number;
  /** What the other side said last. */
  message: string;
  toldMs: number;
}

/** Logs how deliveries go: outages, their causes and their ends, and what is lost, at most once a minute. */
export class DeliveryLog {
  readonly #log: Log;
  readonly #target: string;
  readonly #drops = new Map<DropReason, DropTally>();
  readonly #outage: OutageLog;
  #lastWarning = '';
  #toldSplitMs = -Infinity;

  constructor(log: Log, target: string) {
    this.#log = log;
    this.#target = target;
    this.#outage = new OutageLog(log, {
      action: `export to ${target}`,
      consequence: 'Keeping data and trying again',
    });
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
      `Exports to ${this.#target} again after ${seconds} s: ${waiting.requests} requests in the queue follow, ` +
        `${Math.ceil(waiting.bytes / 1024)} KiB`,
    );
  }

  /** A request was too large for the other side and goes out in two halves. */
  split(bytes: number, message: string): void {
    if (performance.now() - this.#toldSplitMs < lineIntervalMs) return;
    this.#toldSplitMs = performance.now();
    this.#log.warn(
      `Cannot export ${bytes} bytes at once to ${this.#target}: ${message}. Sending them in halves; ` +
        'a lower batch.max_bytes avoids that',
    );
  }

  /** The other side took a request and has something to say about it. */
  warned(message: string): void {
    if (message === this.#lastWarning) return;
    this.#lastWarning = message;
    this.#log.warn(`Exported to ${this.#target} with a warning: ${message}`);
  }

  /** Points are lost. */
  dropped(reason: DropReason, points: number, message: string): void {
    const tally = this.#drops.get(reason) ?? { points: 0, message, toldMs: -Infinity };
    this.#drops.set(reason, tally);
    tally.points += points;
    tally.message = message;
    if (performance.now() - tally.toldMs >= lineIntervalMs) this.#tell(reason, tally);
  }

  /** Logs losses that were not logged yet, and ends the reminders. */
  close(): void {
    this.#outage.close();
    for (const [reason, tally] of this.#drops) if (tally.points > 0) this.#tell(reason, tally);
  }

  #tell(reason: DropReason, tally: DropTally): void {
    const cause = [explanations[reason], tally.message].filter((part) => part !== '').join(': ');
    this.#log.error(`Lost ${tally.points} points for ${this.#target}: ${cause}`);
    tally.points = 0;
    tally.toldMs = performance.now();
  }
}
