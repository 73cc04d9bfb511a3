import { detailCount } from './process-details.js';
import { rowState, type ProcessRows } from './process-rows.js';
import { readLong } from './read-long.js';
import { nameWords, taskField, taskRecordWords } from './task-record.js';

/** The cgroups of a process, by the kernel's ids. */
export interface CgroupIds {
  /** That of the unified hierarchy (version 2): the inode of its folder. */
  readonly cgroupId: number;
  /** The deepest one of version 1, combined with its controller; 0 if it is in none. */
  readonly cgroupV1Id: number;
}

/** One process: its CPU time since its start, which never decreases, and its identity. */
export interface AccountedProcess extends CgroupIds {
  /** In this collector's pid namespace. */
  readonly pid: number;
  /** Whole seconds of its CPU time. */
  readonly seconds: number;
  /** The CPU time beyond whole seconds. */
  readonly nanoseconds: number;
  /** Start after boot, in nanoseconds: exact for 100 days after boot. */
  readonly startNs: number;
  /** Increases whenever name, user or cgroup change. */
  readonly revision: number;
  /**
   * Copies its CPU nanoseconds on each package, since its start or that of the accounting; the time of threads
   * that have just ended may be missing temporarily.
   */
  copyPackages(into: Float64Array): void;
  /** Copies its memory and threads, `detail`, as of when it last ran or had a record. */
  copyDetails(into: Float64Array): void;
  /** The state of its main thread: a letter of proc_pid_stat(5). */
  readonly taskState: string;
  /** `alive`; `ending` while the report of its end is awaited; `dead` after that report: the CPU time is final. */
  readonly state: 'alive' | 'ending' | 'dead';
  /** From now on the caller follows this process up to its end: then it is never passed on as a brief one. */
  claim(): void;
  /** Takes that back: the caller could not follow it. */
  release(): void;
}

/** One row, as a process. */
export class AccountedRow implements AccountedProcess {
  readonly #rows: ProcessRows;
  row = 0;

  constructor(rows: ProcessRows) {
    this.#rows = rows;
  }

  get pid(): number {
    return this.#rows.wordOf(this.row, taskField.localTgid);
  }

  claim(): void {
    this.#rows.claimed[this.row] = 1;
  }

  release(): void {
    this.#rows.claimed[this.row] = 0;
  }

  get seconds(): number {
    return this.#rows.seconds[this.row];
  }

  get nanoseconds(): number {
    return this.#rows.nanoseconds[this.row];
  }

  get startNs(): number {
    return this.#rows.startOf(this.row);
  }

  get cgroupId(): number {
    return readLong(this.#rows.records, this.row * taskRecordWords + taskField.cgroup);
  }

  get cgroupV1Id(): number {
    return readCgroupV1(this.#rows.records, this.row * taskRecordWords);
  }

  get revision(): number {
    return this.#rows.revisions[this.row];
  }

  copyPackages(into: Float64Array): void {
    const { length } = into;
    for (let i = 0; i < length; i++) into[i] = this.#rows.packageNs[this.row * length + i];
  }

  copyDetails(into: Float64Array): void {
    for (let i = 0; i < detailCount; i++) into[i] = this.#rows.details[this.row * detailCount + i];
  }

  get taskState(): string {
    return decodeTaskState(this.#rows.records, this.row * taskRecordWords);
  }

  get state(): AccountedProcess['state'] {
    const state = this.#rows.states[this.row];
    if (state === rowState.alive) return 'alive';
    return state === rowState.ending ? 'ending' : 'dead';
  }
}

/** A process that started and ended before it was first seen, or that could not be followed. */
export interface BriefProcess extends CgroupIds {
  readonly pid: number;
  readonly parentPid: number;
  /** Since its start; of a process that several passes have found, since the last one. */
  readonly cpuTimeNs: number;
  /** That of its main thread on each package; empty if unknown. */
  readonly packageNs: Float64Array;
  readonly userId: number;
  /** The kernel's name for it, at most 15 bytes, as four words: `decodeTaskName`. */
  readonly name: Uint32Array;
}

/** The last record of an ended thread, as a process: the same object each time. */
export class BriefRecord implements BriefProcess {
  pid = 0;
  parentPid = 0;
  cpuTimeNs = 0;
  packageNs: Float64Array = new Float64Array(0);
  cgroupId = 0;
  cgroupV1Id = 0;
  userId = 0;
  readonly name = new Uint32Array(nameWords);

  /** Loads a record. @returns this */
  take(words: Uint32Array, at: number, cpuTimeNs: number): this {
    this.pid = words[at + taskField.tgid];
    this.parentPid = words[at + taskField.parent];
    this.cpuTimeNs = cpuTimeNs;
    this.cgroupId = readLong(words, at + taskField.cgroup);
    this.cgroupV1Id = readCgroupV1(words, at);
    this.userId = words[at + taskField.user];
    for (let word = 0; word < nameWords; word++) this.name[word] = words[at + taskField.name + word];
    return this;
  }
}

/** Decodes a name; invalid UTF-8 becomes replacement characters. */
export function decodeTaskName(name: Uint32Array): string {
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.byteLength);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

// As task_state_index() of include/linux/sched.h and fs/proc/array.c.
const stateLetters = ['R', 'S', 'D', 'T', 't', 'X', 'Z', 'P'];
const reportedStates = 0x7f;
const idleState = 0x402;
/** TASK_RTLOCK_WAIT and, since Linux 6.1, TASK_FROZEN. */
const blockedStates = 0x9000;

function decodeTaskState(words: Uint32Array, at: number): string {
  const state = words[at + taskField.state];
  if ((state & blockedStates) !== 0) return 'D';
  if ((state & idleState) === idleState) return 'I';
  const reported = (state | words[at + taskField.exitState]) & reportedStates;
  return stateLetters[32 - Math.clz32(reported)] ?? 'D';
}

/** More than there are controllers. */
const controllers = 32;

/** One number for a cgroup of version 1: ids are unique within a hierarchy. */
function readCgroupV1(words: Uint32Array, at: number): number {
  return readLong(words, at + taskField.cgroupV1) * controllers + words[at + taskField.controllerV1];
}
