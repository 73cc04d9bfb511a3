import { setImmediate } from 'node:timers/promises';
import type { Context } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { ReadingLoop, ReadingLoops } from '../component/reading-loop.js';
import { describeError } from '../errors.js';
import { slices } from '../linux/slices.js';
import { LoggedCauses } from '../logged-causes.js';
import { countPoints, type Table } from '../model/table.js';
import { GapColumns } from './gap-columns.js';
import { orderOf, type ScrapeOrder, type ScrapePhase } from './scrape-order.js';
import { ScrapeTelemetry } from './scrape-telemetry.js';
import { TickTimer } from './scrape-ticks.js';

/** A changing set of series read periodically, on the main thread. */
export interface Scraper {
  /**
   * Reads now. A long scrape is a generator that yields one table per part, each row with its true instant, or
   * nothing after other work: other work may run at each yield, and before a table is passed on. A step should
   * take at most 2 ms. A source that blocks is read on a separate thread, and its tables follow.
   * @param breaks differs from the last one when series must end and restart (`Clock.countBreaks`)
   * @throws Error when the source, or a part of it, could not be read: counted, logged when the cause changes,
   * retried at the next scrape. If no row was yielded before, the first of several such scrapes in a row is
   * published as a gap; a scraper yields the gaps of a part itself
   */
  scrape(breaks: number): Iterable<Table | undefined> | Promise<Iterable<Table | undefined>>;
  /**
   * Number of points that the last scrape lacks because of failures that it has logged itself: those of single
   * files among thousands, which do not justify failing the whole scrape.
   */
  takeMissing?(): number;
  /** The scraper is read at another interval from now on. */
  setInterval?(intervalMs: number): void;
}

export interface ScrapeLoop {
  /** Scrapes immediately, and returns when the tables have been passed on. */
  flush(): Promise<void>;
  /** Scrapes a last time and ends. May be called twice. */
  stop(): Promise<void>;
}

export interface ScrapeRequest {
  readonly scraper: Scraper;
  readonly intervalMs: number;
  readonly context: Context & { readonly loops?: ReadingLoops };
  readonly next: Consumer;
  /** When to read on a tick that other loops share; `other` by default. */
  readonly phase?: ScrapePhase;
}

/** The first scrapes of all loops share a tick, although the loops start one after the other. */
const beforeAnyTick = 0n;

/**
 * Scrapes immediately and then at every multiple of the interval on the wall clock, so that windows of all
 * receivers and agents have the same boundaries. A tick during a scrape is skipped and counted.
 */
export function startScraping(request: ScrapeRequest): ScrapeLoop {
  return new Loop(request);
}

class Loop implements ScrapeLoop, ReadingLoop {
  readonly setting = 'collection_interval';
  intervalMs: number;
  dueMs = performance.now();
  readonly #request: ScrapeRequest;
  readonly #telemetry: ScrapeTelemetry;
  readonly #timer: TickTimer;
  readonly #order: ScrapeOrder;
  readonly #place: number;
  readonly #columns = new GapColumns();
  readonly #leave: (() => void) | undefined;
  readonly #ended: Promise<void>;
  #breaks: number | undefined;
  #stopping = false;
  #isPaused = false;
  readonly #causes = new LoggedCauses();
  #pointsOfGoodScrape = 1;
  #running: Promise<void> = Promise.resolve();

  constructor(request: ScrapeRequest) {
    this.#request = request;
    this.intervalMs = request.intervalMs;
    this.#telemetry = new ScrapeTelemetry(request.context);
    this.#timer = new TickTimer(request.intervalMs, request.context.clock);
    this.#order = orderOf(request.context.clock);
    this.#place = this.#order.join(request.phase);
    this.#order.announce(this.#place, beforeAnyTick);
    this.#ended = this.#run();
    this.#leave = request.context.loops?.join(this);
  }

  flush(): Promise<void> {
    return this.#stopping ? this.#ended : this.#scrape();
  }

