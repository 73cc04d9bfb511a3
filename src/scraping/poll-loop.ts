import { setImmediate } from 'node:timers/promises';
import type { Context } from '../component/component.js';
import { passHistograms, type Consumer } from '../component/consumer.js';
import type { ReadingLoop, ReadingLoops } from '../component/reading-loop.js';
import { describeError } from '../errors.js';
import { slices } from '../linux/slices.js';
import { LoggedCauses } from '../logged-causes.js';
import { countHistograms, type HistogramTable } from '../model/histogram-table.js';
import { countPoints, type Table } from '../model/table.js';
import { GapColumns } from './gap-columns.js';
import type { PollingTarget } from './polling-target.js';
import type { ScrapeTelemetry } from './scrape-telemetry.js';
import { TickTimer } from './scrape-ticks.js';

/** How targets are read. */
export interface PollOptions {
  readonly intervalMs: number;
  /** How long one reading may take. */
  readonly timeoutMs: number;
  /** Maximum pause between two attempts at a target that does not answer; shorter than the interval: no pause. */
  readonly maxBackoffMs: number;
  readonly context: Context & { readonly loops?: ReadingLoops };
  readonly next: Consumer;
  readonly telemetry: ScrapeTelemetry;
}

/**
 * Reads one target immediately and then at every multiple of the interval on the wall clock. Loops do not wait
 * for each other: a target that does not answer delays no other.
 */
export class PollLoop implements ReadingLoop {
  readonly setting = 'collection_interval';
  intervalMs: number;
  dueMs = performance.now();
  readonly #target: PollingTarget;
  readonly #options: PollOptions;
  readonly #timeoutMs: number;
  readonly #timer: TickTimer;
  readonly #leave: (() => void) | undefined;
  readonly #running: Promise<void>;
  #breaks: number;
  #last: Promise<void> = Promise.resolve();
  #end: Promise<void> | undefined;
  /** Number of requested readings that are not done. */
  #pending = 0;
  /** Aborts the current reading. */
  #abort: (reason: Error) => void = () => {};
  #isReading = false;
  #isPaused = false;
  /** Why nothing is read any more, once the shutdown has exceeded its time limit. */
  #over: Error | undefined;
  #failures = 0;
  readonly #causes = new LoggedCauses();
  #pointsOfGoodReading = 1;
  readonly #columns = new GapColumns();

  constructor(target: PollingTarget, options: PollOptions) {
    this.#target = target;
    this.#options = options;
    this.intervalMs = target.intervalMs ?? options.intervalMs;
    this.#timeoutMs = target.timeoutMs ?? options.timeoutMs;
    this.#timer = new TickTimer(this.intervalMs, options.context.clock);
    this.#breaks = options.context.clock.countBreaks();
    this.#running = this.#run();
    this.#leave = options.context.loops?.join(this);
  }

