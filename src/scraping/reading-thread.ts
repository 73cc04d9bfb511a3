import { Worker } from 'node:worker_threads';
import { describeError, UnavailableError } from '../errors.js';
import type { Command, ThreadMessage } from './serve-readings.js';

/** Far more than any call of a working driver takes. */
const answerTimeoutMs = 10_000;
/** Far more than loading a module takes on a busy machine. */
const loadTimeoutMs = 120_000;
const closeTimeoutMs = 2_000;

/** A source with blocking calls, and the module that makes them. */
export interface BlockingSource {
  /** For thread names and messages: `NVML`. */
  readonly name: string;
  /** Runs on the thread, and calls `serveReadings`. */
  readonly module: URL;
  /** Passed to what that module opens. Plain data that can be cloned. */
  readonly options: unknown;
  /** Time limit for opening it, from the first call of the source on. */
  readonly openTimeoutMs?: number;
}

interface Waiting<Reading> {
  resolve(reading: Reading): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** A thread that reads a source whose calls block for milliseconds or longer, as the main thread sees it. */
export class ReadingThread<Reading> {
  /** Called with a reading that came after its time limit: its values are too old, but not what else it reports. */
  onLate: ((reading: Reading) => void) | undefined;
  readonly #source: string;
  readonly #openTimeoutMs: number;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: Waiting<Reading> | undefined;
  /** Since when it has not answered, in milliseconds of the monotonic clock. */
  #silentSinceMs = NaN;
  #endedBy: string | undefined;

  private constructor({ name, module, options, openTimeoutMs = answerTimeoutMs }: BlockingSource) {
    this.#source = name;
    this.#openTimeoutMs = openTimeoutMs;
    this.#worker = new Worker(module, { name: name.toLowerCase(), execArgv: [], workerData: options });
    this.#worker.on('message', (message: ThreadMessage<Reading>) => this.#take(message));
    this.#worker.on('error', (error) => void (this.#endedBy = describeError(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#endedBy ??= 'it exited';
        this.#fail(this.#createEnded());
        resolve();
      });
    });
  }

  /**
   * Starts the thread, which opens the source.
   * @returns the thread and its first reading
   * @throws UnavailableError if there is nothing to read
   */
  static async open<Reading>(
    source: BlockingSource,
  ): Promise<{ readonly thread: ReadingThread<Reading>; readonly reading: Reading }> {
    const thread = new ReadingThread<Reading>(source);
    try {
      return { thread, reading: await thread.#wait(loadTimeoutMs) };
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** @throws Error if the source cannot be read, or the thread does not answer this or an earlier request */
  read(timeoutMs = answerTimeoutMs): Promise<Reading> {
    if (this.#endedBy !== undefined) return Promise.reject(this.#createEnded());
    if (!Number.isNaN(this.#silentSinceMs)) return Promise.reject(this.#createSilence());
    this.#post('read');
    return this.#wait(timeoutMs);
  }

  /** Ends the thread. A thread that hangs in a driver call is abandoned. */
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
      this.#waiting = { resolve, reject, timer: this.#limit(timeoutMs) };
    });
  }

  #limit(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#silentSinceMs = performance.now() - timeoutMs;
      this.#fail(this.#createSilence());
    }, timeoutMs);
  }

  /** The time that the machine took to start the thread is not that of the driver. */
  #beginOpening(): void {
    if (this.#waiting === undefined) return;
    clearTimeout(this.#waiting.timer);
    this.#waiting.timer = this.#limit(this.#openTimeoutMs);
  }

  #createEnded(): Error {
    return new Error(
      `Cannot read ${this.#source}: expected a running thread, found an ended one, ${this.#endedBy}`,
    );
  }

  #createSilence(): Error {
    const seconds = Math.round((performance.now() - this.#silentSinceMs) / 1e3);
    return new Error(
      `Cannot read ${this.#source}: expected an answer from the driver, found none within ${seconds} s`,
    );
  }

  #take(message: ThreadMessage<Reading>): void {
    this.#silentSinceMs = NaN;
    if (message.type === 'opening') return this.#beginOpening();
    if (message.type === 'refused') return this.#fail(new UnavailableError(message.message));
    if (message.type === 'failed') return this.#fail(new Error(message.message));
    const waiting = this.#waiting;
    if (waiting === undefined) return this.onLate?.(message.reading);
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    waiting.resolve(message.reading);
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    waiting?.reject(error);
  }
}
