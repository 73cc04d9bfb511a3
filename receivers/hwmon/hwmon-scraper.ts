import { isDeepStrictEqual } from 'node:util';
import type { ReceiverContext } from '../../src/component/component.js';
import { MeterRow } from '../../src/energy/meter-row.js';
import { UnavailableError } from '../../src/errors.js';
import { slices } from '../../src/linux/slices.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { createNameFilter } from '../../src/scraping/lines.js';
import { PoolShare } from '../../src/scraping/pool-share.js';
import type { OpenScraper } from '../../src/scraping/scraping-receiver.js';
import { waitBriefly } from '../../src/scraping/wait-briefly.js';
import { answerMs } from './channels.js';
import { ChipReader, type ChipTiming } from './chip-reader.js';
import type { Config } from './config.js';
import { ChipSearch } from './find-chips.js';
import { createMeters, planChips, type ChipPlan } from './meters.js';

/** How often chips, and sensors that were switched on, are searched. */
const searchMs = 30_000;
/** The same after a chip has disappeared: it may come back. */
const searchAgainMs = 900;
/** Power is integrated over gaps up to this long. */
const minGapMs = 10_000;

/** A chip that is read, and what is published about it. */
interface Published {
  readonly plan: ChipPlan;
  readonly reader: ChipReader;
  /** Undefined: there was no row yet. */
  row: MeterRow | undefined;
  /** The start of its last reading. */
  beganNs: bigint;
  /** Since when that reading is a gap, because the chip did not answer in time. */
  gapNs: bigint | undefined;
  /** Its series have ended: a reading that was abandoned has no row. */
  isEnded: boolean;
}

/** Reads every chip, slow chips concurrently. */
export class HwmonScraper implements OpenScraper {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #timing: ChipTiming | undefined;
  readonly #originNs: bigint;
  readonly #pool = new PoolShare();
  readonly #chips = new ChipSearch(this.#pool);
  #intervalMs: number;
  #published: readonly Published[] = [];
  #ended: Series[] = [];
  /** Rows to be forwarded. */
  #rows: Table[] = [];
  #searchedNs = 0n;
  #isChanged = false;
  #breaks: number | undefined;

