import type { ReceiverContext } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import type { FoundTarget } from './find-targets.js';

/** A target that is counted. */
export interface CountedTarget {
  flush(): Promise<void>;
  /** Passes on everything that was counted; the series end where the target is gone. */
  stop(isGone: boolean): Promise<void>;
}

/** What a watch does with what it finds. */
export interface TargetWatchOptions {
  readonly intervalMs: number;
  readonly context: Pick<ReceiverContext, 'log'>;
  find(): readonly FoundTarget[];
  /** @throws UnavailableError when it cannot be counted */
  count(target: FoundTarget): Promise<CountedTarget>;
}

/** Counts targets from when they are found to when they are gone. */
export class TargetWatch {
  readonly #options: TargetWatchOptions;
  /** Undefined: it cannot be counted. */
  readonly #targets = new Map<string, CountedTarget | undefined>();
  readonly #warned = new Set<string>();
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

  async flush(): Promise<void> {
    await this.#running;
    await Promise.all(this.#counted().map((target) => target.flush()));
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
    await Promise.all(this.#counted().map((target) => target.stop(false)));
    this.#targets.clear();
  }

  #counted(): readonly CountedTarget[] {
    return [...this.#targets.values()].filter((target) => target !== undefined);
  }

  async #follow(): Promise<void> {
    this.#isLooking = true;
    try {
      const found = this.#options.find();
      const keys = new Set(found.map(({ key }) => key));
      const gone = [...this.#targets].filter(([key]) => !keys.has(key));
      for (const [key] of gone) this.#targets.delete(key);
      await Promise.all(gone.flatMap(([, target]) => target?.stop(true) ?? []));
      for (const target of found) if (!this.#targets.has(target.key)) await this.#begin(target);
    } catch (error) {
      this.#warn(`Cannot look for what to count: ${describeError(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }

  async #begin(found: FoundTarget): Promise<void> {
    // Not tried again: what is refused stays refused, and what has ended is not found again.
    this.#targets.set(found.key, undefined);
    try {
      this.#targets.set(found.key, await this.#options.count(found));
      this.#options.context.log.debug(`Counts ${found.name}`);
    } catch (error) {
      this.#warn(`Cannot count ${found.name}: ${describeError(error)}`);
    }
  }

  /** Processes come in great numbers: what keeps one from being counted is told once. */
  #warn(message: string): void {
    const kind = message.replaceAll(/\d+/g, 'N').replaceAll(/\(.*?\)/g, '');
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#options.context.log.warn(message);
  }
}