  get isFailing(): boolean {
    return this.#causes.isFailing;
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#timer.interrupt();
    await this.#running;
    // It may have been resumed meanwhile.
    if (!this.#isPaused) return;
    this.#columns.begin();
    this.#publishGap();
  }

  async resume(): Promise<void> {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Ticks during a pause are not missed ticks.
    this.#timer.realign();
    this.#timer.interrupt();
    await this.flush();
  }

  setInterval(intervalMs: number): void {
    this.intervalMs = intervalMs;
    this.#timer.setInterval(intervalMs);
    this.#request.scraper.setInterval?.(intervalMs);
  }

  stop(): Promise<void> {
    this.#leave?.();
    this.#stopping = true;
    this.#timer.stop();
    return this.#ended;
  }

  async #run(): Promise<void> {
    await setImmediate();
    await this.#order.wait(this.#place);
    while (!this.#stopping) {
      if (!this.#isPaused) await this.#scrape();
      this.#order.finish(this.#place);
      await this.#sleep();
    }
    this.#order.finish(this.#place);
    await this.#scrape();
  }

  /** A pause, its end and a new interval each interrupt the wait for a tick: then another tick is chosen. */
  async #sleep(): Promise<void> {
    while (!this.#stopping) {
      this.#chooseTick();
      if (!(await this.#timer.wait())) continue;
      await this.#order.wait(this.#place);
      return;
    }
  }

  #chooseTick(): void {
    if (this.#isPaused) {
      // Other loops must not wait for this one any more.
      this.#order.finish(this.#place);
      this.#timer.hold();
      this.dueMs = Infinity;
      return;
    }
    const { atNs, missed } = this.#timer.advance();
    this.#telemetry.missed(missed);
    this.#order.announce(this.#place, atNs);
    this.dueMs = performance.now() + this.#timer.leftMs;
  }

  /** Scrapes after every earlier requested scrape is done. Never rejects. */
  #scrape(): Promise<void> {
    this.#running = this.#running.then(() => this.#scrapeOnce());
    return this.#running;
  }

  async #scrapeOnce(): Promise<void> {
    const { scraper, context } = this.#request;
    const { clock } = context;
    const startedNs = clock.monotonicNs();
    const seen = { points: 0 };
    try {
      await this.#forward(this.#countBreaks(), seen);
      this.#pointsOfGoodScrape = Math.max(1, seen.points);
      this.#telemetry.errored(scraper.takeMissing?.() ?? 0);
      this.#noteSuccess();
    } catch (error) {
      this.#telemetry.errored(Math.max(1, this.#pointsOfGoodScrape - seen.points));
      this.#noteFailure(error);
      if (!this.#columns.hasRows) this.#publishGap();
    }
    this.#telemetry.scraped(seen.points, Number(clock.monotonicNs() - startedNs) / 1e9);
  }

  async #forward(breaks: number, seen: { points: number }): Promise<void> {
    const { scraper, next } = this.#request;
    if (slices.isOver) await slices.letOthersRun();
    this.#columns.begin();
    const tables = scraper.scrape(breaks);
    for (const table of tables instanceof Promise ? await tables : tables) {
      if (slices.isOver) await slices.letOthersRun();
      if (table === undefined) continue;
      const points = countPoints(table);
      seen.points += points;
      this.#columns.note(table, points);
      if (!next.consume(table)) this.#telemetry.refused();
      if (slices.isOver) await slices.letOthersRun();
    }
  }

  #publishGap(): void {
    const { context, next } = this.#request;
    for (const table of this.#columns.createGap(context.clock.wallNs()))
      if (!next.consume(table)) this.#telemetry.refused();
  }

  #countBreaks(): number {
    const { clock } = this.#request.context;
    const breaks = clock.countBreaks();
    if (breaks !== this.#breaks && this.#breaks !== undefined) this.#timer.realign();
    this.#breaks = breaks;
    return breaks;
  }

  #noteSuccess(): void {
    if (this.#causes.clear()) this.#request.context.log.info('Recovered, scraping again');
  }

  #noteFailure(error: unknown): void {
    const message = describeError(error);
    if (this.#causes.add(message)) this.#request.context.log.error(`Cannot scrape: ${message}`);
  }
}
