import type { EventLoopUtilization } from 'node:perf_hooks';
import { Worker, type Transferable } from 'node:worker_threads';
import { describeError } from './errors.js';
import { stopHeapGrowth } from './young-generation.js';

/** How long a thread may be busy without a message, unless the order says otherwise. */
const stuckAfterMs = 60_000;
/** Beyond this share of the time it never waited, say for a disk. */
const busyShare = 0.9;
/** More is not needed by files as they should be. */
const maxHeapMegabytes = 2048;

/** What a thread is started with. */
export interface ThreadOrder<Out> {
  /** The module that it runs. */
  readonly module: URL;
  readonly data: unknown;
  /** Whether it is given a standard input. */
  readonly hasInput?: boolean;
  readonly stuckAfterMs?: number;
  /** Takes what it says. */
  onMessage(message: Out): void;
  /** Called once, when it ended by itself or is stuck and was terminated; not after `terminate`. */
  onEnd(reason: string): void;
}

/**
 * A worker thread for what takes long, such as encoding and decoding files, so that the main thread is free and can end
 * what does not come to an end.
 */
export class WorkThread<In, Out> {
  readonly #worker: Worker;
  readonly #order: ThreadOrder<Out>;
  #timer: NodeJS.Timeout | undefined;
  readonly #exited: Promise<unknown>;
  #hasSpoken = false;
  #isOver = false;
  #usage: EventLoopUtilization | undefined;

  constructor(order: ThreadOrder<Out>) {
    this.#order = order;
    const worker = new Worker(order.module, {
      name: 'work',
      // The SQLite and the zstd of Node call themselves experimental.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      workerData: order.data,
      stdin: order.hasInput === true,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes },
    });
    this.#worker = worker;
    worker.once('online', stopHeapGrowth);
    worker.on('message', (message: Out) => this.#hear(message));
    worker.on('error', (error) => this.#end(describeError(error)));
    this.#exited = new Promise((resolve) => void worker.once('exit', resolve));
    worker.once('exit', () => this.#end('its thread ended'));
  }

  /** Where the standard input of the thread is written. */
  get input(): NodeJS.WritableStream | null {
    return this.#worker.stdin;
  }

  post(message: In, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Ends the thread, whatever it does. Safe to call twice. */
  async terminate(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    void this.#worker.terminate();
    await this.#exited;
  }

  #hear(message: Out): void {
    if (this.#isOver) return;
    this.#hasSpoken = true;
    // Not before: to load its modules takes as long as it takes.
    this.#timer ??= this.#startWatch();
    this.#order.onMessage(message);
  }

  #startWatch(): NodeJS.Timeout {
    this.#usage = this.#worker.performance.eventLoopUtilization();
    return setInterval(() => this.#watch(), this.#order.stuckAfterMs ?? stuckAfterMs).unref();
  }

  /** Who computes and says nothing for so long never will. */
  #watch(): void {
    const { utilization } = this.#worker.performance.eventLoopUtilization(this.#usage);
    this.#usage = this.#worker.performance.eventLoopUtilization();
    const isStuck = !this.#hasSpoken && utilization > busyShare;
    this.#hasSpoken = false;
    if (isStuck) this.#end('it does not come to an end');
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    void this.terminate();
    this.#order.onEnd(reason);
  }
}
