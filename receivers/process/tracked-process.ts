import type { ProcessIdentity } from '../../src/identity/process-identity.js';
import { detail } from '../../src/linux/bpf/process-details.js';
import type { CpuUsage } from '../../src/linux/cpu-usage.js';
import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { createSeries, type Column, type Layout } from './columns.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { PackageTimes } from './package-times.js';
import type { ProcessFiles, ProcessReader } from './process-reader.js';
import { cpuOf, createValues, dropGauges, readColumns, restartCounts, writeTimes } from './process-values.js';
import type { Scan } from './scan.js';

/** The result of reading a process: `last` was its last reading; `gone` also if its PID has been reused. */
export type Outcome = 'read' | 'failed' | 'last' | 'gone';

/** Tracks which of its processes must be read. */
interface Part {
  expectChange(process: TrackedProcess): void;
}

/** One process, from the scan that finds it to its end. */
export class TrackedProcess {
  readonly pid: number;
  /** The number of the last scan that listed it. */
  listedIn: number;
  /** The part that it belongs to. */
  part: Part | undefined;
  /** Whether its current values are in the last row. */
  isWritten = false;
  /** Whether it has ended and the next row is its last. */
  isDead = false;
  /** A letter of proc_pid_stat(5). */
  state: string;
  readonly #files: ProcessFiles;
  readonly #layout: Layout;
  readonly #startTicks: number;
  /** Undefined if CPU time is not divided by package. */
  readonly #packages: PackageTimes | undefined;
  /**
   * The values of the series, in their order, followed by the value that each counter other than CPU time had when the
   * series started, and by the numbers of its CPU time. A single array: two take more memory, as does a typed one (170 bytes).
   */
  readonly #values: number[];
  #identity: ProcessIdentity;
  #resource: Resource;
  #identifiedIn: number;
  /** Number of scans after which it is identified again. */
  #identifiedFor: number;
  /** All series of its part, from `#place` on its own; undefined until the first row, and if they are to restart. */
  #series: readonly Series[] | undefined;
  /** Also the index of its values in the rows of its part. */
  #place = 0;
  #hasFailed = false;
  #startNs: bigint | undefined;
  #rowNs = 0n;
  /** Reported by the source of CPU time. */
  #revision: number | undefined;
  /** Recent CPU time in nanoseconds, by which processes are ranked. */
  #weightNs = 0;

