import type { EventLoopUtilization } from 'node:perf_hooks';
import { Worker, type Transferable } from 'node:worker_threads';
import { describeError } from './errors.js';
import { stopHeapGrowth } from './young-generation.js';

/** How long a thread may compute without sending a message, by default. */
const stuckAfterMs = 60_000;
/** A thread that is busy for more than this share of the time did not wait, for example for a disk. */
const busyShare = 0.9;
/** Valid files need less. */
const maxHeapMegabytes = 2048;

/** The module of a thread, and its options. */
export interface ThreadOrder<Out> {
  readonly module: URL;
  readonly data: unknown;
  /** Whether the thread has a standard input. */
  readonly hasInput?: boolean;
  readonly stuckAfterMs?: number;
  /** Receives the messages of the thread. */
  onMessage(message: Out): void;
  /** Called once, when the thread ended by itself, or was terminated because it was stuck; not after `terminate`. */
  onEnd(reason: string): void;
}

/**
 * A worker thread for long work, such as encoding and decoding files: the main thread stays free, and ends the thread
 * if it computes without end.
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
      // Node warns that its SQLite and zstd are experimental.
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

  /** The standard input of the thread. */
  get input(): NodeJS.WritableStream | null {
    return this.#worker.stdin;
  }

  post(message: In, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Ends the thread in any state. May be called twice. */
  async terminate(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    void this.#worker.terminate();
    await this.#exited;
  }

  #hear(message: Out): void {
    if (this.#isOver) return;
    this.#hasSpoken = true;
    // Only after the first message: loading modules may take any time.
    this.#timer ??= this.#startWatch();
    this.#order.onMessage(message);
  }

  #startWatch(): NodeJS.Timeout {
    this.#usage = this.#worker.performance.eventLoopUtilization();
    return setInterval(() => this.#watch(), this.#order.stuckAfterMs ?? stuckAfterMs).unref();
  }

  /** A thread that computes for so long without a message is taken for stuck. */
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
