import type { ProcessIdentity } from '../../src/identity/process-identity.js';
import { CpuUsage } from '../../src/linux/cpu-usage.js';
import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { createSeries, type Layout } from './columns.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { findHome, PackageTimes } from './package-times.js';
import type { ProcessFiles, ProcessReader } from './process-reader.js';
import { dropGauges, readColumns, restartCounters, writeTimes } from './process-values.js';
import type { Scan } from './scan.js';

/** The states, by code: no reading makes a string. */
const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** What came of reading a process: `last` was its last reading; `gone` also when its pid belongs to another one by now. */
export type Outcome = 'read' | 'failed' | 'last' | 'gone';

/** Keeps which of its processes are to be read. */
interface Part {
  expectChange(process: TrackedProcess): void;
}

/** One process, from the first look at it to its end. */
export class TrackedProcess {
  readonly pid: number;
  /** The number of the last scan whose listing had it. */
  listedIn: number;
  /** Its series; without any until the first row is made, and again when they are to start again. */
  series: readonly Series[] | undefined;
  /** In which it is. */
  part: Part | undefined;
  /** Where its values begin in the rows of its part. */
  place = 0;
  /** Whether the last row that has it has its values. */
  isWritten = false;
  readonly #files: ProcessFiles;
  readonly #layout: Layout;
  readonly #startTicks: number;
  readonly #cpu = new CpuUsage();
  /** Where packages are told apart. */
  readonly #packages: PackageTimes | undefined;
  /**
   * What the series say, in their order, and behind that, for each column that is not CPU time, what its counter had when
   * the series began: one array, since two take 200 bytes more.
   */
  readonly #values: Float64Array;
  /** How many series there are. */
  readonly #width: number;
  #identity: ProcessIdentity;
  #resource: Resource;
  #identifiedIn: number;
  /** After this many scans it is identified again. */
  #identifiedFor: number;
  #hasFailed = false;
  #isDead = false;
  /** A letter of proc_pid_stat(5). */
  #state: string;
  #startNs: bigint | undefined;
  #rowNs = 0n;
  /** Of the source of CPU time. */
  #revision: number | undefined;
  /** CPU time that it used lately, in nanoseconds: by it processes are ranked. */
  #weightNs = 0;

