import { AccountedRow, BriefRecord, type AccountedProcess, type BriefProcess } from './accounted-process.js';
import { EndedThreads } from './ended-threads.js';
import { addPackageTimes } from './package-record.js';
import { ProcessRows, readTime, rowState } from './process-rows.js';
import { nanosecondsPerSecond, taskField } from './task-record.js';

/**
 * Maximum time that a process that is missing in passes waits for the report of its end: the kernel sends it
 * after an RCU grace period, milliseconds later. It does not arrive only if reports were lost.
 */
const maxWaitNs = 5e9;
const maxReplaced = 1000;

/** A process that was removed before its end was reported: its start, and the CPU time that is not brief. */
interface Replaced {
  readonly startNs: number;
  readonly countedNs: number;
}

/** The processes found by passes, until their ends are reported. */
export class ProcessTable {
  readonly rows: ProcessRows;
  /** The processes that are new in this pass, by their ids in this pid namespace. */
  readonly born: number[] = [];
  /** The processes that have changed since the previous pass, likewise; some more than once. */
  readonly changed: number[] = [];
  readonly #found: AccountedRow;
  /** Number of packages that are distinguished; 0: none. */
  readonly #packages: number;
  /** Of the ended thread that is being handled. */
  readonly #packageNs: Float64Array;
  /** Rows by id in the initial pid namespace. */
  readonly #byTgid = new Map<number, number>();
  /** Rows by id in this pid namespace: the same map if that is the initial one. */
  readonly #byPid: Map<number, number>;
  readonly #pending = new Set<number>();
  readonly #brief = new BriefRecord();
  readonly #endedThreads = new EndedThreads();
  /** CLOCK_BOOTTIME at the start of the first pass, and of this one. */
  #beganNs: number | undefined;
  #bootNs = 0;
  /** Number of passes so far. */
  #pass = 0;
  /** Processes that were removed before their end was reported. */
  readonly #replaced = new Map<number, Replaced>();

  constructor(packages: number, isInFirstNamespace: boolean) {
    this.#packages = packages;
    this.#packageNs = new Float64Array(packages);
    this.#brief.packageNs = this.#packageNs;
    this.rows = new ProcessRows(packages);
    this.#found = new AccountedRow(this.rows);
    this.#byPid = isInFirstNamespace ? this.#byTgid : new Map<number, number>();
  }

