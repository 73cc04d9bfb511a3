import { Worker } from 'node:worker_threads';
import { describeError, UnavailableError } from '../../src/errors.js';
import type { Command, Reading, ThreadMessage, ThreadOptions } from './protocol.js';

/** Far beyond what any call of NVML takes while its driver works. */
const answerTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;

interface Waiting {
  resolve(reading: Reading): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

/** The thread that calls NVML, as the main thread sees it. */
export class NvmlThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: Waiting | undefined;
  /** Since when it has not answered, in milliseconds of the monotonic clock. */
  #silentSinceMs = NaN;
  #endedBy: string | undefined;

  private constructor(options: ThreadOptions) {
    const url = new URL('./reading-thread.js', import.meta.url);
    this.#worker = new Worker(url, { name: 'nvml', execArgv: [], workerData: options });
    this.#worker.on('message', (message: ThreadMessage) => this.#take(message));
    this.#worker.on('error', (error) => void (this.#endedBy = describeError(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#endedBy ??= 'it exited';
        this.#fail(
          new Error(`Cannot read NVML: expected a running thread, found an ended one, ${this.#endedBy}`),
        );
        resolve();
      });
    });
  }

  /**
   * Starts the thread, which loads the library.
   * @returns with what it found
   * @throws UnavailableError when there is nothing to be read
   */
  static async open(
    options: ThreadOptions,
  ): Promise<{ readonly thread: NvmlThread; readonly reading: Reading }> {
    const thread = new NvmlThread(options);
    try {
      return { thread, reading: await thread.#wait(answerTimeoutMs) };
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** @throws Error when the thread does not answer, now or since the last time */
  read(timeoutMs = answerTimeoutMs): Promise<Reading> {
    if (this.#endedBy !== undefined)
      return Promise.reject(
        new Error(`Cannot read NVML: expected a running thread, found an ended one, ${this.#endedBy}`),
      );
    if (!Number.isNaN(this.#silentSinceMs)) return Promise.reject(this.#createSilence());
    this.#post('read');
    return this.#wait(timeoutMs);
  }

  /** Ends the thread. One that hangs in a call of the driver is left alone. */
  async close(): Promise<void> {
    if (this.#endedBy !== undefined) return;
    this.#post('close');
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeTimeoutMs)));
    await Promise.race([this.#exited, expired]);
    clearTimeout(timer);
    if (this.#endedBy !== undefined) return;
    this.#worker.unref();
    void this.#worker.terminate();
  }

  #post(command: Command): void {
    this.#worker.postMessage(command, []);
  }

  #wait(timeoutMs: number): Promise<Reading> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#silentSinceMs = performance.now() - timeoutMs;
        this.#fail(this.#createSilence());
      }, timeoutMs);
      this.#waiting = { resolve, reject, timer };
    });
  }

  #createSilence(): Error {
    const seconds = Math.round((performance.now() - this.#silentSinceMs) / 1e3);
    return new Error(`Cannot read NVML: expected an answer of the driver, found none within ${seconds} s`);
  }

  #take(message: ThreadMessage): void {
    this.#silentSinceMs = NaN;
    if (message.type === 'refused') return this.#fail(new UnavailableError(message.message));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    waiting?.resolve(message.reading);
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    waiting?.reject(error);
  }
}
