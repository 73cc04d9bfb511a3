import { isDeepStrictEqual } from 'node:util';
import type { ReceiverContext } from '../../src/component/component.js';
import { MeterRow } from '../../src/energy/meter-row.js';
import { UnavailableError } from '../../src/errors.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { createNameFilter } from '../../src/scraping/lines.js';
import type { OpenScraper } from '../../src/scraping/scraping-receiver.js';
import { waitBriefly } from '../../src/scraping/wait-briefly.js';
import { ChipReader } from './chip-reader.js';
import type { Config } from './config.js';
import { findChips } from './find-chips.js';
import { createMeters, planChips, type ChipPlan } from './meters.js';

/** How often chips are looked for, and sensors that were switched on. */
const searchMs = 30_000;
/** The same once a chip has gone: it may come back. */
const searchAgainMs = 900;
/** A chip that has not answered by then has no row; the others are not kept waiting. */
const answerMs = 1_000;
/** Power is integrated over gaps up to this long. */
const minGapMs = 10_000;

/** A chip that is read, and what is published of it. */
interface Published {
  readonly plan: ChipPlan;
  readonly reader: ChipReader;
  /** Undefined: there was no row so far. */
  row: MeterRow | undefined;
  /** The instants around its last reading. */
  beganNs: bigint;
}

/** Reads every chip, those that answer slowly next to each other. */
export class HwmonScraper implements OpenScraper {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #originNs: bigint;
  #published: readonly Published[] = [];
  #ended: Series[] = [];
  #searchedNs = 0n;
  #isChanged = false;
  #breaks: number | undefined;

  /** @throws UnavailableError when there is no sensor */
  static async open(config: Config, context: ReceiverContext): Promise<HwmonScraper> {
    const scraper = new HwmonScraper(config, context);
    await scraper.#search();
    if (scraper.#published.length > 0) return scraper;
    throw new UnavailableError(
      `Cannot read sensors: expected some in ${config.sysfs}/class/hwmon, found none`,
    );
  }

  private constructor(config: Config, context: ReceiverContext) {
    this.#config = config;
    this.#context = context;
    this.#originNs = context.clock.monotonicNs();
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
    const tables: Table[] = [];
    const late: Published[] = [];
    const readings = this.#published.map((one) => {
      one.beganNs = clock.monotonicNs();
      const isLate = one.reader.isPending;
      if (isLate) late.push(one);
      const pending = isLate ? undefined : one.reader.read();
      if (pending === undefined && !isLate) tables.push(this.#createRow(one));
      return pending?.then(() => void tables.push(this.#createRow(one)));
    });
    await waitBriefly(
      readings.filter((one) => one !== undefined),
      answerMs,
    );
    const open = this.#published.filter(({ reader }) => reader.isPending);
    this.#isChanged = this.#published.some(({ reader }) => reader.isGone);
    const problems = this.#published.flatMap(({ reader }) => reader.problems);
    const waiting = open.map(({ plan }) => `${plan.chip.id}: no answer within ${answerMs} ms`);
    return this.#forward(tables, [...problems, ...waiting]);
  }

  *#forward(tables: readonly Table[], problems: readonly string[]): Iterable<Table> {
    const ended = this.#ended;
    this.#ended = [];
    if (ended.length > 0) yield createEnding(ended, this.#context.clock.wallNs());
    yield* tables;
    if (problems.length > 0) throw new Error(`Cannot read sensors: ${problems.join('; ')}`);
  }

  /** The row of a reading that has just ended, at the instant half way since it began. */
  #createRow(one: Published): Table {
    const { clock, host } = this.#context;
    const nowNs = clock.monotonicNs();
    const halfNs = (nowNs - one.beganNs) / 2n;
    const at = clock.wallNs() - halfNs;
    const maxGapMs = Math.max(minGapMs, 3 * this.#config.collection_interval);
    one.row ??= new MeterRow(createMeters(one.plan, host, { start: at, maxGapMs }));
    return one.row.take(one.reader.values, at, Number(nowNs - halfNs - this.#originNs));
  }

  /** Publishes the chips that there are now. Those that are the same as before go on. */
  async #search(): Promise<void> {
    this.#searchedNs = this.#context.clock.monotonicNs();
    const plans = planChips(await findChips(this.#config.sysfs), {
      claims: this.#context.claims,
      pairs: this.#config.pairs,
      hostMeter: this.#config.host_meter ?? undefined,
      isWanted: createNameFilter(this.#config.sensors),
    }).filter(({ columns }) => columns.length > 0);
    const before = this.#published;
    const published: Published[] = [];
    for (const plan of plans) {
      const known = before.find((one) => !one.reader.isGone && isDeepStrictEqual(one.plan, plan));
      published.push(known ?? (await openChip(plan)));
    }
    this.#published = published;
    const gone = before.filter((one) => !published.includes(one));
    this.#ended.push(...gone.flatMap(({ row }) => row?.series ?? []));
    await Promise.all(gone.map(({ reader }) => reader.close()));
  }

  #endAll(): void {
    this.#ended.push(...this.#published.flatMap(({ row }) => row?.series ?? []));
    for (const one of this.#published) one.row = undefined;
  }
}

async function openChip(plan: ChipPlan): Promise<Published> {
  const reader = new ChipReader(plan.chip, plan.products);
  await reader.open(plan.chip);
  return { plan, reader, row: undefined, beganNs: 0n };
}
