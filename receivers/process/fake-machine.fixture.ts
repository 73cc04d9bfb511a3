import type { TestContext } from 'node:test';
import {
  createFakeContext,
  createLogCollector,
  createMeterReader,
  type LogCollector,
  type MeterReader,
} from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { bootSeconds, createFakeProcfs, type FakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import type { BriefProcess, CgroupIds } from '../../src/linux/bpf/accounted-process.js';
import { originSecond } from '../../src/linux/clocks.js';
import { CpuPackages } from '../../src/linux/cpu-packages.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { schema } from './config.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { ProcessScraper } from './process-scraper.js';

const second = 1_000_000_000n;
/** Unix time of the boot of the fake machine, in nanoseconds. */
export const bootWallNs = BigInt(bootSeconds) * second;

/** Settings of the receiver. Processes are only counted by state if a test sets it. */
interface FakeSettings {
  readonly metrics?: object;
  /** Sysfs with the packages by which CPU time is divided. */
  readonly sysfs?: string;
  readonly [name: string]: unknown;
}

/** A fake machine. Only `tick` advances its clock; its CPU clocks return `cpuNs` of a PID. */
export class FakeMachine {
  readonly procfs: FakeProcfs = createFakeProcfs();
  readonly cpuNs = new Map<number, number>();
  /** CPU time on each package, if the source knows it. */
  readonly packageNs = new Map<number, readonly number[]>();
  /** Revisions of processes that the source identifies. */
  readonly revisions = new Map<number, number>();
  readonly taskStates = new Map<number, string>();
  /** Memory and threads of processes of which the source knows them, and user and system time: `detail`. */
  readonly details = new Map<number, readonly number[]>();
  /** States of processes that are ending or have ended, if the source reports ends. */
  readonly states = new Map<number, 'ending' | 'dead'>();
  /** The cgroups of processes; by default each has its own one. */
  readonly cgroups = new Map<number, CgroupIds>();
  /** Processes that started and ended since the last scan. */
  readonly brief: BriefProcess[] = [];
  /** Total number of ends that were not reported. */
  lost = 0;
  /** Total number of moves that were not recorded, if moves are recorded. */
  lostMoves: number | undefined;
  /** Processes that the source found since the last scan, if it knows which exist. */
  born: number[] | undefined;
  /** Processes that changed since the last scan, if the source reports changes. */
  changed: number[] | undefined;
  /** The number of reads of each process. */
  readonly reads = new Map<number, number>();
  /** Processes that ended before they were identified. */
  readonly released: number[] = [];
  /** Called when the CPU time of a process is read. */
  onRead: ((pid: number) => void) | undefined;
  /** Time from the beginning of a scan until the source read all processes, if it reads all at once. */
  readAfterNs: bigint | undefined;
  readonly log: LogCollector = createLogCollector();
  readonly telemetry: MeterReader = createMeterReader();
  /** Nanoseconds since boot. */
  now = 1000n * second;
  #scraper: ProcessScraper | undefined;

  constructor(t: TestContext) {
    t.after(() => this.#scraper?.close());
  }

  /** Opens the scraper, if a test needs other settings. */
  open(
    { metrics = {}, ...settings }: FakeSettings = {},
    { hasClock = true, hasInterrupts = false } = {},
  ): void {
    const { log } = this;
    const cpuTime = hasClock ? this.#createSource() : undefined;
    const { host, id } = createFakeContext();
    const all = { procfs: this.procfs.path, ...settings, metrics: { count: false, ...metrics } };
    const clock = { wallNs: () => bootWallNs + this.now, monotonicNs: () => this.now, countBreaks: () => 0 };
    this.#scraper?.close();
    this.#scraper = new ProcessScraper(parseSettings(schema, all), {
      clock,
      log,
      host,
      id,
      meter: this.telemetry.meter,
      cpuTime,
      packages: settings.sysfs === undefined ? undefined : CpuPackages.find(settings.sysfs),
      tickNs: 4_000_000,
      hasInterrupts,
      readBootNs: () => this.now,
    });
  }

  /** Advances the clock by one second, except before the first scan, and scans. */
  scan(breaks = 0): Scanned {
    if (this.#scraper === undefined) this.open();
    this.now += second;
    const steps = [...(this.#scraper?.scrape(breaks) ?? [])];
    return new Scanned(steps.filter((table) => table !== undefined));
  }

  #createSource(): CpuTimeSource {
    const { cpuNs, packageNs, states, brief, revisions, taskStates, details, cgroups } = this;
    const readLost = (): number => this.lost;
    const readLostMoves = (): number | undefined => this.lostMoves;
    const readBorn = (): readonly number[] | undefined => this.born?.splice(0);
    const readAt = (): number | undefined =>
      this.readAfterNs === undefined ? undefined : Number(this.now + this.readAfterNs) - originSecond * 1e9;
    const readChanged = (): readonly number[] | undefined => this.changed?.splice(0);
    const { reads, released } = this;
    const onRead = (pid: number): void => this.onRead?.(pid);
    let born: readonly number[] | undefined;
    let changed: readonly number[] | undefined;
    return {
      seconds: 0,
      nanoseconds: 0,
      state: 'alive',
      revision: undefined,
      packageNs: undefined,
      taskState: undefined,
      lagNs: 4_000_000,
      get lost() {
        return readLost();
      },
      get lostMoves() {
        return readLostMoves();
      },
      get born() {
        return born;
      },
      get changed() {
        return changed;
      },
      get readAtNs() {
        return readAt();
      },
      read(pid) {
        onRead(pid);
        const ns = cpuNs.get(pid) ?? 0;
        reads.set(pid, (reads.get(pid) ?? 0) + 1);
        const state = states.get(pid) ?? 'alive';
        const byPackage = packageNs.get(pid);
        const task = {
          revision: revisions.get(pid),
          taskState: taskStates.get(pid),
          packageNs: byPackage && Float64Array.from(byPackage),
          details: details.has(pid) ? Float64Array.from(details.get(pid) ?? []) : undefined,
        };
        Object.assign(this, { seconds: Math.floor(ns / 1e9), nanoseconds: ns % 1e9, state, ...task });
        return ns >= 0;
      },
      beginScan(_, take) {
        brief.splice(0).forEach(take);
        born = readBorn();
        changed = readChanged();
      },
      release: (pid) => void released.push(pid),
      holds: (pid) => states.has(pid),
      findCgroups: (pid) =>
        states.has(pid) || cpuNs.has(pid)
          ? (cgroups.get(pid) ?? { cgroupId: 0, cgroupV1Id: pid })
          : undefined,
      close() {},
    };
  }
}

/** The tables of one scan. */
export class Scanned {
  readonly tables: readonly Table[];

  constructor(tables: readonly Table[]) {
    this.tables = tables;
  }

  /** The series that ended. */
  get ended(): readonly Series[] {
    return this.tables.flatMap(({ ended }) => ended ?? []);
  }

  /** The series of a process, by metric and attributes. */
  seriesOf(pid: number): ReadonlyMap<string, Series> {
    const found = this.tables.flatMap(({ series }) => series).filter((each) => pidOf(each) === pid);
    return new Map(found.map((each) => [labelOf(each), each]));
  }

  /** The values of a process, by metric and attributes. */
  valuesOf(pid: number): Record<string, number> {
    const cells = this.tables.flatMap(({ series, values }) =>
      series.map((each, column) => [each, values[column]] as const),
    );
    const own = cells.filter(([series]) => pidOf(series) === pid);
    return Object.fromEntries(own.map(([series, value]) => [labelOf(series), value ?? NaN]));
  }
}

function pidOf({ resource }: Series): unknown {
  return resource.attributes['process.pid'];
}

/** Describes a series within its process: metric and attributes. */
export function labelOf({ metric, attributes }: Series): string {
  return [metric.name.replace('process.', ''), ...Object.values(attributes)].join(' ');
}

/** Start time of the CPU time of a process. */
export function startOf(scanned: Scanned, pid: number): bigint | undefined {
  return scanned.seriesOf(pid).get('cpu.time user')?.start;
}
