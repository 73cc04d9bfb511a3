import type { Counter, Meter } from '@opentelemetry/api';
import type { Context } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { IdentityReader } from '../../src/identity/process-identity.js';
import { DescriptorBudget } from '../../src/linux/budgeted-file.js';
import { BusyTimeReader } from '../../src/linux/busy-time.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { openPidList, type PidList } from '../../src/linux/pid-list.js';
import { findFirstReservedFd, readDescriptorLimit } from '../../src/linux/privileges.js';
import { ATTR_CPU_PACKAGE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { busyTime, cpuTick, interruptTime, packageBusyTime } from '../../src/model/usage-metrics.js';
import type { Scraper } from '../../src/scraping/scrape-loop.js';
import { BriefProcesses } from './brief-processes.js';
import { BusiestProcesses } from './busiest-processes.js';
import { createLayouts } from './columns.js';
import { countScansToLookAgain, type Config } from './config.js';
import { findReadNs, type CpuTimeSource } from './cpu-time-source.js';
import { FailedReads } from './failed-reads.js';
import { LostReports } from './lost-reports.js';
import { ProcessReader } from './process-reader.js';
import { Scan, type ScanInstant } from './scan.js';
import { StateCount } from './state-count.js';
import { TrackedProcesses } from './tracked-processes.js';

/** Options of a scraper that are not settings. */
export interface ScraperContext extends Pick<Context, 'clock' | 'log' | 'host' | 'id' | 'meter'> {
  /** Undefined: the ticks of `stat` are used. */
  readonly cpuTime: CpuTimeSource | undefined;
  /** By how many nanoseconds the CPU time of a running process can lag. */
  readonly tickNs: number;
  /** The packages by which CPU time is divided, on a machine with more than one. */
  readonly packages?: CpuPackages | undefined;
  /** Whether the kernel accounts interrupts separately from the CPU time of the interrupted processes. */
  readonly hasInterrupts?: boolean;
  /** CLOCK_BOOTTIME in nanoseconds. */
  readBootNs(): bigint;
}

/** Number of scans after which unreadable processes are tried again and user names are looked up again. */
const forgetEvery = 60;

/**
 * Scans all processes. The busy time of the machine is read first and forwarded last, so that attribution has
 * the usage of every process when that reading closes the window (docs/ledger.md, Usage).
 */
export class ProcessScraper implements Scraper {
  readonly #config: Config;
  readonly #context: ScraperContext;
  readonly #busy: BusyTimeReader;
  readonly #pids: PidList;
  readonly #identity: IdentityReader;
  readonly #processes: TrackedProcesses;
  readonly #reader: ProcessReader;
  readonly #refused = new Set<number>();
  #isRefused = false;
  // Half of the descriptors that the agent may open: the rest is for exporters, servers and other receivers.
  readonly #budget = new DescriptorBudget(Math.floor(readDescriptorLimit() / 2), findFirstReservedFd());
  #hasRunOut = false;
  readonly #lookAgainAfter: number;
  readonly #states: StateCount;
  #busySeries: readonly Series[] = [];
  #packageBusyNs: readonly number[] = [];
  #interruptNs = 0;
  #scans = 0;
  #listing = -Infinity;
  #forks = NaN;
  readonly #brief: BriefProcesses;
  readonly #failures: FailedReads;
  readonly #lostReports: LostReports | undefined;
  #breaks: number | undefined;
  #previous: ScanInstant | undefined;

  /** @throws Error if the procfs has no readable `stat` */
  constructor(config: Config, context: ScraperContext) {
    this.#config = config;
    this.#context = context;
    this.#lookAgainAfter = countScansToLookAgain(config);
    this.#busy = new BusyTimeReader(config.procfs, context.packages);
    try {
      this.#pids = openPidList(config.procfs);
    } catch (error) {
      this.#busy.close();
      throw error;
    }
    this.#identity = this.#createIdentity();
    this.#states = new StateCount(context.host);
    this.#reader = this.#createReader();
    this.#failures = new FailedReads(context.log);
    this.#lostReports = context.cpuTime && new LostReports(context.cpuTime, context);
    this.#processes = new TrackedProcesses(this.#reader, context.clock);
    this.#brief = new BriefProcesses(
      (name, process) => {
        const owner = this.#identity.nameOwner(process.userId);
        return this.#processes.describeBrief({ name, process, owner });
      },
      { forgottenAfter: 4 * this.#lookAgainAfter, packages: context.packages?.numbers ?? [] },
    );
  }

  *scrape(breaks: number): Iterable<Table | undefined> {
    if (breaks !== this.#breaks) yield* this.#endAll();
    this.#breaks = breaks;
    const { clock, cpuTime } = this.#context;
    const monotonicNs = clock.monotonicNs();
    const [wallNs, bootNs] = [clock.wallNs(), this.#context.readBootNs()];
    const busyNs = this.#busy.read(monotonicNs);
    this.#packageBusyNs = this.#busy.packageBusyNs;
    this.#interruptNs = this.#busy.interruptNs;
    this.#brief.begin(this.#previous?.wallNs ?? wallNs);
    cpuTime?.beginScan(Number(bootNs), this.#previous === undefined ? ignore : this.#brief.add);
    const readNs = findReadNs(cpuTime, { wallNs, monotonicNs });
    const at: ScanInstant = { wallNs, bootNs, ...(readNs !== undefined && { readNs }) };
    yield;
    this.#reader.busiest.begin();
    if (this.#config.metrics.memory) this.#reader.memory.read();
    this.#scans += 1;
    const pids = this.#listIfDue();
    const scan = new Scan(at, this.#previous, { number: this.#scans, listing: this.#listing });
    this.#previous = at;
    if (pids === undefined) this.#processes.admit(cpuTime?.born ?? [], this.#refused);
    else {
      yield;
      this.#processes.match(pids, this.#refused, scan);
      yield;
    }
    yield* this.#processes.read(scan);
    this.#noteRefused(scan);
    this.#failures.note(scan.failed);
    if (this.#config.metrics.count) yield this.#countStates(at.wallNs);
    yield* this.#readBrief(scan);
    if (scan.ended.length > 0) yield createEnding(scan.ended, at.wallNs);
    if (this.#config.metrics.cpu) yield this.#createBusyRow(busyNs, at.wallNs);
  }

  takeMissing(): number {
    return this.#failures.takeMissing();
  }

  close(): void {
    this.#context.cpuTime?.close();
    this.#processes.close();
    this.#reader.memory.close();
    this.#reader.maps.close();
    this.#pids.close();
    this.#busy.close();
  }

  /** A listing takes a fifth of the work of a scan. It stays valid as long as all processes started since are known. */
  #listIfDue(): readonly number[] | undefined {
    // A process can become visible when it changes its user, and some processes are visible only in listings.
    const isOld = this.#scans - this.#listing >= this.#lookAgainAfter;
    const isComplete = this.#context.cpuTime?.born !== undefined || this.#busy.forks === this.#forks;
    if (!isOld && isComplete) return undefined;
    const pids = this.#pids.read();
    this.#forks = this.#busy.forks;
    this.#listing = this.#scans;
    return pids;
  }

  /** Earlier readings and later ones do not connect. */
  *#endAll(): Iterable<Table> {
    const processes = [...this.#processes.endSeries(), ...this.#brief.endSeries()];
    const ended = [...processes, ...this.#states.restart(), ...this.#busySeries];
    if (ended.length > 0) yield createEnding(ended, this.#context.clock.wallNs());
    this.#busySeries = [];
    this.#busy.restart();
    this.#previous = undefined;
  }

  /** Reads the processes that started and ended since the last scan. */
  *#readBrief(scan: Scan): Iterable<Table> {
    if (!this.#config.metrics.cpu) return;
    const table = this.#brief.read(scan.at.wallNs);
    if (table !== undefined) yield table;
    scan.ended.push(...this.#brief.takeForgotten());
    this.#lostReports?.note();
  }

  #countStates(wallNs: bigint): Table {
    this.#processes.countStates(this.#states);
    return this.#states.take(wallNs);
  }

  #createBusyRow(busyNs: number, wallNs: bigint): Table {
    if (this.#busySeries.length === 0) {
      const { host: resource } = this.#context;
      const create = (metric: Metric, attributes: Attributes = {}): Series => {
        return { metric, resource, attributes, start: wallNs };
      };
      const byPackage = (this.#context.packages?.numbers ?? []).map((number) =>
        create(packageBusyTime, { [ATTR_CPU_PACKAGE]: number }),
      );
      const interrupts = this.#context.hasInterrupts ? [create(interruptTime)] : [];
      this.#busySeries = [create(busyTime), create(cpuTick), ...byPackage, ...interrupts];
    }
    const { tickNs, hasInterrupts } = this.#context;
    const interruptNs = hasInterrupts ? [this.#interruptNs] : [];
    const values = [busyNs, tickNs, ...this.#packageBusyNs, ...interruptNs].map((ns) => ns / 1e9);
    return createRow(this.#busySeries, wallNs, Float64Array.from(values));
  }

  #noteRefused(scan: Scan): void {
    if (this.#noteExhaustion()) return;
    for (const pid of scan.refused) this.#refused.add(pid);
    const { size } = this.#refused;
    if (size > 0 !== this.#isRefused) this.#logRefused(size);
    this.#isRefused = size > 0;
    if (scan.number % forgetEvery !== 0) return;
    this.#refused.clear();
    this.#identity.refreshOwners();
  }

  /** @returns whether the agent has run out of descriptors: then every process is tried again at the next scan */
  #noteExhaustion(): boolean {
    const error = this.#budget.takeExhaustion();
    const hasRunOut = error !== undefined;
    if (hasRunOut !== this.#hasRunOut) this.#logExhaustion(error);
    this.#hasRunOut = hasRunOut;
    if (hasRunOut) this.#listing = -Infinity;
    return hasRunOut;
  }

  #logExhaustion(error: unknown): void {
    const { log } = this.#context;
    if (error === undefined) log.info('Descriptors are free again: every process can be read');
    else log.warn(`Cannot read all processes that ${this.#config.procfs} lists: ${describeError(error)}`);
  }

  #logRefused(count: number): void {
    const { log } = this.#context;
    if (count === 0) log.info('Recovered, every process that is listed can be read again');
    else
      log.warn(
        `Cannot read all processes that ${this.#config.procfs} lists: expected permission, found none for ${count}; joulemetry doctor names the reason`,
      );
  }

  #createIdentity(): IdentityReader {
    const { procfs, passwd, service, command_line: hasCommandLine } = this.#config;
    const { id: receiver, meter, log } = this.#context;
    const malformed = service ? createMalformedServices(meter, receiver) : undefined;
    return new IdentityReader({
      procfs,
      passwd,
      hasCommandLine,
      service,
      onUnreadable: (message) => log.warn(message),
      onMalformed: () => malformed?.add(1, { receiver }),
    });
  }

  #createReader(): ProcessReader {
    const { procfs, metrics } = this.#config;
    const { packages } = this.#context;
    return new ProcessReader({
      procfs,
      cpuTime: this.#context.cpuTime,
      layouts: createLayouts(metrics, packages?.numbers),
      packages,
      identity: this.#identity,
      budget: this.#budget,
      lookAgainAfter: this.#lookAgainAfter,
      busiest: new BusiestProcesses(this.#config.detail_limit, this.#config.collection_interval),
    });
  }
}

function createMalformedServices(meter: Meter, receiver: string): Counter {
  const counter = meter.createCounter('joulemetry.process.malformed_services', {
    unit: '{service}',
    description: 'Process contexts and environments that were malformed and therefore ignored',
  });
  counter.add(0, { receiver });
  return counter;
}

/** Processes that ended before the first scan belong to no window. */
function ignore(): void {}
