import type { Sampler } from '../component/sampling.js';
import { describeError } from '../errors.js';
import type { Continuity } from '../linux/clock.js';
import { monotonicSinceOriginNs } from '../linux/clocks.js';
import { advance, createTimer } from './schedule.js';
import { SlotRows, type RowOptions } from './slot-rows.js';
import type { FailureMessage, RowsMessage, StateMessage } from './thread-connection.js';

export interface SlotOptions extends RowOptions {
  /** The first options of the sampler. */
  readonly options: unknown;
  /** @throws Error when the sampler cannot be opened */
  open(options: unknown): Sampler;
}

/** The connection from a slot to the main thread. */
export interface Outlet {
  post(message: StateMessage | FailureMessage): void;
  /** @returns false when the main thread is too far behind: the rows were not sent */
  postRows(message: RowsMessage): boolean;
}

/**
 * How often the clocks are compared while nothing is read, so that corrections accumulated over hours do not
 * look like a step.
 */
const watchNs = 1e9;

/** A flush takes 0.1 ms or more, too long between two readings that are closer together than this. */
const wholeFlushNs = 1e6;
/** Number of readings within which all parts of a flush are done, with some to spare. */
const flushReadings = 10;

const minBackOffNs = 100e6;
const maxBackOffNs = 30e9;

/** One sampler in its thread: opened, read when due, flushed, reopened after a failure. */
export class SamplerSlot {
  /** Deadline of the next reading, or of the next attempt to open the sampler. */
  timer;
  readonly #options: SlotOptions;
  #periodNs: number;
  #isPaused = false;
  /** Whether the clock was set, or the machine was suspended, while nothing was read. */
  #isInterrupted = false;
  readonly #outlet: Outlet;
  #flush;
  #samplerOptions: unknown;
  #sampler: Sampler | undefined;
  readonly #rows: SlotRows;
  /** The remaining parts of a flush, to be done after the next readings. */
  #flushParts = 0;
  #hasFailed = false;
  #backOffNs = minBackOffNs;

  constructor(options: SlotOptions, outlet: Outlet) {
    this.#options = options;
    this.#periodNs = options.periodNs;
    this.#outlet = outlet;
    this.#samplerOptions = options.options;
    this.#rows = new SlotRows(options, (message) => outlet.postRows(message));
    const nowNs = monotonicSinceOriginNs();
    this.timer = createTimer(options.periodNs, nowNs);
    this.#flush = createTimer(options.flushNs, nowNs);
  }

