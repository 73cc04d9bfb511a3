import type { ReceiverContext } from '../component/component.js';
import { claimEnergy } from '../component/energy-claim.js';
import type { IdentityOptions } from '../identity/process-identity.js';
import type { Metric, Series } from '../model/series.js';
import { createEnding, type Table } from '../model/table.js';
import type { ReadingThread } from '../scraping/reading-thread.js';
import type { OpenScraper } from '../scraping/scraping-receiver.js';
import { createWallTime } from '../scraping/wall-time.js';
import { DeviceSeries, DeviceStatus } from './device-series.js';
import { ProcessAccounts } from './process-accounts.js';
import type { Device, DeviceRow, Note, Reading } from './protocol.js';

/** A device and its series. */
interface Published {
  readonly device: Device;
  /** Undefined: there was no row yet. */
  status: DeviceStatus | undefined;
  /** Undefined: it could not be read yet, or is lost. */
  series: DeviceSeries | undefined;
}

/** The settings that every receiver of GPUs has. */
export interface GpuConfig extends Pick<IdentityOptions, 'procfs' | 'passwd' | 'service'> {
  readonly collection_interval: number;
}

/** A thread that reads GPUs. */
export type GpuThread = Pick<ReadingThread<Reading>, 'read' | 'close' | 'onLate'>;

/** Power is integrated over gaps up to this long. */
const minGapMs = 10_000;

/** Converts the results of the reading thread to tables. */
export class GpuScraper implements OpenScraper {
  readonly #config: GpuConfig;
  readonly #context: ReceiverContext;
  readonly #thread: GpuThread;
  readonly #processes: ProcessAccounts;
  readonly #published = new Map<string, Published>();
  #devices: readonly Device[] = [];
  /** Whether the published devices match those of the last reading. */
  #areMatched = false;
  #hasForeign = false;
  #breaks: number | undefined;

  #intervalMs: number;

  constructor(
    config: GpuConfig,
    context: ReceiverContext,
    { thread, reading }: { thread: GpuThread; reading: Reading },
  ) {
    this.#config = config;
    this.#intervalMs = config.collection_interval;
    this.#context = context;
    this.#thread = thread;
    const { procfs, passwd, service } = config;
    const { host, log } = context;
    this.#processes = new ProcessAccounts({
      host,
      procfs,
      passwd,
      service,
      onUnreadable: (message) => log.warn(message),
      onForeign: (pid) => this.#noteForeign(pid),
    });
    this.#devices = reading.devices ?? [];
    // At the start, before receivers that yield to this one claim the same energy.
    for (const device of this.#devices) this.#claimEnergy(device);
    this.#log(reading.notes);
    // A driver is reset while it does not answer: the devices of a late reading are not reported again.
    thread.onLate = (late) => this.#takeDevices(late);
  }

  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  async scrape(breaks: number): Promise<Iterable<Table>> {
    return this.#take(await this.#thread.read(), breaks);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  /** @throws Error if no device could be read */
  #take(reading: Reading, breaks: number): Iterable<Table> {
    this.#takeDevices(reading);
    if (reading.rows.length === 0 && reading.failure !== undefined) throw new Error(reading.failure);
    const isConnected = breaks === this.#breaks || this.#breaks === undefined;
    const ended = isConnected ? [] : this.#endAll();
    this.#breaks = breaks;
    this.#areMatched &&= isConnected;
    return this.#createTables(reading, ended);
  }

  #takeDevices({ notes, devices }: Reading): void {
    this.#log(notes);
    this.#devices = devices ?? this.#devices;
    this.#areMatched &&= devices === undefined;
  }

  *#createTables({ rows, problems }: Reading, ended: readonly Series[]): Iterable<Table> {
    const toWall = createWallTime(this.#context.clock);
    const now = this.#context.clock.wallNs();
    const gone = this.#areMatched ? ended : ended.concat(this.#matchDevices());
    if (gone.length > 0) yield createEnding(gone, now);
    this.#processes.beginScan();
    for (const row of rows) yield* this.#publish(row, toWall);
    this.#processes.endScan();
    const all = [...problems, ...this.#listImplausible(rows)];
    if (all.length > 0) throw new Error(all.join('; '));
  }

  *#publish(row: DeviceRow, toWall: (monotonicNs: bigint) => bigint): Iterable<Table> {
    const published = this.#published.get(row.id);
    if (published === undefined) return;
    const at = toWall(row.atNs);
    published.status ??= new DeviceStatus(published.device, this.#context.host, at);
    yield published.status.createRow(row.values === undefined, at);
    if (row.values === undefined) {
      const ended = this.#endSeries(published);
      if (ended.length > 0) yield createEnding(ended, at);
      return;
    }
    // Usage first, up to its newest samples, then energy, which is newer: the usage of a window is known before
    // its energy.
    yield* this.#processes.take(published.device, row, toWall);
    published.series ??= this.#createSeries(published.device, at);
    yield* published.series.take(row, at, Number(row.atNs));
  }

  #listImplausible(rows: readonly DeviceRow[]): readonly string[] {
    return rows.flatMap(({ id }) => this.#published.get(id)?.series?.problems ?? []);
  }

  #createSeries(device: Device, start: bigint): DeviceSeries {
    const maxGapMs = () => Math.max(minGapMs, 3 * this.#intervalMs);
    const energyMetric = this.#claimEnergy(device);
    return new DeviceSeries(device, this.#context.host, { start, maxGapMs, energyMetric });
  }

  #claimEnergy({ id, domain }: Device): Metric {
    return claimEnergy(this.#context.claims, domain === undefined ? 'other' : { domain }, id).metric;
  }

  /** Publishes the current devices. @returns the series of those that were removed or have changed */
  #matchDevices(): readonly Series[] {
    this.#areMatched = true;
    const ended: Series[] = [];
    const devices = new Map(this.#devices.map((device) => [device.id, device]));
    for (const [id, published] of this.#published) {
      if (isSame(published.device, devices.get(id))) continue;
      ended.push(...this.#endAllOf(published));
      this.#published.delete(id);
    }
    for (const [id, device] of devices) {
      if (!this.#published.has(id)) this.#published.set(id, { device, status: undefined, series: undefined });
    }
    return ended;
  }

  #endAll(): readonly Series[] {
    const all = [...this.#published.values()];
    this.#published.clear();
    return all.flatMap((published) => this.#endAllOf(published));
  }

  #endAllOf(published: Published): readonly Series[] {
    return this.#endSeries(published).concat(published.status?.series ?? []);
  }

  #endSeries(published: Published): readonly Series[] {
    const series = published.series?.series ?? [];
    published.series = undefined;
    return [...series, ...this.#processes.end(published.device.id)];
  }

  #noteForeign(pid: number): void {
    if (this.#hasForeign) return;
    this.#hasForeign = true;
    const { procfs } = this.#config;
    this.#context.log.warn(
      `Cannot find process ${pid}, which uses a GPU: expected it in ${procfs}, found another pid namespace; ` +
        'run the collector in that of the host (docker run --pid=host, hostPID: true)',
    );
  }

  #log(notes: readonly Note[]): void {
    for (const { level, text } of notes) this.#context.log[level](text);
  }
}

function isSame(one: Device, other: Device | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
