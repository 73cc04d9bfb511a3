/** How late the main thread was, in seconds. */
export interface LoopDelay {
  readonly mean: number;
  readonly max: number;
}

const intervalMs = 1000;

/**
 * Watches how late a timer fires that wakes up once a second. Node's own `monitorEventLoopDelay` wakes up a hundred
 * times a second, which alone would cost more than a default agent at rest.
 */
export class EventLoopDelay {
  readonly #timer: NodeJS.Timeout;
  #dueMs: number;
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** @param nowMs by the clock of `performance.now()` */
  constructor(nowMs = performance.now()) {
    this.#dueMs = nowMs + intervalMs;
    this.#timer = setInterval(() => this.measure(performance.now()), intervalMs);
    this.#timer.unref();
  }

  /** The timer fired at this time. */
  measure(nowMs: number): void {
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    this.#count++;
    this.#sumMs += lateMs;
    this.#maxMs = Math.max(this.#maxMs, lateMs);
    this.#dueMs = nowMs + intervalMs;
  }

  /** The delay since the last call; undefined when nothing was measured since. */
  take(): LoopDelay | undefined {
    if (this.#count === 0) return undefined;
    const delay = { mean: this.#sumMs / this.#count / 1000, max: this.#maxMs / 1000 };
    this.#count = 0;
    this.#sumMs = 0;
    this.#maxMs = 0;
    return delay;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
