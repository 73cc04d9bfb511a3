import { constants, readdirSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceiverContext } from '../../src/component/component.js';
import { claimEnergy } from '../../src/component/energy-claim.js';
import { IntegratedPower } from '../../src/energy/integrated-power.js';
import { IntegratedMeter, MeterRow } from '../../src/energy/meter-row.js';
import { describeCode, UnavailableError } from '../../src/errors.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric, Series } from '../../src/model/series.js';
import { hostEnergy, hostPower } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { createNameFilter } from '../../src/scraping/lines.js';
import type { OpenScraper } from '../../src/scraping/scraping-receiver.js';
import { waitBriefly } from '../../src/scraping/wait-briefly.js';
import type { Config } from './config.js';
import { describeReadings } from './metrics.js';
import { isBattery, isOfMachine, parseSupply, readDischarge, type Supply } from './supply.js';

/** The `hw.id` of the host as measured by its batteries. */
const hostId = 'power_supply/batteries';
/** Maximum wait for a supply: if it has not answered by then, it has a gap. */
const answerMs = 1_000;
/** Power is integrated over gaps up to this long. */
const minGapMs = 10_000;
/** Maximum size of such a file. */
const maxBytes = 4096;

type Reading = ReturnType<typeof describeReadings>[number];

/** A supply that is read, and what is published about it. */
interface Source {
  readonly name: string;
  readonly path: string;
  handle: FileHandle | undefined;
  pending: Promise<void> | undefined;
  /** The last reading; undefined: none, or it failed. */
  supply: Supply | undefined;
  problem: string | undefined;
  readings: readonly Reading[];
  series: readonly Series[];
}

/** Reads all power supplies concurrently, since embedded controllers answer slowly. */
export class BatteryScraper implements OpenScraper {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #isWanted: (name: string) => boolean;
  readonly #originNs: bigint;
  readonly #sources = new Map<string, Source>();
  /** The metric of the energy from batteries. */
  readonly #energyMetric: Metric;
  #intervalMs: number;
  #discharge: MeterRow | undefined;
  #breaks: number | undefined;

  /** @throws UnavailableError if there is no battery and no other power supply */
  static async open(config: Config, context: ReceiverContext): Promise<BatteryScraper> {
    const supplies = await findSupplies(config);
    if (supplies.length > 0) return new BatteryScraper(config, context, supplies);
    throw new UnavailableError(
      `Cannot read power supplies: expected some in ${config.sysfs}/class/power_supply, found none`,
    );
  }

