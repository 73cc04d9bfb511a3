import type { ReceiverContext } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import type { FoundTarget } from './plan.js';

/** What a watch does with what it finds. */
export interface TargetWatchOptions {
  readonly intervalMs: number;
  readonly context: Pick<ReceiverContext, 'log'>;
  find(): Promise<readonly FoundTarget[]>;
  /** Resolves when these are counted, and no others. Called when they have changed. */
  count(targets: readonly FoundTarget[]): Promise<void>;
}

/** Keeps what is counted the same as what is found. */
export class TargetWatch {
  readonly #options: TargetWatchOptions;
  #keys: ReadonlySet<string> = new Set();
  #warning = '';
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  /** A look that takes longer than the interval is not followed by several that are due. */
  #isLooking = false;

  constructor(options: TargetWatchOptions) {
    this.#options = options;
  }

  /** Looks for the first time, and then at every interval. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      if (!this.#isLooking) void this.look();
    }, this.#options.intervalMs);
    await this.look();
  }

  /** Looks now, after a look that is under way. Never rejects. */
  look(): Promise<void> {
    this.#running = this.#running.then(() => this.#follow());
    return this.#running;
  }

  /** Resolves when no look is under way and none will follow. Safe to call twice. */
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