  /** Starts a pass: removes processes that ended before it. @param bootNs CLOCK_BOOTTIME */
  begin(bootNs: number): void {
    this.born.length = 0;
    this.changed.length = 0;
    this.#beganNs ??= bootNs;
    this.#bootNs = bootNs;
    this.#pass += 1;
    this.#endedThreads.begin();
    for (const row of this.#pending) if (this.rows.states[row] === rowState.dead) this.#remove(row);
  }

  /**
   * Ends a pass, after all reports of ends were handled: removes processes that have waited too long for theirs.
   * It can still come, for example after a suspend.
   */
  finish(): void {
    const { states, goneSinceNs } = this.rows;
    for (const row of this.#pending) {
      const isWaiting = states[row] === rowState.ending;
      if (isWaiting && this.#bootNs - goneSinceNs[row] > maxWaitNs) this.#replace(row);
    }
  }

  /** The state of a process: the same object each time. */
  find(pid: number): AccountedProcess | undefined {
    const row = this.#byPid.get(pid);
    if (row === undefined) return undefined;
    this.#found.row = row;
    return this.#found;
  }

  /** The row of a process, by its id in the initial pid namespace. */
  findRow(tgid: number): number | undefined {
    return this.#byTgid.get(tgid);
  }

  /** Records that a process has changed. */
  noteChange(row: number): void {
    this.changed.push(this.rows.wordOf(row, taskField.localTgid));
  }

  /** Adds the process of a record, and ends the previous one with its id. */
  add(words: Uint32Array, at: number): number {
    const tgid = words[at + taskField.tgid];
    const pid = words[at + taskField.localTgid];
    const old = this.#byTgid.get(tgid);
    if (old !== undefined) this.#replace(old);
    const row = this.rows.add(words, at);
    this.rows.addedIn[row] = this.#pass;
    this.#byTgid.set(tgid, row);
    this.#byPid.set(pid, row);
    this.born.push(pid);
    return row;
  }

  /** A process is missing in a pass. */
  end(row: number): void {
    const { states, goneSinceNs, goneIn } = this.rows;
    if (states[row] !== rowState.alive) return;
    states[row] = rowState.ending;
    this.noteChange(row);
    goneSinceNs[row] = this.#bootNs;
    goneIn[row] = this.#pass;
    this.#pending.add(row);
  }

  /** A process is found again that was missing in the previous pass. */
  revive(row: number): void {
    if (this.rows.states[row] !== rowState.ending) return;
    this.rows.states[row] = rowState.alive;
    this.#pending.delete(row);
    this.noteChange(row);
  }

  /** Handles the record of an ended thread, and passes its process to `take` if the caller does not follow it. */
  addDeath(words: Uint32Array, at: number, take: (process: BriefProcess) => void): void {
    const tgid = words[at + taskField.tgid];
    if (this.#packages > 0) this.#endThread(words, at);
    if (words[at + taskField.tid] !== tgid) {
      this.#noteThread(words, at);
      return;
    }
    const startNs = readTime(words, at + taskField.start);
    const row = this.#findLife(tgid, startNs);
    const own = at + taskField.runtime;
    const all = at + taskField.endedThreadsRuntime;
    // For a single thread its own time is exact; the kernel's sum lacks the last slice, but has all threads.
    const last = isLess(words, own, all) ? all : own;
    if (row !== undefined && this.#isFollowed(row)) {
      this.rows.raise(row, words[last], words[last + 1]);
      this.rows.states[row] = rowState.dead;
      this.noteChange(row);
      this.#pending.add(row);
      return;
    }
    const replaced = this.#takeReplaced(tgid, startNs);
    if (replaced === undefined && !this.#isBrief(startNs)) return;
    const earlierNs = replaced?.countedNs ?? (row === undefined ? 0 : this.#countEarlier(row));
    if (earlierNs > 0) this.#packageNs.fill(0);
    if (row !== undefined) this.#remove(row);
    const threadsNs = this.#endedThreads.take(tgid, startNs);
    const usedNs = Math.max(readTime(words, last), readTime(words, own) + threadsNs);
    const cpuTimeNs = Math.max(0, usedNs - earlierNs);
    if (cpuTimeNs > 0 || replaced === undefined) take(this.#brief.take(words, at, cpuTimeNs));
  }

  /**
   * CPU nanoseconds of earlier windows: of a process that several passes have found although the caller does not
   * follow it, since procfs hides it (hidepid). Charging them at its end would be at the expense of all others.
   */
  #countEarlier(row: number): number {
    const { states, addedIn, goneIn, seconds, nanoseconds } = this.rows;
    const lastSeen = states[row] === rowState.alive ? this.#pass : goneIn[row] - 1;
    return lastSeen > addedIn[row] ? seconds[row] * nanosecondsPerSecond + nanoseconds[row] : 0;
  }

  /**
   * The sum of a process that the caller follows has its ended threads. What that lacks is left out: at the end of a
   * long life it would be charged all at once.
   */
  #noteThread(words: Uint32Array, at: number): void {
    const row = this.#byTgid.get(words[at + taskField.tgid]);
    if (row === undefined || !this.#isFollowed(row)) this.#endedThreads.add(words, at);
  }

  /** Whether the caller follows a process, or its CPU time began before the accounting. */
  #isFollowed(row: number): boolean {
    return this.rows.claimed[row] === 1 || this.rows.startOf(row) < (this.#beganNs ?? Infinity);
  }

  /** A thread never runs again on any package. */
  #endThread(words: Uint32Array, at: number): void {
    const tgid = words[at + taskField.tgid];
    this.#packageNs.fill(0);
    addPackageTimes({ words, at, count: this.#packages }, this.#packageNs, [0, 0]);
    const row = this.#byTgid.get(tgid);
    const isLeader = words[at + taskField.tid] === tgid;
    if (row === undefined || (isLeader && !this.rows.isOf(row, words, at))) return;
    this.rows.endThread(row, this.#packageNs, isLeader);
  }

  /** The process with this id that started at this instant. */
  #findLife(tgid: number, startNs: number): number | undefined {
    const row = this.#byTgid.get(tgid);
    return row !== undefined && this.rows.startOf(row) === startNs ? row : undefined;
  }

  /**
   * Whether the caller may never have followed it. A report can be a pass late: a process that existed when the
   * accounting started is not brief.
   */
  #isBrief(startNs: number): boolean {
    return this.#byPid === this.#byTgid && startNs >= (this.#beganNs ?? Infinity);
  }

  #replace(row: number): void {
    const { claimed, seconds, nanoseconds } = this.rows;
    if (this.#replaced.size >= maxReplaced) this.#replaced.clear();
    const startNs = this.rows.startOf(row);
    // Of a process that existed before, the CPU time until then was used in no window.
    const isFollowed = claimed[row] === 1 || !this.#isBrief(startNs);
    const countedNs = isFollowed
      ? seconds[row] * nanosecondsPerSecond + nanoseconds[row]
      : this.#countEarlier(row);
    // Outside the initial pid namespace there are no brief processes.
    if (this.#byPid === this.#byTgid)
      this.#replaced.set(this.rows.wordOf(row, taskField.tgid), { startNs, countedNs });
    this.#remove(row);
  }

  /** A process whose end is reported after it was removed: what it has used since it was last found is brief. */
  #takeReplaced(tgid: number, startNs: number): Replaced | undefined {
    const replaced = this.#replaced.get(tgid);
    if (replaced?.startNs !== startNs) return undefined;
    this.#replaced.delete(tgid);
    return replaced;
  }

  #remove(row: number): void {
    const tgid = this.rows.wordOf(row, taskField.tgid);
    const pid = this.rows.wordOf(row, taskField.localTgid);
    this.noteChange(row);
    this.#pending.delete(row);
    if (this.#byTgid.get(tgid) === row) this.#byTgid.delete(tgid);
    if (this.#byPid.get(pid) === row) this.#byPid.delete(pid);
    this.rows.remove(row);
  }
}

function isLess(words: Uint32Array, one: number, other: number): boolean {
  return words[one] < words[other] || (words[one] === words[other] && words[one + 1] < words[other + 1]);
}