  private constructor(config: Config, context: ReceiverContext, supplies: readonly Supply[]) {
    this.#config = config;
    this.#intervalMs = config.collection_interval;
    this.#context = context;
    this.#isWanted = createNameFilter(config.supplies);
    this.#originNs = context.clock.monotonicNs();
    const hasBattery = supplies.some((one) => isBattery(one) && isOfMachine(one));
    this.#energyMetric = claimEnergy(context.claims, hasBattery ? 'host' : 'other', hostId).metric;
  }

  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  async scrape(breaks: number): Promise<Iterable<Table>> {
    const ended = this.#breaks === undefined || breaks === this.#breaks ? [] : this.#endAll();
    this.#breaks = breaks;
    ended.push(...(await this.#findSources()));
    const sources = [...this.#sources.values()];
    for (const source of sources) begin(source);
    await waitBriefly(
      sources.flatMap(({ pending }) => pending ?? []),
      answerMs,
    );
    return this.#createTables(sources, ended);
  }

  async close(): Promise<void> {
    const sources = [...this.#sources.values()];
    this.#sources.clear();
    await Promise.all(sources.map(close));
  }

  *#createTables(sources: readonly Source[], ended: Series[]): Iterable<Table> {
    const at = this.#context.clock.wallNs();
    const rows = sources.flatMap((source) => this.#createRow(source, at, ended));
    const discharge = this.#createDischarge(sources, at, ended);
    if (ended.length > 0) yield createEnding(ended, at);
    yield* rows;
    if (discharge) yield discharge;
    const problems = sources.flatMap(({ name, problem, pending }) =>
      pending ? `${name}: no answer within ${answerMs} ms` : (problem ?? []),
    );
    if (problems.length > 0) throw new Error(`Cannot read power supplies: ${problems.join('; ')}`);
  }

  /** Properties that were read once are kept: the kernel omits those that it cannot read at present. */
  #createRow(source: Source, at: bigint, ended: Series[]): readonly Table[] {
    const { supply } = source;
    const found = supply ? describeReadings(supply) : [];
    const known = new Set(source.readings.map(identify));
    if (found.some((one) => !known.has(identify(one)))) {
      const isSame = found.some((one) => known.has(identify(one)));
      // Another battery in the same slot has another model.
      if (!isSame) ended.push(...source.series);
      if (!isSame) source.series = [];
      const added = found.filter((one) => !known.has(identify(one)));
      source.readings = isSame ? [...source.readings, ...added] : found;
    }
    if (source.readings.length === 0) return [];
    return [this.#fill(source, supply, at)];
  }

  #fill(source: Source, supply: Supply | undefined, at: bigint): Table {
    const { host: resource } = this.#context;
    const { readings, series } = source;
    source.series = readings.map(
      ({ metric, attributes }, i) => series[i] ?? { metric, attributes, resource, start: at },
    );
    const values = Float64Array.from(readings, (one) => (supply ? one.read(supply) : NaN));
    return createRow(source.series, at, values);
  }

  /** Each time the batteries take over, the machine's energy restarts at 0, since the energy before is unknown. */
  #createDischarge(sources: readonly Source[], at: bigint, ended: Series[]): Table | undefined {
    const isRead = sources.every(({ supply }) => supply !== undefined);
    const microwatts = isRead ? readDischarge(sources.flatMap(({ supply }) => supply ?? [])) : NaN;
    if (microwatts === undefined) {
      ended.push(...(this.#discharge?.series ?? []));
      this.#discharge = undefined;
      return undefined;
    }
    if (this.#discharge === undefined && Number.isNaN(microwatts)) return undefined;
    this.#discharge ??= this.#openDischarge(at);
    const atNs = Number(this.#context.clock.monotonicNs() - this.#originNs);
    return this.#discharge.take(Float64Array.of(microwatts), at, atNs);
  }

  #openDischarge(start: bigint): MeterRow {
    const { host: resource } = this.#context;
    const place = {
      [ATTR_HW_TYPE]: 'host',
      [ATTR_HW_ID]: hostId,
      [ATTR_HW_NAME]: 'Batteries, discharging',
    };
    const measured = {
      ...place,
      [ATTR_ENERGY_METHOD]: 'measured',
      [ATTR_ENERGY_INTERFACE]: 'power_supply',
    };
    const maxGapMs = () => Math.max(minGapMs, 3 * this.#intervalMs);
    const energy = { metric: this.#energyMetric, resource, attributes: measured, start };
    const power = { metric: hostPower, resource, attributes: place, start };
    const meters = [new IntegratedMeter(energy, new IntegratedPower({ maxGapMs }))];
    const isHost = this.#energyMetric === hostEnergy;
    const gauge = { series: power, take: (microwatts: number) => microwatts / 1e6 };
    return new MeterRow([...meters, ...(isHost ? [gauge] : [])].map((meter) => ({ meter, source: 0 })));
  }

  /** Finds supplies that are added or removed. @returns the series of removed ones */
  async #findSources(): Promise<readonly Series[]> {
    const names = listSupplies(this.#config);
    const ended: Series[] = [];
    for (const [name, source] of this.#sources) {
      if (names.includes(name)) continue;
      ended.push(...source.series);
      this.#sources.delete(name);
      await close(source);
    }
    for (const name of names.filter(this.#isWanted)) {
      if (!this.#sources.has(name)) this.#sources.set(name, createSource(this.#config, name));
    }
    return ended;
  }

  #endAll(): Series[] {
    const sources = [...this.#sources.values()];
    const all = sources.flatMap(({ series }) => series).concat(this.#discharge?.series ?? []);
    for (const source of sources) source.series = [];
    this.#discharge = undefined;
    return all;
  }
}

/** The readable properties of a machine's supplies, of those that answer in time. */
export async function findSupplies(config: Config): Promise<readonly Supply[]> {
  const names = listSupplies(config).filter(createNameFilter(config.supplies));
  const sources = names.map((name) => createSource(config, name));
  for (const source of sources) begin(source);
  await waitBriefly(
    sources.flatMap(({ pending }) => pending ?? []),
    answerMs,
  );
  await Promise.all(sources.map(close));
  return sources.flatMap(({ supply }) => supply ?? []);
}

/** The names of the machine's supplies. Listing a sysfs folder does not involve drivers, so it blocks on no battery and needs no thread. */
export function listSupplies({ sysfs }: Config): readonly string[] {
  try {
    return readdirSync(join(sysfs, 'class/power_supply')).toSorted();
  } catch {
    return [];
  }
}

function createSource({ sysfs }: Config, name: string): Source {
  const path = join(sysfs, 'class/power_supply', name, 'uevent');
  const nothing = { handle: undefined, pending: undefined, supply: undefined, problem: undefined };
  return { name, path, ...nothing, readings: [], series: [] };
}

/** Starts reading a supply; nothing is known about it until that is done. */
function begin(source: Source): void {
  if (source.pending !== undefined) return;
  source.supply = undefined;
  source.problem = undefined;
  source.pending = read(source);
}

/** Never rejects. */
async function read(source: Source): Promise<void> {
  try {
    source.handle ??= await open(source.path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const buffer = Buffer.allocUnsafe(maxBytes);
    const { bytesRead } = await source.handle.read(buffer, 0, maxBytes, 0);
    source.supply = parseSupply(source.name, buffer.toString('utf8', 0, bytesRead));
    if (source.supply === undefined)
      await fail(source, 'expected the properties of a power supply, found none');
  } catch (error) {
    await fail(source, describeCode(error));
  } finally {
    source.pending = undefined;
  }
}

/** The next reading opens the file again. */
async function fail(source: Source, problem: string): Promise<void> {
  source.supply = undefined;
  source.problem = `${source.path}: ${problem}`;
  await source.handle?.close();
  source.handle = undefined;
}

/** A reading that hangs in its driver is abandoned, and its descriptor is closed once it has ended. */
async function close(source: Source): Promise<void> {
  await waitBriefly([closeFile(source)], answerMs);
}

async function closeFile(source: Source): Promise<void> {
  await source.pending;
  const { handle } = source;
  source.handle = undefined;
  await handle?.close();
}

function identify({ metric, attributes }: Reading): string {
  return [metric.name, ...Object.values(attributes)].join('\n');
}
