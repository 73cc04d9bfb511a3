import { monotonicSinceOriginNs } from '../clocks.js';
import type { CpuPackages } from '../cpu-packages.js';
import { AccountedRow, BriefRecord, type AccountedProcess, type BriefProcess } from './accounted-process.js';
import type { TypeFacts } from './kernel-types.js';
import { Migrations } from './migrations.js';
import { addPackageTimes } from './package-record.js';
import { ProcessRows, readTime, rowState } from './process-rows.js';
import { withKernelTypes } from './recorded-types.js';
import { countSinceTick, SwitchSlots } from './switch-slots.js';
import { TaskDeaths } from './task-deaths.js';
import { TaskIterator } from './task-iterator.js';
import { taskField } from './task-record.js';

/**
 * How long a process that no pass shows any more may wait for the report of its death: the kernel sends it after an
 * RCU grace period, milliseconds later. Only where reports were lost does it not come.
 */
const maxWaitNs = 5e9;
const maxReplaced = 1000;
/** How often a pass is repeated that was interrupted. */
const maxTries = 4;

/**
 * The CPU time of every process, exactly: of the living by a task iterator, up to a tick old while they run, of the
 * dead by their last report. Needs CAP_BPF and CAP_PERFMON, and a kernel that describes its types.
 */
export class CpuAccounting {
  readonly #tasks: TaskIterator;
  readonly #deaths: TaskDeaths;
  readonly #slots: SwitchSlots | undefined;
  readonly #migrations: Migrations | undefined;
  readonly #rows: ProcessRows;
  readonly #found: AccountedRow;
  /** How many packages are told apart; 0: none. */
  readonly #packages: number;
  /** Of the thread whose end is being taken. */
  readonly #packageNs: Float64Array;
  /** Rows by the number in the machine's first pid namespace. */
  readonly #byTgid = new Map<number, number>();
  /** Rows by the number in our pid namespace: the same map, where that is the first one. */
  readonly #byPid: Map<number, number>;
  readonly #pending = new Set<number>();
  /** Of the record before. */
  #lastRow = 0;
  readonly #brief = new BriefRecord();
  /** The instant of the CPU times of the last pass: CLOCK_MONOTONIC, in nanoseconds after `originSecond`. */
  readAtNs = NaN;
  /** By the numbers in our pid namespace, the processes that the last pass met first. */
  readonly born: number[] = [];
  #shortestNs = Infinity;
  #pass = 0;
  /** CLOCK_BOOTTIME at which the first pass began. */
  #beganNs: number | undefined;
  /** Births of processes whose number went to another one before their death was reported. */
  readonly #replaced = new Map<number, number>();

  /**
   * @param isExact whether the CPU time of what runs is to be that of the instant of a pass; otherwise it is up to a
   * tick old
   * @param packages where it is to be known on which of them processes run
   * @throws BpfError, or Error when the kernel does not describe its types or lacks a field
   */
  static open(isExact = false, packages?: CpuPackages): Promise<CpuAccounting> {
    return withKernelTypes((types) => CpuAccounting.#open(types, isExact, packages));
  }

  static async #open(types: TypeFacts, isExact: boolean, packages?: CpuPackages): Promise<CpuAccounting> {
    const opened: { close(): void }[] = [];
    const note = <Part extends { close(): void }>(part: Part): Part => {
      opened.push(part);
      return part;
    };
    try {
      // Before any thread is read: what moves from then on is noted.
      const migrations = packages && note(await Migrations.open(types, packages));
      const deaths = note(await TaskDeaths.open(types, migrations?.maps));
      const slots = isExact ? note(await SwitchSlots.open(types)) : undefined;
      const tasks = await TaskIterator.open(types, migrations?.maps);
      return new CpuAccounting({ tasks, deaths, slots, migrations });
    } catch (error) {
      for (const part of opened) part.close();
      throw error;
    }
  }

  private constructor({ tasks, deaths, slots, migrations }: Sources) {
    this.#tasks = tasks;
    this.#deaths = deaths;
    this.#slots = slots;
    this.#migrations = migrations;
    this.#packages = migrations?.maps.count ?? 0;
    this.#packageNs = new Float64Array(this.#packages);
    this.#brief.packageNs = this.#packageNs;
    this.#rows = new ProcessRows(this.#packages);
    this.#found = new AccountedRow(this.#rows);
    this.#byPid = tasks.isInFirstNamespace ? this.#byTgid : new Map<number, number>();
  }