  /** @throws UnavailableError if there is no sensor */
  static async open(config: Config, context: ReceiverContext, timing?: ChipTiming): Promise<HwmonScraper> {
    const scraper = new HwmonScraper(config, context, timing);
    await scraper.#search();
    if (scraper.#published.length > 0) return scraper;
    throw new UnavailableError(
      `Cannot read sensors: expected some in ${config.sysfs}/class/hwmon, found none`,
    );
  }

  private constructor(config: Config, context: ReceiverContext, timing: ChipTiming | undefined) {
    this.#config = config;
    this.#intervalMs = config.collection_interval;
    this.#timing = timing;
    this.#context = context;
    this.#originNs = context.clock.monotonicNs();
  }

  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  async scrape(breaks: number): Promise<Iterable<Table>> {
    if (this.#breaks !== undefined && breaks !== this.#breaks) this.#endAll();
    this.#breaks = breaks;
    const sinceMs = Number(this.#context.clock.monotonicNs() - this.#searchedNs) / 1e6;
    if (sinceMs >= (this.#isChanged ? searchAgainMs : searchMs)) await this.#search();
    return this.#read();
  }

  async close(): Promise<void> {
    const published = this.#published;
    this.#published = [];
    await Promise.all(published.map(({ reader }) => reader.close()));
  }

  async #read(): Promise<Iterable<Table>> {
    const { clock } = this.#context;
    const late = this.#takeRows();
    const readings: Promise<void>[] = [];
    for (const one of this.#published) {
      if (slices.isOver) await slices.letOthersRun();
      if (one.reader.isPending) continue;
      one.beganNs = clock.monotonicNs();
      one.gapNs = undefined;
      const pending = one.reader.read(() => (one.beganNs = clock.monotonicNs()));
      if (pending === undefined) this.#addRow(one);
      else readings.push(pending.then(() => this.#addRow(one)));
    }
    await waitBriefly(readings, answerMs);
    const open = this.#published.filter(({ reader }) => reader.isPending);
    for (const one of open) this.#addGap(one);
    this.#isChanged = this.#published.some(({ reader }) => reader.isGone);
    const problems = this.#published.flatMap(({ reader }) => reader.problems);
    const waiting = open.map(({ plan }) => `${plan.chip.id}: no answer within ${answerMs} ms`);
    return this.#forward(late, [...problems, ...waiting]);
  }

  #takeRows(): readonly Table[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** @param late rows of readings that an earlier scrape did not wait for; their series may have ended since */
  *#forward(late: readonly Table[], problems: readonly string[]): Iterable<Table> {
    yield* late;
    const ended = this.#ended;
    this.#ended = [];
    if (ended.length > 0) yield createEnding(ended, this.#context.clock.wallNs());
    yield* this.#takeRows();
    if (problems.length > 0) throw new Error(`Cannot read sensors: ${problems.join('; ')}`);
  }

  /** Adds a gap where a chip has not answered in time, once for each reading. */
  #addGap(one: Published): void {
    if (one.gapNs !== undefined || one.row === undefined) return;
    const { clock } = this.#context;
    one.gapNs = clock.monotonicNs();
    const nothing = new Float64Array(one.reader.values.length).fill(NaN);
    this.#rows.push(one.row.take(nothing, clock.wallNs(), Number(one.gapNs - this.#originNs)));
  }

  /** Adds the row of a reading that has just ended, at the midpoint of its duration, or where its gap ends. */
  #addRow(one: Published): void {
    if (one.isEnded) return;
    const { clock, host } = this.#context;
    const nowNs = clock.monotonicNs();
    const middleNs = (nowNs + one.beganNs) / 2n;
    const atNs = one.gapNs !== undefined && one.gapNs >= middleNs ? one.gapNs + 1n : middleNs;
    const at = clock.wallNs() - (nowNs - atNs);
    const maxGapMs = () => Math.max(minGapMs, 3 * this.#intervalMs);
    one.row ??= new MeterRow(createMeters(one.plan, host, { start: at, maxGapMs }));
    this.#rows.push(one.row.take(one.reader.values, at, Number(atNs - this.#originNs)));
  }

  /** Publishes the current chips. Unchanged ones continue. */
  async #search(): Promise<void> {
    this.#searchedNs = this.#context.clock.monotonicNs();
    const plans = planChips(await this.#chips.find(this.#config.sysfs), {
      claims: this.#context.claims,
      config: this.#config,
      isWanted: createNameFilter(this.#config.sensors),
    }).filter(({ columns }) => columns.length > 0);
    const before = this.#published;
    const published: Published[] = [];
    for (const plan of plans) {
      const known = before.find((one) => !one.reader.isGone && isDeepStrictEqual(one.plan, plan));
      published.push(known ?? (await this.#open(plan)));
    }
    this.#published = published;
    const gone = before.filter((one) => !published.includes(one));
    // A pending reading may still have a row, before its series end.
    await Promise.all(gone.map(({ reader }) => reader.close()));
    for (const one of gone) one.isEnded = true;
    this.#ended.push(...gone.flatMap(({ row }) => row?.series ?? []));
  }

  async #open(plan: ChipPlan): Promise<Published> {
    const reader = new ChipReader(plan.chip, plan.products, { timing: this.#timing, pool: this.#pool });
    await reader.open(plan.chip);
    if (reader.refused.length > 0) {
      const remedy = 'run as root or grant CAP_DAC_READ_SEARCH';
      this.#context.log.warn(`Leaving out sensors: ${reader.refused.join('; ')}; ${remedy}`);
    }
    return { plan, reader, row: undefined, beganNs: 0n, gapNs: undefined, isEnded: false };
  }

  #endAll(): void {
    this.#ended.push(...this.#published.flatMap(({ row }) => row?.series ?? []));
    for (const one of this.#published) one.row = undefined;
  }
}
