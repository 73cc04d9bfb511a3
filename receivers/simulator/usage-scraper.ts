import type { Context, ReceiverContext } from '../../src/component/component.js';
import { describeDomain } from '../../src/model/energy-domain.js';
import { ATTR_CPU_PACKAGE } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { floorPower } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { busyTime, packageBusyTime, processPackageTime } from '../../src/model/usage-metrics.js';
import type { OpenScraper } from '../../src/scraping/scraping-receiver.js';
import { createMachine, type Machine } from '../../src/simulation/machine.js';
import type { SimulatedDomain } from '../../src/simulation/machine-spec.js';
import type { SimulatedProcess } from '../../src/simulation/simulated-process.js';
import { PublishedProcesses } from '../../src/simulation/usage-tables.js';
import type { Config } from './config.js';
import { describeMeter, isHardwareDomain, partName, trueEnergy } from './metrics.js';
import { createProcessReadings, CumulativeSeries, type Reading } from './process-readings.js';
import { specOf } from './spec.js';

/** The instant of a scan. */
interface Instant {
  /** Simulated time in microseconds. */
  readonly us: number;
  /** Unix time in nanoseconds. */
  readonly wallNs: bigint;
}

type ScraperContext = Context & Pick<ReceiverContext, 'isConsumed'>;

/** Reads the usage of the simulated CPUs, and the true energy. Busy time comes last: it closes the scan. */
export class UsageScraper implements OpenScraper {
  readonly #config: Config;
  readonly #context: Context;
  /** Whether usage per package is published. */
  readonly #hasPackages: boolean;
  readonly #startNs: bigint;
  readonly #machine: Machine;
  readonly #published = new PublishedProcesses<CumulativeSeries>();
  #ofMachine: CumulativeSeries | undefined;
  #busy: CumulativeSeries | undefined;
  #columns: readonly Series[] = [];
  #breaks: number | undefined;
  /**
   * Unix time of simulated time 0, in nanoseconds, at the first reading: process starts are always computed
   * from it.
   */
  #originNs: bigint | undefined;
  /** Time of the last break: counters that are older were restarted. */
  #sinceUs = 0;

  /** @param startNs the instant of CLOCK_MONOTONIC at which simulated time is 0 */
  constructor(config: Config, context: ScraperContext, startNs: bigint) {
    this.#config = config;
    this.#hasPackages = config.sockets > 1 && context.isConsumed?.(processPackageTime) === true;
    this.#context = context;
    this.#startNs = startNs;
    this.#machine = createMachine(specOf(config));
  }

