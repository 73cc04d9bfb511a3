import type { ReceiverContext } from '../../src/component/component.js';
import { claimEnergy } from '../../src/component/energy-claim.js';
import type { MeterRow } from '../../src/energy/meter-row.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import type { ReadingThread } from '../../src/scraping/reading-thread.js';
import type { OpenScraper } from '../../src/scraping/scraping-receiver.js';
import { createWallTime } from '../../src/scraping/wall-time.js';
import type { Config } from './config.js';
import { HostSeries } from './host-series.js';
import type { HostSource, Reading } from './protocol.js';
import type { Sensor } from './sensor-record.js';
import { createSensorRow, type Origin } from './sensor-series.js';

/** Power is integrated over gaps up to this time, or up to three intervals if that is longer. */
const minGapMs = 10_000;

/** The reading thread. */
export type ReadingSource = Pick<ReadingThread<Reading>, 'read' | 'close'>;

/** Creates tables from the readings of the thread. */
export class IpmiScraper implements OpenScraper {
  readonly #context: ReceiverContext;
  readonly #thread: ReadingSource;
  readonly #origin: Origin;
  #first: Reading | undefined;
  #sensors: readonly Sensor[] = [];
  readonly #rows = new Map<Sensor, MeterRow>();
  /** The source of the current series of the host. */
  #source: string | undefined;
  #host: HostSeries | undefined;
  #breaks: number | undefined;
  /** Whether the last reading failed. */
  #isGap = false;
  readonly #cell = new Float64Array(1);
  #intervalMs: number;

  constructor(
    config: Config,
    context: ReceiverContext,
    { thread, reading }: { thread: ReadingSource; reading: Reading },
  ) {
    this.#intervalMs = config.collection_interval;
    this.#context = context;
    this.#thread = thread;
    this.#origin = { bmc: `ipmi${config.device}`, resource: context.host };
    this.#first = reading;
    // Claimed at the start, before receivers with lower precedence claim the same energy.
    if (reading.host !== undefined) claimEnergy(context.claims, 'host', this.#origin.bmc);
  }

  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  async scrape(breaks: number): Promise<Iterable<Table>> {
    const reading = this.#first ?? (await this.#read());
    this.#first = undefined;
    if (reading instanceof Error) return this.#createGap(reading);
    this.#isGap = false;
    for (const { level, text } of reading.notes) this.#context.log[level](text);
    const isConnected = breaks === this.#breaks || this.#breaks === undefined;
    this.#breaks = breaks;
    return this.#createTables(reading, isConnected ? [] : this.#endAll());
  }

  /** @returns the error if nothing could be read */
  async #read(): Promise<Reading | Error> {
    try {
      return await this.#thread.read();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Also of the sensors, which are not read each time. */
  *#createGap(error: Error): Iterable<Table> {
    const series = [...(this.#host?.series ?? []), ...this.#listSensorSeries()];
    if (!this.#isGap && series.length > 0)
      yield createRow(series, this.#context.clock.wallNs(), new Float64Array(series.length).fill(NaN));
    this.#isGap = true;
    throw error;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  *#createTables(reading: Reading, ended: readonly Series[]): Iterable<Table> {
    const gone = [...ended, ...this.#matchHost(reading.host), ...this.#matchSensors(reading.sensors)];
    if (gone.length > 0) yield createEnding(gone, this.#context.clock.wallNs());
    const toWall = createWallTime(this.#context.clock);
    if (reading.power !== undefined && reading.host !== undefined) {
      const { value, atNs } = reading.power;
      const at = toWall(atNs);
      this.#host ??= this.#createHost(reading.host, at);
      yield this.#host.take(value, at, Number(atNs));
    }
    for (const { window, value, atNs } of reading.averages) {
      if (this.#host !== undefined) yield this.#host.takeAverage(window, value, toWall(atNs));
    }
    for (const { sensor, value, atNs } of reading.values)
      yield* this.#publish(sensor, value, toWall(atNs), atNs);
    if (reading.problems.length > 0) throw new Error(reading.problems.join('; '));
  }

  /** A sensor that has never had a reading is not published. */
  *#publish(index: number, value: number, at: bigint, atNs: bigint): Iterable<Table> {
    const sensor = this.#sensors[index];
    if (sensor === undefined) return;
    let row = this.#rows.get(sensor);
    if (row === undefined && Number.isNaN(value)) return;
    row ??= createSensorRow(sensor, this.#origin, at);
    this.#rows.set(sensor, row);
    this.#cell[0] = value;
    yield row.take(this.#cell, at, Number(atNs));
  }

  #createHost(source: Exclude<HostSource, undefined>, start: bigint): HostSeries {
    const { metric, owner } = claimEnergy(this.#context.claims, 'host', this.#origin.bmc);
    if (owner !== undefined)
      this.#context.log.info(
        `Publishing ${metric.name}: receiver "${owner}" publishes the energy of the host`,
      );
    const maxGapMs = () => Math.max(minGapMs, 3 * this.#intervalMs);
    return new HostSeries(source, this.#origin, start, { energyMetric: metric, maxGapMs });
  }

  /** @returns the series of the previous source, if the source has changed */
  #matchHost(source: HostSource): readonly Series[] {
    const name = JSON.stringify(source);
    if (name === this.#source) return [];
    this.#source = name;
    const ended = this.#host?.series ?? [];
    this.#host = undefined;
    return ended;
  }

  /** @returns the series of the previous sensors, if the sensors have changed */
  #matchSensors(sensors: readonly Sensor[] | undefined): readonly Series[] {
    if (sensors === undefined) return [];
    this.#sensors = sensors;
    return this.#endSensors();
  }

  #endAll(): readonly Series[] {
    const ended = [...(this.#host?.series ?? []), ...this.#endSensors()];
    this.#host = undefined;
    return ended;
  }

  #endSensors(): readonly Series[] {
    const ended = this.#listSensorSeries();
    this.#rows.clear();
    return ended;
  }

  #listSensorSeries(): readonly Series[] {
    return [...this.#rows.values()].flatMap(({ series }) => series);
  }
}
