import { rowState, type ProcessRows } from './process-rows.js';
import { nameWords, taskField, taskRecordWords } from './task-record.js';

/** One process: its CPU time since its birth, which never falls, and who it is. */
export interface AccountedProcess {
  /** As this collector's pid namespace knows it. */
  readonly pid: number;
  /** Whole seconds of its CPU time. */
  readonly seconds: number;
  /** What the CPU time has beyond whole seconds. */
  readonly nanoseconds: number;
  /** Birth after boot, in nanoseconds: exact for 100 days after boot. */
  readonly startNs: number;
  /** Tells cgroups apart: of the unified hierarchy, or where the process is at its root the deepest of version 1. */
  readonly cgroupId: number;
  /** Grows whenever its name, user or cgroup is another one. */
  readonly revision: number;
  /**
   * Copies its CPU nanoseconds on each package, from its birth on or that of the accounting; what the last threads to end
   * ran may be missing for a while.
   */
  copyPackages(into: Float64Array): void;
  /** What its main thread does: a letter of proc_pid_stat(5). */
  readonly taskState: string;
  /** `alive`; `ending` while the report of its death is awaited; `dead` once that has come: the CPU time is final. */
  readonly state: 'alive' | 'ending' | 'dead';
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
    return readCgroup(this.#rows.records, this.row * taskRecordWords);
  }

  get revision(): number {
    return this.#rows.revisions[this.row];
  }

  copyPackages(into: Float64Array): void {
    const { length } = into;
    for (let i = 0; i < length; i++) into[i] = this.#rows.packageNs[this.row * length + i];
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

/** A process that was born and died before it was asked for. */
export interface BriefProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly cpuTimeNs: number;
  /** That of its main thread on each package; none where it is not known. */
  readonly packageNs: Float64Array;
  readonly cgroupId: number;
  readonly userId: number;
  /** The kernel's name of it, at most 15 bytes, as four words: `decodeTaskName`. */
  readonly name: Uint32Array;
}

/** The last record of a death, as a process: the same object each time. */
export class BriefRecord implements BriefProcess {
  pid = 0;
  parentPid = 0;
  cpuTimeNs = 0;
  packageNs: Float64Array = new Float64Array(0);
  cgroupId = 0;
  userId = 0;
  readonly name = new Uint32Array(nameWords);

  /** Takes over a record. @returns this */
  take(words: Uint32Array, at: number, cpuTimeNs: number): this {
    this.pid = words[at + taskField.tgid];
    this.parentPid = words[at + taskField.parent];
    this.cpuTimeNs = cpuTimeNs;
    this.cgroupId = readCgroup(words, at);
    this.userId = words[at + taskField.user];
    for (let word = 0; word < nameWords; word++) this.name[word] = words[at + taskField.name + word];
    return this;
  }
}

/** The text of a name; what is not UTF-8 in it becomes a replacement character. */
export function decodeTaskName(name: Uint32Array): string {
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.byteLength);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

// As task_state_index() of include/linux/sched.h and fs/proc/array.c.
const stateLetters = ['R', 'S', 'D', 'T', 't', 'X', 'Z', 'P'];
const reportedStates = 0x7f;
const idleState = 0x402;

function decodeTaskState(words: Uint32Array, at: number): string {
  const state = words[at + taskField.state];
  if ((state & idleState) === idleState) return 'I';
  const reported = (state | words[at + taskField.exitState]) & reportedStates;
  return stateLetters[32 - Math.clz32(reported)] ?? 'D';
}

/** The inode of a cgroup of the unified hierarchy; undefined where its number is that of one of version 1. */
export function findUnifiedId(cgroupId: number): number | undefined {
  return cgroupId % controllers === 0 ? cgroupId / controllers : undefined;
}

/** More than there are controllers, of which 0 stands for the unified hierarchy. */
const controllers = 32;

/** One number for the cgroup that identifies a task best: the kernel's number, and below it the tree that it is of. */
function readCgroup(words: Uint32Array, at: number): number {
  const controller = words[at + taskField.controllerV1];
  const id = at + (controller === 0 ? taskField.cgroup : taskField.cgroupV1);
  return (words[id] + words[id + 1] * 2 ** 32) * controllers + controller;
}
