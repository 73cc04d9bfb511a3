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
import type { BriefProcess } from '../../src/linux/bpf/accounted-process.js';
import { originSecond } from '../../src/linux/clocks.js';
import { CpuPackages } from '../../src/linux/cpu-packages.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { schema } from './config.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { ProcessScraper } from './process-scraper.js';

const second = 1_000_000_000n;
/** Unix time of the boot of the made-up machine, in nanoseconds. */
export const bootWallNs = BigInt(bootSeconds) * second;

/** Settings of the receiver; processes are counted only where a test asks for it. */
interface FakeSettings {
  readonly metrics?: object;
  /** Where it has the packages by which CPU time is divided. */
  readonly sysfs?: string;
  readonly [name: string]: unknown;
}

/** A made-up machine: its clock stands still but for `tick`, and CPU clocks say what `cpuNs` has for a pid. */
export class FakeMachine {
  readonly procfs: FakeProcfs = createFakeProcfs();
  readonly cpuNs = new Map<number, number>();
  /** CPU time on each package, where the source knows that. */
  readonly packageNs = new Map<number, readonly number[]>();
  /** Of processes of which the source knows who they are. */
  readonly revisions = new Map<number, number>();
  readonly taskStates = new Map<number, string>();
  /** Those that have ended, where the source reports ends. */
  readonly states = new Map<number, 'ending' | 'dead'>();
  /** What came and went since the last scan. */
  readonly brief: BriefProcess[] = [];
  /** Ends that were not reported, in all. */
  lost = 0;
  /** Moves that were not noted, in all, where they are noted. */
  lostMoves: number | undefined;
  /** What the source met first since the last scan, where it knows that. */
  born: number[] | undefined;
  /** What is no longer as it was at the last scan, where the source knows that. */
  changed: number[] | undefined;
  /** How often each process was asked for. */
  readonly reads = new Map<number, number>();
  /** How long after the beginning of a scan the source read all processes, where it did that at once. */
  readAfterNs: bigint | undefined;
  readonly log: LogCollector = createLogCollector();
  readonly telemetry: MeterReader = createMeterReader();
  /** Nanoseconds since boot. */
  now = 1000n * second;
  #scraper: ProcessScraper | undefined;

  constructor(t: TestContext) {
    t.after(() => this.#scraper?.close());
  }

  /** Opens the scraper, where it is to have settings. */
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

  /** Lets a second go by, if this is not the first scan, and scans. */
  scan(breaks = 0): Scanned {
    if (this.#scraper === undefined) this.open();
    this.now += second;
    const steps = [...(this.#scraper?.scrape(breaks) ?? [])];
    return new Scanned(steps.filter((table) => table !== undefined));
  }

  #createSource(): CpuTimeSource {
    const { cpuNs, packageNs, states, brief, revisions, taskStates } = this;
    const readLost = (): number => this.lost;
    const readLostMoves = (): number | undefined => this.lostMoves;
    const readBorn = (): readonly number[] | undefined => this.born?.splice(0);
    const readAt = (): number | undefined =>
      this.readAfterNs === undefined ? undefined : Number(this.now + this.readAfterNs) - originSecond * 1e9;
    const readChanged = (): readonly number[] | undefined => this.changed?.splice(0);
    const { reads } = this;
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
        const ns = cpuNs.get(pid) ?? 0;
        reads.set(pid, (reads.get(pid) ?? 0) + 1);
        const state = states.get(pid) ?? 'alive';
        const byPackage = packageNs.get(pid);
        const task = {
          revision: revisions.get(pid),
          taskState: taskStates.get(pid),
          packageNs: byPackage && Float64Array.from(byPackage),
        };
        Object.assign(this, { seconds: Math.floor(ns / 1e9), nanoseconds: ns % 1e9, state, ...task });
        return ns >= 0;
      },
      beginScan(_, take) {
        brief.splice(0).forEach(take);
        born = readBorn();
        changed = readChanged();
      },
      holds: (pid) => states.has(pid),
      findCgroupId: (pid) => (states.has(pid) || cpuNs.has(pid) ? pid : undefined),
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

  /** What ended. */
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

/** What a series is of its process: metric and attributes. */
export function labelOf({ metric, attributes }: Series): string {
  return [metric.name.replace('process.', ''), ...Object.values(attributes)].join(' ');
}

/** When the CPU time of a process began to count. */
export function startOf(scanned: Scanned, pid: number): bigint | undefined {
  return scanned.seriesOf(pid).get('cpu.time user')?.start;
}
