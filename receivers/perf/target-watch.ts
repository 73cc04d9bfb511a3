import type { ReceiverContext } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import type { FoundTarget } from './plan.js';

/** What a watch does with the targets it finds. */
export interface TargetWatchOptions {
  readonly intervalMs: number;
  readonly context: Pick<ReceiverContext, 'log'>;
  find(): Promise<readonly FoundTarget[]>;
  /** Counts these targets only; resolves when done. Called when they have changed. */
  count(targets: readonly FoundTarget[]): Promise<void>;
}

/** Keeps the counted targets in step with the existing ones. */
export class TargetWatch {
  readonly #options: TargetWatchOptions;
  #keys: ReadonlySet<string> = new Set();
  #warning = '';
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  /** A search that takes longer than the interval is not followed by several overdue ones. */
  #isLooking = false;

  constructor(options: TargetWatchOptions) {
    this.#options = options;
  }

  /** Searches now, and then at every interval. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      if (!this.#isLooking) void this.look();
    }, this.#options.intervalMs);
    await this.look();
  }

  /** Searches now, or after the search in progress. Never rejects. */
  look(): Promise<void> {
    this.#running = this.#running.then(() => this.#follow());
    return this.#running;
  }

  /** Resolves when no search is in progress and none will follow. May be called twice. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async #follow(): Promise<void> {
    this.#isLooking = true;
    try {
      const found = await this.#options.find();
      const isKnown = found.every(({ key }) => this.#keys.has(key));
      if (isKnown && found.length === this.#keys.size) return;
      await this.#options.count(found);
      this.#keys = new Set(found.map(({ key }) => key));
      this.#warning = '';
    } catch (error) {
      this.#warn(`Cannot look for what to count: ${describeError(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }

  #warn(message: string): void {
    if (this.#warning !== message) this.#options.context.log.warn(message);
    this.#warning = message;
  }
}