  /** Reads now, unless the target failed to answer the last time, and returns when the tables have been passed on. */
  flush(): Promise<void> {
    if (this.#end !== undefined) return this.#end;
    return this.#failures > 0 ? this.#last : this.#poll();
  }

  get isFailing(): boolean {
    return this.#causes.isFailing;
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#timer.interrupt();
    await this.#last;
    // It may have been resumed meanwhile.
    if (!this.#isPaused) return;
    this.#columns.begin();
    await this.#publish(this.#columns.createGap(this.#options.context.clock.wallNs()));
  }

  async resume(): Promise<void> {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#timer.realign();
    this.#timer.interrupt();
    await (this.#end ?? this.#poll());
  }

  setInterval(intervalMs: number): void {
    this.intervalMs = intervalMs;
    this.#timer.setInterval(intervalMs);
    this.#target.setInterval?.(intervalMs);
  }

  /**
   * Ends every series and closes the target. May be called twice. Never rejects.
   * @param limitMs time limit of a last reading, or of the current one; 0: no last reading
   */
  stop(limitMs: number): Promise<void> {
    this.#leave?.();
    this.#end ??= this.#stop(limitMs);
    return this.#end;
  }

  async #run(): Promise<void> {
    await setImmediate();
    while (this.#end === undefined) {
      if (!this.#isPaused) await this.#poll();
      await this.#sleep();
    }
  }

  /** A pause, its end and a new interval each interrupt the wait for a tick: then another tick is chosen. */
  async #sleep(): Promise<void> {
    do this.#chooseTick();
    while (!(await this.#timer.wait()) && this.#end === undefined);
  }

  #chooseTick(): void {
    if (this.#isPaused) {
      this.#timer.hold();
      this.dueMs = Infinity;
      return;
    }
    this.#options.telemetry.missed(this.#timer.advance(this.#countTicks()).missed);
    this.dueMs = performance.now() + this.#timer.leftMs + this.#timeoutMs;
  }

  async #stop(limitMs: number): Promise<void> {
    this.#timer.stop();
    const limit = setTimeout(() => this.#giveUp(), limitMs);
    if (this.#pending === 0 && this.#failures === 0 && limitMs > 0) void this.#poll();
    await this.#last;
    clearTimeout(limit);
    await this.#running;
    try {
      await this.#endSeries();
      await this.#target.close?.();
    } catch (error) {
      this.#options.context.log.error(`Cannot close ${this.#target.name}: ${describeError(error)}`);
    }
  }

  #giveUp(): void {
    this.#over = new Error('expected an answer before the shutdown, found none');
    this.#abort(this.#over);
  }

  /** Ticks until the next attempt: twice as many after each failure. */
  #countTicks(): number {
    const backoffMs = Math.min(this.intervalMs * 2 ** (this.#failures - 1), this.#options.maxBackoffMs);
    return Math.max(1, Math.floor(backoffMs / this.intervalMs));
  }

  /** Reads after every earlier requested reading is done. Never rejects. */
  #poll(): Promise<void> {
    this.#pending++;
    this.#last = this.#last.then(() => this.#pollOnce()).finally(() => this.#pending--);
    return this.#last;
  }

  async #pollOnce(): Promise<void> {
    const { context, telemetry } = this.#options;
    await this.#followClock();
    const startedNs = context.clock.monotonicNs();
    const reading = { points: 0 };
    this.#columns.begin();
    try {
      const tables = await this.#read();
      if (await this.#followClock()) return;
      await this.#forward(tables, (table) => {
        const isHistograms = 'counts' in table;
        const points = isHistograms ? countHistograms(table) : countPoints(table);
        reading.points += points;
        if (!isHistograms) this.#columns.note(table, points);
      });
      this.#noteSuccess(reading.points);
    } catch (error) {
      await this.#noteFailure(error, reading.points);
    }
    telemetry.scraped(reading.points, Number(context.clock.monotonicNs() - startedNs) / 1e9);
  }

  /** @throws Error when the target refuses, or does not answer in time */
  async #read(): Promise<Iterable<Table | HistogramTable | undefined>> {
    if (this.#over !== undefined) throw this.#over;
    if (this.#isReading) throw new Error('expected the aborted request to end, found it running');
    const controller = new AbortController();
    const { signal } = controller;
    const late = () =>
      controller.abort(new Error(`expected an answer within ${this.#timeoutMs} ms, found none`));
    const timer = setTimeout(late, this.#timeoutMs);
    this.#abort = (reason) => controller.abort(reason);
    this.#isReading = true;
    try {
      return await Promise.race([this.#ask(signal), whenAborted(signal)]);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      this.#abort = () => {};
    }
  }

  async #ask(signal: AbortSignal): Promise<Iterable<Table | HistogramTable | undefined>> {
    try {
      return await this.#target.read(signal);
    } finally {
      this.#isReading = false;
    }
  }

  async #forward(
    tables: Iterable<Table | HistogramTable | undefined>,
    note: (table: Table | HistogramTable) => void,
  ): Promise<void> {
    const { next, telemetry } = this.#options;
    for (const table of tables) {
      if (slices.isOver) await slices.letOthersRun();
      if (table === undefined || (table.series.length === 0 && !table.ended?.length)) continue;
      note(table);
      const isTaken = 'counts' in table ? passHistograms(next, table) : next.consume(table);
      if (!isTaken) telemetry.refused();
    }
  }

  /** @returns whether the clock was stepped since the last call: then every series has ended */
  async #followClock(): Promise<boolean> {
    const breaks = this.#options.context.clock.countBreaks();
    if (breaks === this.#breaks) return false;
    this.#breaks = breaks;
    this.#timer.realign();
    await this.#endSeries();
    return true;
  }

  async #endSeries(): Promise<void> {
    this.#columns.clear();
    await this.#publish(this.#target.restart(this.#options.context.clock.wallNs()));
  }

  #publish(tables: readonly (Table | HistogramTable)[]): Promise<void> {
    return this.#forward(tables, () => {});
  }

  #noteSuccess(points: number): void {
    if (this.#causes.clear()) this.#options.context.log.info(`Recovered, reading ${this.#target.name} again`);
    this.#failures = 0;
    this.#pointsOfGoodReading = Math.max(1, points);
  }

  async #noteFailure(error: unknown, points: number): Promise<void> {
    if (this.#end === undefined) this.#logCause(describeError(error));
    this.#options.telemetry.errored(Math.max(1, this.#pointsOfGoodReading - points));
    // A failing part of the target must not delay the readings of the rest.
    if (this.#columns.hasRows) return;
    this.#failures++;
    const at = this.#options.context.clock.wallNs();
    await this.#publish(this.#target.publishFailure?.(error, at) ?? this.#columns.createGap(at));
  }

  /** Logs why the target, or a part of it, cannot be read: each cause once. */
  #logCause(message: string): void {
    if (this.#causes.add(message))
      this.#options.context.log.error(`Cannot read ${this.#target.name}: ${message}`);
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