  /** Takes the process that the reader has just opened. */
  constructor(pid: number, files: ProcessFiles, reader: ProcessReader, scan: Scan) {
    const { stat } = reader;
    this.pid = pid;
    this.listedIn = scan.listing;
    this.#files = files;
    this.#startTicks = stat.startTicks;
    this.state = stat.stateLetter;
    this.#identity = reader.identity.read(pid, stat);
    this.#resource = { attributes: this.#identity.attributes };
    this.#layout = reader.chooseLayout(files);
    const { packages } = this.#layout;
    if (packages.length > 0) this.#packages = new PackageTimes(packages.length);
    this.#values = createValues(this.#layout);
    this.#startNs = scan.findBirth(stat.startTicks);
    // A process that moves to another cgroup or publishes its service usually does so soon after its start.
    const isOld = this.#startNs === undefined;
    this.#identifiedFor = isOld ? reader.lookAgainAfter : 1;
    this.#identifiedIn = scan.number - (isOld ? pid % reader.lookAgainAfter : 0);
    this.#revision = reader.cpuTime?.revision;
    reader.requestMaps(files, this.#layout);
    this.#packages?.findHome(this.pid, reader);
    this.#take(reader);
    if (this.#startNs === undefined) this.#rebase();
  }

  /** The attributes of its resource. */
  get attributes(): Attributes {
    return this.#resource.attributes;
  }

  /** Its CPU time, until that of another process is accessed. */
  get #cpu(): CpuUsage {
    return cpuOf(this.#values, this.#layout);
  }

  /** Whether its series have started. */
  get hasSeries(): boolean {
    return this.#series !== undefined;
  }

  /**
   * Whether it must be read at every scan, regardless of what the source of CPU time reports: it is unknown to
   * the source, or a read failed.
   */
  get isRestless(): boolean {
    return this.#hasFailed || this.#revision === undefined;
  }

  /**
   * Reads it again.
   * @param rowNs Unix time of the last row that includes it, in nanoseconds
   */
  read(reader: ProcessReader, scan: Scan, rowNs: bigint): Outcome {
    this.noteRow(rowNs);
    const outcome = this.#update(reader, scan);
    if (this.#hasFailed !== (outcome === 'failed')) this.isWritten = false;
    this.#hasFailed = outcome === 'failed';
    if (this.#hasFailed) scan.noteFailure(this.#files.stat, this.#layout.width);
    if (outcome !== 'gone' && scan.isFirst) this.#begin(undefined);
    return outcome;
  }

  /** @param rowNs Unix time of a row that includes it, in nanoseconds */
  noteRow(rowNs: bigint): void {
    if (rowNs > this.#rowNs) this.#rowNs = rowNs;
  }

  /** Its series. New ones start at the start of the process, at the previous row, or at this row. */
  listSeries(rowNs: bigint): readonly Series[] {
    if (this.#series !== undefined) return this.#series.slice(this.#place, this.#place + this.#layout.width);
    const startNs = this.#startNs ?? rowNs;
    return createSeries(this.#layout, this.#resource, startNs < rowNs ? startNs : rowNs);
  }

  /** Keeps its series in the array of all those of its part, from an index on: one of its own would take 88 bytes. */
  place(series: readonly Series[], at: number): void {
    this.#series = series;
    this.#place = at;
  }

  /** Writes its values to a row of its part. @returns the index behind them */
  write(row: Float64Array): number {
    const at = this.#place;
    const next = at + this.#layout.width;
    for (let i = at; i < next; i++) row[i] = this.#values[i - at];
    if (this.#hasFailed) row.fill(NaN, at, next);
    this.isWritten = true;
    return next;
  }

  /** Ends its series: they have no further row. */
  endSeries(): readonly Series[] {
    const ended = this.#series?.slice(this.#place, this.#place + this.#layout.width) ?? [];
    this.#series = undefined;
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
    if (!hasChanged && this.#takeFromSource(reader, scan, hasRun)) return 'read';
    const result = reader.readStat(this.#files);
    // It has just ended: this is not its final CPU time.
    if (result === 'gone' && cpuTime?.holds(this.pid) === true) return this.#takeCpuTime(cpuTime);
    if (typeof result !== 'number') return result;
    if (stat.startTicks !== this.#startTicks) return 'gone';
    this.state = stat.stateLetter;
    if (hasRun || hasChanged) this.#identify(reader, scan, hasChanged);
    if (this.#layout.hasIo) reader.readIo(this.#files);
    reader.requestMaps(this.#files, this.#layout);
    this.#take(reader);
    return 'read';
  }

  /**
   * Takes other data that the source of CPU time has.
   * @returns whether it may have become another program, or a zombie
   */
  #takeTask(cpuTime: CpuTimeSource | undefined, hasRun: boolean): boolean {
    const before = this.state;
    const { revision, taskState } = cpuTime ?? {};
    // A process that has not run since it was last seen running is sleeping.
    if (!hasRun && before === 'R') this.state = 'S';
    if (taskState !== undefined) this.state = taskState;
    const isRenamed = revision !== this.#revision;
    this.#revision = revision;
    return isRenamed || (this.state === 'Z' && before !== 'Z');
  }

  /**
   * Takes what the source of CPU time has of a process that is not known to have changed its identity.
   * @returns false if its files must be read
   */
  #takeFromSource(reader: ProcessReader, scan: Scan, hasRun: boolean): boolean {
    const { cpuTime } = reader;
    const details = this.isRestless || !this.#layout.isOfSource ? undefined : cpuTime?.details;
    if (!hasRun && details === undefined) return !this.#isDue(reader, scan);
    if (cpuTime === undefined || (hasRun && this.#isDetailed(cpuTime, reader, scan))) return false;
    if (hasRun) this.#takeCpuTime(cpuTime, details);
    if (details === undefined) return true;
    reader.takeDetails(details);
    const read = (column: Column): number => column.read(reader, undefined);
    if (readColumns(this.#values, this.#layout, read)) this.isWritten = false;
    return true;
  }

  /** Whether its files are read although only its CPU time is known to have changed. */
  #isDetailed(cpuTime: CpuTimeSource, { busiest }: ProcessReader, scan: Scan): boolean {
    const { revision, details } = cpuTime;
    if (revision === undefined || this.#hasFailed || this.#files.maps?.isNew) return true;
    const { isOfSource, isKernelThread } = this.#layout;
    // The source has the user and system time of a single thread, and of kernel threads no other values exist.
    if (details !== undefined && isOfSource && details[detail.threads] === 1) {
      return !isKernelThread && this.#isIdentityOld(scan);
    }
    this.#weightNs = busiest.weigh(this.#weightNs, this.#cpu.countGrowth(cpuTime));
    return busiest.has(this.#weightNs) || this.#isIdentityOld(scan);
  }

  #isIdentityOld(scan: Scan): boolean {
    return scan.number - this.#identifiedIn >= this.#identifiedFor;
  }

  #takeCpuTime(cpuTime: CpuTimeSource, details?: Float64Array): 'read' {
    if (details?.[detail.threads] === 1)
      this.#cpu.update(cpuTime, details[detail.userNs], details[detail.systemNs]);
    else this.#cpu.updateTotal(cpuTime);
    this.#writeCpuTime(cpuTime);
    return 'read';
  }

  /** Its files no longer exist. Its CPU time is complete once the kernel has reported the end. */
  #takeEnding(cpuTime: CpuTimeSource): Outcome {
    if (cpuTime.state === 'ending') return 'read';
    this.#takeCpuTime(cpuTime);
    dropGauges(this.#values, this.#layout);
    this.isDead = true;
    return 'last';
  }

  #isDue({ lookAgainAfter }: ProcessReader, scan: Scan): boolean {
    if (this.#hasFailed || this.#files.maps?.isNew) return true;
    return this.#layout.columns.length > 0 && (scan.number + this.pid) % lookAgainAfter === 0;
  }

  /** Starts new series, at the last row, if the process has another program, user or cgroup. */
  #identify(reader: ProcessReader, scan: Scan, hasChanged: boolean): void {
    const { stat, identity, lookAgainAfter } = reader;
    if (stat.isZombie || stat.isKernelThread) return;
    const isSame = !hasChanged && stat.isNamed(this.#identity.threadName);
    if (isSame && !this.#isIdentityOld(scan)) return;
    this.#identifiedIn = scan.number;
    this.#identifiedFor = Math.min(2 * this.#identifiedFor, lookAgainAfter);
    this.#packages?.findHome(this.pid, reader);
    this.#identity = identity.readAgain(this.pid, stat, this.#identity);
    const { attributes } = this.#identity;
    if (attributes === this.#resource.attributes) return;
    scan.ended.push(...this.endSeries());
    this.#resource = { attributes };
    this.#begin(this.#rowNs);
  }

  /** Restarts counters at the last reading. */
  #begin(startNs: bigint | undefined): void {
    this.#series = undefined;
    this.#startNs = startNs;
    this.#rebase();
  }

  #rebase(): void {
    this.isWritten = false;
    this.#cpu.restart();
    this.#packages?.restart();
    restartCounts(this.#values, this.#layout);
  }

  #take(reader: ProcessReader): void {
    const { cpuTime, stat } = reader;
    if (cpuTime === undefined) this.#cpu.updateFromTicks(stat.userTicks, stat.systemTicks);
    else this.#cpu.update(cpuTime, stat.userTicks, stat.systemTicks);
    this.#writeCpuTime(cpuTime);
    readColumns(this.#values, this.#layout, (column) => column.read(reader, this.#files.maps));
  }

  #writeCpuTime(cpuTime: CpuTimeSource | undefined): void {
    this.isWritten = false;
    const { userNs, systemNs } = this.#cpu;
    this.#packages?.take(userNs + systemNs, cpuTime?.packageNs);
    writeTimes(this.#values, this.#layout, { userNs, systemNs, packageNs: this.#packages?.ns });
  }
}
