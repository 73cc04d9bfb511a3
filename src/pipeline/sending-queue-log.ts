import type { Log } from '../component/log.js';
import type { DropReason } from './sending-queue-telemetry.js';

/** How often, at the most, a line says that points of the same reason are lost. */
const dropLineIntervalMs = 60_000;

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

/** Tells people how deliveries go: when an outage begins and ends, and now and then what is lost. */
export class DeliveryLog {
  readonly #log: Log;
  readonly #target: string;
  readonly #drops = new Map<DropReason, DropTally>();
  #failingSinceMs: number | undefined;
  #lastWarning = '';

  constructor(log: Log, target: string) {
    this.#log = log;
    this.#target = target;
  }

  /** An attempt failed and will be repeated. */
  failed(message: string): void {
    if (this.#failingSinceMs !== undefined) return;
    this.#failingSinceMs = performance.now();
    this.#log.warn(`Cannot export to ${this.#target}: ${message}. Keeping data and trying again`);
  }

  /** A request was delivered. */
  delivered(waiting: { readonly requests: number; readonly bytes: number }): void {
    if (this.#failingSinceMs === undefined) return;
    const seconds = Math.round((performance.now() - this.#failingSinceMs) / 1000);
    this.#failingSinceMs = undefined;
    this.#log.info(
      `Exports to ${this.#target} again after ${seconds} s: ${waiting.requests} requests in the queue follow, ` +
        `${Math.ceil(waiting.bytes / 1024)} KiB`,
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
    if (performance.now() - tally.toldMs >= dropLineIntervalMs) this.#tell(reason, tally);
  }

  /** Tells what was not told yet. */
  close(): void {
    for (const [reason, tally] of this.#drops) if (tally.points > 0) this.#tell(reason, tally);
  }

  #tell(reason: DropReason, tally: DropTally): void {
    const cause = [explanations[reason], tally.message].filter((part) => part !== '').join(': ');
    this.#log.error(`Lost ${tally.points} points for ${this.#target}: ${cause}`);
    tally.points = 0;
    tally.toldMs = performance.now();
  }
}
