import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { PollLoop, type PollOptions } from './poll-loop.js';
import type { PollingTarget } from './polling-target.js';
import { ScrapeTelemetry } from './scrape-telemetry.js';

/** The parts of a polling receiver. */
export interface PollingReceiverOptions {
  readonly intervalMs: number;
  /** Time limit of one reading of a target; default: the interval, at least 1 s and at most 10 s. */
  readonly timeoutMs?: number;
  /** Maximum pause between two attempts at a target that does not answer; default 30 s; 0: no pauses. */
  readonly maxBackoffMs?: number;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  /**
   * Called at the start: adds the targets, and may keep `targets` to add and remove some later.
   * @throws Error, with a message for users, if nothing can ever be read
   */
  open(targets: PollingTargets): void | Promise<void>;
  /** Called before the targets are closed; no target may be added afterwards. */
  close?(): void | Promise<void>;
}

/** The targets of a receiver. */
export interface PollingTargets {
  /**
   * Reads a target immediately and then at each multiple of its interval. @throws Error if another one has the
   * same name
   */
  add(target: PollingTarget): void;
  /** Removes a target: its request is aborted and its series end. Does nothing if no target has that name. */
  remove(name: string): Promise<void>;
}

/** Time limit of the last reading of a target at shutdown, which counts the energy up to the end. */
const lastReadingMs = 1000;

/**
 * A receiver that polls servers or devices over a connection, each at every multiple of its interval on the
 * wall clock: one request per target at a time, with a time limit. A failing target is counted, logged when the
 * cause changes, shown as a gap and retried after growing pauses; it does not delay others.
 */
export function createPollingReceiver(options: PollingReceiverOptions): Component {
  let loops: PollLoops | undefined;
  return {
    async start() {
      loops = new PollLoops(completeOptions(options));
      await options.open(loops);
    },
    async flush() {
      await loops?.flush();
    },
    async shutdown(timeoutMs) {
      if (loops === undefined) return;
      const closing = loops.isStopped ? undefined : options.close?.();
      // Half of the time is left for closing connections.
      await loops.stop(Math.min(lastReadingMs, (timeoutMs ?? Infinity) / 2));
      await closing;
    },
  };
}

function completeOptions(options: PollingReceiverOptions): PollOptions {
  const { intervalMs, context, next } = options;
  const { timeoutMs = Math.min(Math.max(intervalMs, 1000), 10_000), maxBackoffMs = 30_000 } = options;
  return { intervalMs, timeoutMs, maxBackoffMs, context, next, telemetry: new ScrapeTelemetry(context) };
}

class PollLoops implements PollingTargets {
  readonly #options: PollOptions;
  readonly #loops = new Map<string, PollLoop>();
  /** Stops of removed targets. */
  readonly #ending = new Set<Promise<void>>();
  isStopped = false;

  constructor(options: PollOptions) {
    this.#options = options;
  }

  add(target: PollingTarget): void {
    if (this.#loops.has(target.name))
      throw new Error(`Cannot read ${target.name}: expected one target of that name, found two`);
    if (!this.isStopped) this.#loops.set(target.name, new PollLoop(target, this.#options));
  }

  async remove(name: string): Promise<void> {
    const loop = this.#loops.get(name);
    if (loop === undefined) return;
    this.#loops.delete(name);
    const ending = loop.stop(0);
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.flush()));
  }

  async stop(limitMs: number): Promise<void> {
    this.isStopped = true;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop(limitMs)));
    await Promise.all(this.#ending);
  }
}