  /**
   * Opens the sampler, takes its first reading and sends it.
   * @throws Error when one of these fails
   */
  open(): void {
    const sampler = this.#options.open(this.#samplerOptions);
    this.#sampler = sampler;
    try {
      this.#rows.begin(sampler);
      this.#rows.read(sampler);
      const nowNs = monotonicSinceOriginNs();
      this.timer = createTimer(this.#periodNs, nowNs);
      this.#flush = createTimer(this.#options.flushNs, nowNs);
      this.#sendRows(sampler);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** As `open`, but after a failure it is tried again later. */
  openAgain(): void {
    try {
      this.open();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Does what is due: a reading, or another attempt to open the sampler. Never throws. */
  tick(): void {
    if (this.#isPaused) {
      this.#watchClocks();
      return;
    }
    const sampler = this.#sampler;
    if (sampler === undefined) {
      this.openAgain();
      return;
    }
    try {
      this.#readOnSchedule(sampler);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes a reading outside the schedule and sends every row. Never throws. */
  flush(): void {
    const sampler = this.#sampler;
    if (sampler === undefined) return;
    try {
      this.#rows.read(sampler);
      this.#sendRows(sampler);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The time between two readings; Infinity while it is paused. */
  get periodNs(): number {
    return this.#isPaused ? Infinity : this.#periodNs;
  }

  /** Takes a last reading, sends every row, and stops reading until `resume`. Never throws. */
  pause(): void {
    if (this.#isPaused) return;
    this.flush();
    this.#isPaused = true;
    this.timer = createTimer(watchNs, monotonicSinceOriginNs());
  }

  /** Resumes reading, immediately and at every tick. Never throws. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isInterrupted) this.#end();
    this.#isInterrupted = false;
    if (this.#sampler === undefined) this.openAgain();
    else this.flush();
    this.#restartTimers();
  }

  /** Sets another period between readings. Never throws. */
  setPeriod(periodNs: number): void {
    // The buffer for rows has the size of one flush.
    this.flush();
    this.#periodNs = periodNs;
    this.#rows.setPeriod(periodNs);
    if (!this.#isPaused) this.#restartTimers();
  }

  /** Gives the sampler other options; its columns may change between two readings. Never throws. */
  update(options: unknown): void {
    this.#samplerOptions = options;
    const before = this.#sampler;
    this.flush();
    // A sampler that was reopened in the meantime already has these options.
    if (before === undefined || this.#sampler !== before) return;
    try {
      before.update?.(options);
      if (this.#rows.areOf(before)) return;
      this.#rows.adopt(before);
      this.#rows.read(before);
      this.#sendRows(before);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes a last reading, sends every row and closes the sampler. Never throws. */
  close(): void {
    this.flush();
    if (this.#sampler !== undefined) closeQuietly(this.#sampler);
    this.#sampler = undefined;
  }

  #readOnSchedule(sampler: Sampler): void {
    const dueNs = this.timer.deadlineNs;
    this.#rows.read(sampler);
    const nowNs = this.#rows.lastNs();
    this.#rows.countTicks(nowNs - dueNs, advance(this.timer, nowNs));
    if (this.#hasFailed) this.#recover();
    if (dueNs >= this.#flush.deadlineNs || this.#rows.isFull) {
      advance(this.#flush, dueNs);
      this.#beginFlush(sampler);
    } else if (this.#flushParts > 0) this.#continueFlush(sampler);
  }

  /** With a short period, the parts of a flush are done after one reading each, so that none is missed. */
  #beginFlush(sampler: Sampler): void {
    const isWhole = this.#periodNs >= wholeFlushNs || this.#options.flushNs < flushReadings * this.#periodNs;
    if (isWhole) {
      this.#sendRows(sampler);
      return;
    }
    const continuity = this.#rows.take();
    if (continuity === 'same') this.#flushParts = 3;
    else this.#endFlush(sampler, continuity);
  }

  #continueFlush(sampler: Sampler): void {
    const part = this.#flushParts--;
    if (part === 3) this.#rows.sendTaken();
    else if (part === 2) this.#maintain(sampler);
    else this.#rows.prepare();
  }

  /** A sampler that could not be opened keeps the time of its next attempt. */
  #restartTimers(): void {
    if (this.#sampler === undefined) return;
    const nowNs = monotonicSinceOriginNs();
    this.timer = createTimer(this.#periodNs, nowNs);
    this.#flush = createTimer(this.#options.flushNs, nowNs);
  }

  #watchClocks(): void {
    advance(this.timer, monotonicSinceOriginNs());
    if (this.#rows.compareClocks() !== 'same') this.#isInterrupted = true;
  }

  #sendRows(sampler: Sampler): void {
    this.#endFlush(sampler, this.#rows.take());
  }

  #endFlush(sampler: Sampler, continuity: Continuity): void {
    this.#flushParts = 0;
    this.#rows.sendTaken();
    if (continuity === 'same') {
      this.#maintain(sampler);
      return;
    }
    this.#end();
    this.open();
  }

  #maintain(sampler: Sampler): void {
    sampler.maintain?.();
    if (!this.#rows.areOf(sampler)) this.#rows.adopt(sampler);
  }

  #fail(error: unknown): void {
    if (this.#sampler !== undefined) this.#rows.sendRest();
    this.#end();
    this.#hasFailed = true;
    this.#outlet.post({ type: 'failed', id: this.#options.id, message: describeError(error) });
    this.timer.deadlineNs = monotonicSinceOriginNs() + this.#backOffNs;
    this.#backOffNs = Math.min(this.#backOffNs * 2, maxBackOffNs);
  }

  #recover(): void {
    this.#hasFailed = false;
    this.#backOffNs = minBackOffNs;
    this.#outlet.post({ type: 'recovered', id: this.#options.id });
  }

  #end(): void {
    this.#flushParts = 0;
    if (this.#sampler === undefined) return;
    closeQuietly(this.#sampler);
    this.#sampler = undefined;
    this.#outlet.post({ type: 'ended', id: this.#options.id });
  }
}

function closeQuietly(sampler: Sampler): void {
  try {
    sampler.close();
  } catch {
    // It is closed in any case; the earlier error is the one to report.
  }
}
