import { setImmediate } from 'node:timers';
import type { Meter } from '@opentelemetry/api';

/**
 * Observes how long the main thread is blocked, and how late its timers are.
 * @returns a function that stops it
 */
export function observeEventLoop(meter: Meter): () => void {
  const endDelay = observeDelay(meter);
  const endSlices = observeSlices(meter);
  observeUtilization(meter);
  return () => {
    endDelay();
    endSlices();
  };
}

function observeDelay(meter: Meter): () => void {
  const delay = new EventLoopDelay();
  const mean = meter.createObservableGauge('nodejs.eventloop.delay.mean', {
    unit: 's',
    description: 'Mean delay of a timer on the main thread since the last collection',
  });
  const max = meter.createObservableGauge('nodejs.eventloop.delay.max', {
    unit: 's',
    description: 'Maximum delay of a timer on the main thread since the last collection',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const measured = delay.take();
      if (measured === undefined) return;
      result.observe(mean, measured.mean);
      result.observe(max, measured.max);
    },
    [mean, max],
  );
  return () => delay.close();
}

function observeSlices(meter: Meter): () => void {
  const slices = new MainThreadSlices();
  meter
    .createObservableGauge('joulemetry.main_thread.longest_slice', {
      unit: 's',
      description: 'Longest time since the last collection for which the main thread was blocked',
    })
    .addCallback((result) => result.observe(slices.takeLongestMs() / 1000));
  meter
    .createObservableCounter('joulemetry.main_thread.long_slices', {
      unit: '{slice}',
      description: `Number of times that the main thread was blocked for more than ${longSliceMs} ms`,
    })
    .addCallback((result) => result.observe(slices.long));
  slices.start();
  return () => slices.close();
}

function observeUtilization(meter: Meter): void {
  let last = performance.eventLoopUtilization();
  meter
    .createObservableGauge('nodejs.eventloop.utilization', {
      unit: '1',
      description: 'Share of time since the last collection during which the main thread was busy',
    })
    .addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    });
}

/** Target maximum for one slice of the main thread. */
const longSliceMs = 5;

const { nodeTiming } = performance;

/**
 * Measures every turn of the event loop: the wall time from one to the next, without the time in which the loop
 * waited for events. That is the worst-case delay of a signal, a request or a timer, including garbage
 * collection and preemption. An unreferenced immediate that is set again in every turn costs 0.2 us per turn;
 * the timers of Node's `monitorEventLoopDelay`, a hundred a second by default, cost more than an idle default
 * agent, and detect a slice only if one of them is due in it.
 */
export class MainThreadSlices {
  /** Slices that exceeded the target. */
  long = 0;
  #longestMs = 0;
  #atMs = NaN;
  #idleMs = NaN;
  #immediate: NodeJS.Immediate | undefined;
  readonly #turn = () => {
    this.measure(performance.now(), nodeTiming.idleTime);
    this.start();
  };

  /** Measures from the next turn on. */
  start(): void {
    this.#immediate = setImmediate(this.#turn);
    this.#immediate.unref();
  }

  /**
   * A turn of the loop has ended.
   * @param nowMs on the clock of `performance.now()`
   * @param idleMs total time that the loop has waited for events
   */
  measure(nowMs: number, idleMs: number): void {
    const sliceMs = nowMs - this.#atMs - (idleMs - this.#idleMs);
    this.#atMs = nowMs;
    this.#idleMs = idleMs;
    if (sliceMs > this.#longestMs) this.#longestMs = sliceMs;
    if (sliceMs > longSliceMs) this.long++;
  }

  /** The longest slice since the last call; 0 when there was none. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  close(): void {
    clearImmediate(this.#immediate);
  }
}

/** How late the main thread was, in seconds. */
interface LoopDelay {
  readonly mean: number;
  readonly max: number;
}

const intervalMs = 1000;

/** Watches how late a timer fires that wakes up once a second. */
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