  /** Deaths that were not reported since the start, because there were too many between two passes. */
  get lost(): number {
    return this.#deaths.lost;
  }

  /** Moves of threads to another package that were not noted since the start, because too many threads had moved. */
  get lostMoves(): number {
    return this.#migrations?.lost ?? 0;
  }

  /**
   * Reads every process, and passes those that ended before `find` was asked for them to `take`, which must not keep
   * them.
   * Outside the first pid namespace there are none: nothing says to which namespace a dead process belonged.
   * @param bootNs CLOCK_BOOTTIME, read just before
   * @throws Error when the kernel could not be asked
   */
  update(bootNs: number, take: (process: BriefProcess) => void): void {
    this.#pass += 1;
    this.born.length = 0;
    this.#beganNs ??= bootNs;
    this.#removeDead(bootNs);
    this.#migrations?.update();
    const drain = () => this.#deaths.drain((ring, at) => this.#addDeath(ring, at, take));
    // Threads that ended before the pass are not in it, and what they ran is in the time of their process.
    if (this.#packages > 0) drain();
    const count = this.#read();
    const { words, recordWords } = this.#tasks;
    for (let at = 0; at < count * recordWords; at += recordWords) this.#addTask(words, at);
    this.#settle(bootNs);
    drain();
  }

  /** What the last pass knows of a process: the same object each time. */
  find(pid: number): AccountedProcess | undefined {
    const row = this.#byPid.get(pid);
    if (row === undefined) return undefined;
    this.#rows.found[row] = 1;
    this.#found.row = row;
    return this.#found;
  }

  /** Ends the accounting. Safe to call again. */
  close(): void {
    this.#tasks.close();
    this.#deaths.close();
    this.#slots?.close();
    this.#migrations?.close();
  }

  /**
   * Reads all tasks, and with slots again where this thread had to wait: what ran meanwhile would be charged too early.
   * @returns the number of tasks
   */
  #read(): number {
    for (let tries = 1; ; tries++) {
      const beganNs = monotonicSinceOriginNs();
      const slotsNs = this.#slots?.read();
      const count = this.#tasks.read();
      const tookNs = monotonicSinceOriginNs() - beganNs;
      this.readAtNs = slotsNs ?? beganNs + tookNs / 2;
      this.#shortestNs = Math.min(this.#shortestNs, tookNs);
      if (slotsNs === undefined || tookNs < 2 * this.#shortestNs || tries === maxTries) return count;
    }
  }

  #addTask(words: Uint32Array, at: number): void {
    const rows = this.#rows;
    const tgid = words[at + taskField.tgid];
    const isLeader = words[at + taskField.tid] === tgid;
    let row = this.#findRow(tgid);
    if (row === undefined || (isLeader && !rows.isOf(row, words, at))) row = this.#addProcess(words, at);
    rows.successors[this.#lastRow] = row;
    this.#lastRow = row;
    if (rows.seenIn[row] !== this.#pass) {
      const ended = at + taskField.endedThreadsRuntime;
      rows.meet(row, this.#pass, words[ended], words[ended + 1]);
    }
    if (isLeader) rows.note(row, words, at);
    rows.use(row, words[at + taskField.runtime], words[at + taskField.runtime + 1]);
    const sinceNs = this.#slots === undefined ? 0 : countSinceTick(this.#slots, words, at);
    if (this.#slots !== undefined) rows.use(row, 0, sinceNs);
    const count = this.#packages;
    if (count > 0) addPackageTimes({ words, at, count }, rows.packageSums, [row * count, sinceNs]);
  }

  /** The kernel goes through tasks in the same order each time: the row is mostly the last one, or that behind it. */
  #findRow(tgid: number): number | undefined {
    const rows = this.#rows;
    if (rows.has(this.#lastRow, tgid)) return this.#lastRow;
    const next = rows.successors[this.#lastRow];
    return rows.has(next, tgid) ? next : this.#byTgid.get(tgid);
  }

  /** A leader comes before its other threads, unless thread numbers have begun at 1 again meanwhile. */
  #addProcess(words: Uint32Array, at: number): number {
    const tgid = words[at + taskField.tgid];
    const pid = words[at + taskField.localTgid];
    const old = this.#byTgid.get(tgid);
    if (old !== undefined) this.#replace(old);
    const row = this.#rows.add(words, at);
    this.#byTgid.set(tgid, row);
    this.#byPid.set(pid, row);
    this.born.push(pid);
    return row;
  }

  /** Takes over the sums of this pass, and finds out who was not in it. */
  #settle(bootNs: number): void {
    const { states, seenIn, size } = this.#rows;
    for (let row = 0; row < size; row++) {
      if (states[row] === rowState.free) continue;
      if (seenIn[row] === this.#pass) this.#rows.settle(row);
      else if (states[row] === rowState.alive) {
        states[row] = rowState.ending;
        this.#rows.goneSinceNs[row] = bootNs;
        this.#pending.add(row);
      }
    }
  }

  #addDeath(words: Uint32Array, at: number, take: (process: BriefProcess) => void): void {
    const tgid = words[at + taskField.tgid];
    if (this.#packages > 0) this.#endThread(words, at);
    // Its threads are in what the kernel keeps of the whole process.
    if (words[at + taskField.tid] !== tgid) return;
    const startNs = readTime(words, at + taskField.start);
    const row = this.#findLife(tgid, startNs);
    const own = at + taskField.runtime;
    const all = at + taskField.endedThreadsRuntime;
    // Of a single thread its own time is exact; the sum lacks the last slice, but has all threads.
    const last = isLess(words, own, all) ? all : own;
    if (row !== undefined && (this.#rows.found[row] === 1 || startNs < (this.#beganNs ?? Infinity))) {
      this.#rows.raise(row, words[last], words[last + 1]);
      this.#rows.states[row] = rowState.dead;
      this.#pending.add(row);
    } else if (this.#isBrief(tgid, startNs)) {
      if (row !== undefined) this.#remove(row);
      take(this.#brief.take(words, at, readTime(words, last)));
    }
  }

  /** A thread never runs again on any package. */
  #endThread(words: Uint32Array, at: number): void {
    const tgid = words[at + taskField.tgid];
    this.#packageNs.fill(0);
    addPackageTimes({ words, at, count: this.#packages }, this.#packageNs, [0, 0]);
    const row = this.#byTgid.get(tgid);
    const isLeader = words[at + taskField.tid] === tgid;
    if (row === undefined || (isLeader && !this.#rows.isOf(row, words, at))) return;
    this.#rows.endThread(row, this.#packageNs, isLeader);
  }

  /** The process with this number that was born at this instant. */
  #findLife(tgid: number, startNs: number): number | undefined {
    const row = this.#byTgid.get(tgid);
    return row !== undefined && this.#rows.startOf(row) === startNs ? row : undefined;
  }

  /** Whether no pass has shown it. A report can come a pass late: what was there when this began is no brief process. */
  #isBrief(tgid: number, startNs: number): boolean {
    if (this.#byPid !== this.#byTgid || startNs < (this.#beganNs ?? Infinity)) return false;
    if (this.#replaced.get(tgid) !== startNs) return true;
    this.#replaced.delete(tgid);
    return false;
  }

  #removeDead(bootNs: number): void {
    const { states, goneSinceNs } = this.#rows;
    for (const row of this.#pending) {
      if (states[row] === rowState.dead || bootNs - goneSinceNs[row] > maxWaitNs) this.#remove(row);
    }
  }

  #replace(row: number): void {
    if (this.#replaced.size >= maxReplaced) this.#replaced.clear();
    this.#replaced.set(this.#rows.wordOf(row, taskField.tgid), this.#rows.startOf(row));
    this.#remove(row);
  }

  #remove(row: number): void {
    const tgid = this.#rows.wordOf(row, taskField.tgid);
    const pid = this.#rows.wordOf(row, taskField.localTgid);
    this.#pending.delete(row);
    if (this.#byTgid.get(tgid) === row) this.#byTgid.delete(tgid);
    if (this.#byPid.get(pid) === row) this.#byPid.delete(pid);
    this.#rows.remove(row);
  }
}

/** What it reads. */
interface Sources {
  readonly tasks: TaskIterator;
  readonly deaths: TaskDeaths;
  readonly slots: SwitchSlots | undefined;
  readonly migrations: Migrations | undefined;
}

function isLess(words: Uint32Array, one: number, other: number): boolean {
  return words[one] < words[other] || (words[one] === words[other] && words[one + 1] < words[other + 1]);
}