  *scrape(breaks: number): Iterable<Table> {
    const { clock } = this.#context;
    const wallNs = clock.wallNs();
    const at = { us: Number((clock.monotonicNs() - this.#startNs) / 1000n), wallNs };
    if (this.#breaks !== undefined && breaks !== this.#breaks) yield this.#endAll(at);
    this.#breaks = breaks;
    this.#originNs ??= wallAt(0, at);
    this.#machine.advance(at.us);
    yield this.#readMachine(at);
    const row = this.#readProcesses(at);
    if (row.series.length > 0) yield row;
    const ended = this.#published.takeGone(this.#machine).flatMap(({ series }) => series);
    if (ended.length > 0) yield createEnding(ended, wallNs);
    yield this.#readBusy(at);
  }

  close(): void {}

  #readMachine(at: Instant): Table {
    this.#ofMachine ??= new CumulativeSeries(this.#createMachineReadings(at), this.#isWhole(0));
    return createRow(this.#ofMachine.series, at.wallNs, Float64Array.from(this.#ofMachine.read()));
  }

  #createMachineReadings(at: Instant): Reading[] {
    const start = this.#startOf(0, at);
    const machine = this.#machine;
    return machine.domains.flatMap((domain, i) =>
      isHardwareDomain(domain) ? this.#createDomainReadings(domain, start, () => machine.idleNjNow(i)) : [],
    );
  }

  #createDomainReadings(domain: SimulatedDomain, start: bigint, idleNj: () => bigint): Reading[] {
    const { host: resource } = this.#context;
    const attributes = { ...describeDomain(domain), [partName]: 'idle' };
    const floor = { metric: floorPower, resource, attributes: describeMeter(domain), start };
    const floorReading = { series: floor, read: () => domain.floorMilliwatts / 1e3 };
    if (!this.#config.truth) return [floorReading];
    const idle = { metric: trueEnergy, resource, attributes, start };
    return [floorReading, { series: idle, read: () => Number(idleNj()) / 1e9 }];
  }

  #readProcesses(at: Instant): Table {
    const { sees } = this.#config;
    const machine = this.#machine;
    const seen = sees === 'living' ? machine.liveProcesses : machine.processes;
    const values: number[] = [];
    const columns: Series[] = [];
    for (const process of seen) {
      if (this.#published.isFinished(process)) continue;
      const published = this.#published.find(process) ?? this.#welcome(process, at);
      columns.push(...published.series);
      values.push(...published.read());
    }
    if (!isSame(columns, this.#columns)) this.#columns = columns;
    return createRow(this.#columns, at.wallNs, Float64Array.from(values));
  }

  #welcome(process: SimulatedProcess, at: Instant): CumulativeSeries {
    const machine = this.#machine;
    const bornUs = machine.timeline.simulatedAt(process.identity.bornUs);
    const start = this.#startOf(bornUs, at);
    const bornNs = (this.#originNs ?? 0n) + BigInt(bornUs) * 1000n;
    const hasTruth = this.#config.truth;
    const hasPackages = this.#hasPackages;
    const readings = createProcessReadings({ machine, process, start, bornNs, hasTruth, hasPackages });
    const published = new CumulativeSeries(readings, this.#isWhole(bornUs));
    this.#published.add(process, published);
    return published;
  }

  #readBusy(at: Instant): Table {
    this.#busy ??= new CumulativeSeries(this.#createBusyReadings(at), this.#isWhole(0));
    return createRow(this.#busy.series, at.wallNs, Float64Array.from(this.#busy.read()));
  }

  #createBusyReadings(at: Instant): Reading[] {
    const { host: resource } = this.#context;
    const start = this.#startOf(0, at);
    const machine = this.#machine;
    const all = {
      series: { metric: busyTime, resource, attributes: {}, start },
      read: () => Number(machine.busyNs) / 1e9,
    };
    const numbers = Array.from(
      { length: this.#hasPackages ? machine.spec.sockets : 0 },
      (_, number) => number,
    );
    const packages = numbers.map((number) => ({
      series: { metric: packageBusyTime, resource, attributes: { [ATTR_CPU_PACKAGE]: number }, start },
      read: () => sumBusy(machine, number),
    }));
    return [...packages, all];
  }

  /** Whether the counters that started at an instant of simulated time can be published completely. */
  #isWhole(us: number): boolean {
    return us >= this.#sinceUs;
  }

  /** The Unix time at which a counter that started at an instant of simulated time was 0. */
  #startOf(us: number, at: Instant): bigint {
    return this.#isWhole(us) ? wallAt(us, at) : at.wallNs;
  }

  /** Restarts all counters with the next reading. */
  #endAll({ us, wallNs }: Instant): Table {
    const ended = [...this.#published.takeAll(), this.#ofMachine, this.#busy].flatMap(
      (published) => published?.series ?? [],
    );
    this.#ofMachine = undefined;
    this.#busy = undefined;
    this.#sinceUs = us;
    return createEnding(ended, wallNs);
  }
}

/** @returns seconds */
function sumBusy(machine: Machine, socket: number): number {
  const own = machine.cpus().filter((cpu) => cpu.socket === socket);
  return Number(own.reduce((sum, { busyNs }) => sum + busyNs, 0n)) / 1e9;
}

function wallAt(us: number, at: Instant): bigint {
  return at.wallNs - BigInt(at.us - us) * 1000n;
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i]);
}