  /** Takes up the process that the reader has just opened. */
  constructor(pid: number, files: ProcessFiles, reader: ProcessReader, scan: Scan) {
    const { stat } = reader;
    this.pid = pid;
    this.listedIn = scan.listing;
    this.#files = files;
    this.#startTicks = stat.startTicks;
    this.#state = letters[stat.state];
    this.#identity = reader.identity.read(pid, stat);
    this.#resource = { attributes: this.#identity.attributes };
    this.#layout = reader.chooseLayout(files);
    const { times, packages, columns } = this.#layout;
    this.#width = times + columns.length;
    if (packages.length > 0) this.#packages = new PackageTimes(packages.length);
    this.#values = new Float64Array(this.#width + columns.length);
    this.#startNs = scan.findBirth(stat.startTicks);
    // A process that moves to another cgroup, or publishes which service it is, mostly does so soon after its birth.
    const isOld = this.#startNs === undefined;
    this.#identifiedFor = isOld ? reader.lookAgainAfter : 1;
    this.#identifiedIn = scan.number - (isOld ? pid % reader.lookAgainAfter : 0);
    this.#revision = reader.cpuTime?.revision;
    this.#requestMaps(reader);
    this.#findHome(reader);
    this.#take(reader);
    if (this.#startNs === undefined) this.#rebase();
  }

  /** What its resource says. */
  get attributes(): Attributes {
    return this.#resource.attributes;
  }

  /** Whether it has ended, and the next row is its last. */
  get isDead(): boolean {
    return this.#isDead;
  }

  get state(): string {
    return this.#state;
  }

  /** Whether it is to be read at every scan, whatever the source of CPU time says: that does not know it, or a read failed. */
  get isRestless(): boolean {
    return this.#hasFailed || this.#revision === undefined;
  }

  /**
   * Reads it again.
   * @param rowNs Unix time of the last row that has it, in nanoseconds
   */
  read(reader: ProcessReader, scan: Scan, rowNs: bigint): Outcome {
    this.noteRow(rowNs);
    const outcome = this.#update(reader, scan);
    if (this.#hasFailed !== (outcome === 'failed')) this.isWritten = false;
    this.#hasFailed = outcome === 'failed';
    if (this.#hasFailed) {
      const { path, errorCode: problem = 'its text is not what was expected' } = this.#files.stat;
      scan.failed.push({ path, problem, points: this.#width });
    }
    if (outcome !== 'gone' && scan.isFirst) this.#begin(undefined);
    return outcome;
  }

  /** A row has it. @param rowNs Unix time of the row, in nanoseconds */
  noteRow(rowNs: bigint): void {
    if (rowNs > this.#rowNs) this.#rowNs = rowNs;
  }

  /** Writes its part of a row, to `place`. @returns where the part of the next process begins */
  write(row: Float64Array): number {
    const at = this.place;
    for (let column = 0; column < this.#width; column++) row[at + column] = this.#values[column];
    const next = at + this.#width;
    if (this.#hasFailed) row.fill(NaN, at, next);
    this.isWritten = true;
    return next;
  }

  /** Makes the series where they are to begin: at the birth, at the row before, or at this row. */
  beginSeries(rowNs: bigint): readonly Series[] {
    const startNs = this.#startNs ?? rowNs;
    this.series = createSeries(this.#layout, this.#resource, startNs < rowNs ? startNs : rowNs);
    return this.series;
  }

  /** Ends its series: they have no further row. */
  endSeries(): readonly Series[] {
    const ended = this.series ?? [];
    this.series = undefined;
    return ended;
  }

  close(): void {
    this.#files.stat.close();
    this.#files.io?.close();
    if (this.#files.maps !== undefined) this.#files.maps.isClosed = true;
  }

  #update(reader: ProcessReader, scan: Scan): Outcome {
    const { cpuTime, stat } = reader;
    if (cpuTime !== undefined && !cpuTime.read(this.pid, this.#startTicks)) return 'gone';
    if (cpuTime !== undefined && cpuTime.state !== 'alive') return this.#takeEnding(cpuTime);
    const hasRun = cpuTime === undefined || !this.#cpu.isAt(cpuTime.seconds, cpuTime.nanoseconds);
    const hasChanged = this.#takeTask(cpuTime, hasRun);
    if (!hasRun && !hasChanged && !this.#isDue(reader, scan)) return 'read';
    if (cpuTime !== undefined && hasRun && !hasChanged && !this.#isDetailed(cpuTime, reader, scan)) {
      return this.#takeCpuTime(cpuTime);
    }
    const result = reader.readStat(this.#files);
    // It has just ended: this is not its last CPU time.
    if (result === 'gone' && cpuTime?.holds(this.pid) === true) return this.#takeCpuTime(cpuTime);
    if (typeof result !== 'number') return result;
    if (stat.startTicks !== this.#startTicks) return 'gone';
    this.#state = letters[stat.state];
    if (hasRun || hasChanged) this.#identify(reader, scan, hasChanged);
    if (this.#layout.hasIo) reader.readIo(this.#files);
    this.#requestMaps(reader);
    this.#take(reader);
    return 'read';
  }

  /**
   * Takes what the source of CPU time knows of it besides.
   * @returns whether it may be another program by now, or ended and waits for its parent
   */
  #takeTask(cpuTime: CpuTimeSource | undefined, hasRun: boolean): boolean {
    const before = this.#state;
    const { revision, taskState } = cpuTime ?? {};
    // What has not run since it was seen running sleeps.
    if (!hasRun && before === 'R') this.#state = 'S';
    if (taskState !== undefined) this.#state = taskState;
    const isRenamed = revision !== this.#revision;
    this.#revision = revision;
    return isRenamed || (this.#state === 'Z' && before !== 'Z');
  }

  /** Whether its files are read although only its CPU time is known to have changed. */
  #isDetailed(cpuTime: CpuTimeSource, { busiest }: ProcessReader, scan: Scan): boolean {
    if (cpuTime.revision === undefined || this.#hasFailed || this.#hasNewMaps) return true;
    this.#weightNs = busiest.weigh(this.#weightNs, this.#cpu.countGrowth(cpuTime));
    return busiest.has(this.#weightNs) || this.#isIdentityOld(scan);
  }

  #isIdentityOld(scan: Scan): boolean {
    return scan.number - this.#identifiedIn >= this.#identifiedFor;
  }

  #takeCpuTime(cpuTime: CpuTimeSource): Outcome {
    this.#cpu.updateTotal(cpuTime);
    this.#writeCpuTime(cpuTime);
    return 'read';
  }

  /** Its files have gone; its CPU time is complete once the kernel has reported the end. */
  #takeEnding(cpuTime: CpuTimeSource): Outcome {
    if (cpuTime.state === 'ending') return 'read';
    this.#cpu.updateTotal(cpuTime);
    this.#writeCpuTime(cpuTime);
    dropGauges(this.#values, this.#layout);
    this.#isDead = true;
    return 'last';
  }

  #isDue({ lookAgainAfter }: ProcessReader, scan: Scan): boolean {
    if (this.#hasFailed || this.#hasNewMaps) return true;
    return this.#layout.columns.length > 0 && (scan.number + this.pid) % lookAgainAfter === 0;
  }

  /** Gives a process that became another program, user's or cgroup's new series, which begin at the last row. */
  #identify(reader: ProcessReader, scan: Scan, hasChanged: boolean): void {
    const { stat, identity, lookAgainAfter } = reader;
    if (stat.isZombie || stat.isKernelThread) return;
    const isSame = !hasChanged && stat.isNamed(this.#identity.threadName);
    if (isSame && !this.#isIdentityOld(scan)) return;
    this.#identifiedIn = scan.number;
    this.#identifiedFor = Math.min(2 * this.#identifiedFor, lookAgainAfter);
    this.#findHome(reader);
    this.#identity = identity.readAgain(this.pid, stat, this.#identity);
    const { attributes } = this.#identity;
    if (attributes === this.#resource.attributes) return;
    scan.ended.push(...this.endSeries());
    this.#resource = { attributes };
    this.#begin(this.#rowNs);
  }

  /** Counters start again with what was read last. */
  #begin(startNs: bigint | undefined): void {
    this.series = undefined;
    this.#startNs = startNs;
    this.#rebase();
  }

  #rebase(): void {
    this.isWritten = false;
    this.#cpu.restart();
    this.#packages?.restart();
    restartCounters(this.#values, this.#layout);
  }

  #take(reader: ProcessReader): void {
    const { cpuTime, stat } = reader;
    const { maps } = this.#files;
    if (cpuTime === undefined) this.#cpu.updateFromTicks(stat.userTicks, stat.systemTicks);
    else this.#cpu.update(cpuTime, stat.userTicks, stat.systemTicks);
    this.#writeCpuTime(cpuTime);
    readColumns(this.#values, this.#layout, (column) => column.read(reader, maps));
  }

  /** Whether the memory that it shares was read since the last look at it: that takes a while. */
  get #hasNewMaps(): boolean {
    return this.#files.maps?.isNew === true;
  }

  /** What was read is taken before it is read again. */
  #requestMaps({ maps: mapsReader }: ProcessReader): void {
    const { maps } = this.#files;
    if (maps === undefined || !this.#layout.hasMaps) return;
    if (!maps.isNew) mapsReader.request(maps);
    maps.isNew = false;
  }

  /** What counts on which package it runs needs no look at where it may run. */
  #findHome({ procfs, cpuTime, packages }: ProcessReader): void {
    if (this.#packages === undefined || packages === undefined || cpuTime?.packageNs) return;
    this.#packages.home = findHome(procfs, this.pid, packages);
  }

  #writeCpuTime(cpuTime: CpuTimeSource | undefined): void {
    this.isWritten = false;
    const { userNs, systemNs } = this.#cpu;
    this.#packages?.take(userNs + systemNs, cpuTime?.packageNs);
    writeTimes(this.#values, this.#layout, { userNs, systemNs, packageNs: this.#packages?.ns });
  }
}
