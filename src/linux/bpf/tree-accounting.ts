import { setTimeout } from 'node:timers/promises';
import { readLong } from './read-long.js';
import { withKernelTypes } from './recorded-types.js';
import { livingRecordWords, nameWords, treeEvent, treeField } from './tree-code.js';
import { TreePrograms } from './tree-programs.js';

/** Usage of the processes of a tree while they ran one program. */
export interface ProgramUsage {
  /** The base name of its file; for a script, that of its interpreter. Empty until the command starts. */
  readonly name: string;
  /** CPU time; never decreases. */
  readonly cpuNs: number;
  /** Processes whose last program it is. */
  readonly processes: number;
}

type Program = { -readonly [Key in keyof ProgramUsage]: ProgramUsage[Key] };

interface Process {
  program: Program;
  /** CPU time already charged to programs. */
  chargedNs: number;
  /** CPU time of its threads whose end was reported. */
  endedThreadsNs: number;
  sumNs: number;
  seenIn: number;
  /** `performance.now()` of the first pass without it. */
  goneAtMs: number | undefined;
}

/** Further programs are counted as one, `others`. */
const maxPrograms = 200;
const othersName = 'others';
/** The program of a process whose start was not reported, because the buffer was full. */
const unknownName = 'unknown';
/**
 * An end is reported after an RCU grace period, 10 to 30 ms, longer on a loaded machine. It is not reported
 * while the kernel runs no programs: in some virtual machines that happens while their own agent runs.
 */
const maxSettleMs = 300;
const pollMs = 2;
/** After this long without a report, an end is never reported: the process is forgotten. */
const maxReportMs = 30_000;

/**
 * The CPU time of a command and all its descendants, by program: of live processes by a task iterator, up to a
 * tick old while they run, of ended ones exactly. A descendant remains one when its parent ends first.
 */
export class TreeAccounting {
  readonly #kernel: TreePrograms;
  #tree = 0;
  #pass = 0;
  /** Of the tree, by ids in the initial pid namespace. */
  readonly #processes = new Map<number, Process>();
  #programs: Program[] = [];
  readonly #byName = new Map<string, Program>();
  /** The command's process, until it executes its program: earlier usage does not belong to the command. */
  #held: Process | undefined;

  /** @throws BpfError, or Error when the kernel has no type information or lacks a field */
  static async open(): Promise<TreeAccounting> {
    return withKernelTypes(async (types) => new TreeAccounting(await TreePrograms.open(types)));
  }

  private constructor(kernel: TreePrograms) {
    this.#kernel = kernel;
  }

  /**
   * Usage by program. The first is the command's own process until it executes another program; new programs
   * are appended, and none is removed.
   */
  get programs(): readonly ProgramUsage[] {
    return this.#programs;
  }

  /** Usage of the whole tree, in nanoseconds. */
  get totalNs(): number {
    return this.#programs.reduce((sumNs, { cpuNs }) => sumNs + cpuNs, 0);
  }

  /** Number of processes of the tree that have not ended. */
  get followedCount(): number {
    return this.#processes.size;
  }

  /**
   * Events that did not fit into the buffer since this was opened: if there are any, a part of the tree may be
   * missing.
   */
  get lost(): number {
    return this.#kernel.lost;
  }

  /**
   * Follows a child of this process that has not executed its program yet, and drops the previous tree.
   * @param sinceNs CLOCK_BOOTTIME before the child was started
   * @returns whether there is exactly one such child
   */
  follow(sinceNs: bigint): boolean {
    this.#kernel.drain(ignore);
    this.#tree += 1;
    this.#processes.clear();
    this.#byName.clear();
    this.#programs = [{ name: '', cpuNs: 0, processes: 1 }];
    const length = this.#kernel.mark(this.#tree, sinceNs);
    const { words } = this.#kernel;
    for (let at = 0; at < length; at += livingRecordWords) {
      if (words[at + treeField.tree] === this.#tree) this.#add(words[at + treeField.tgid], this.#programs[0]);
    }
    [this.#held] = this.#processes.values();
    return this.#processes.size === 1;
  }

  /** Reads the usage so far. */
  read(): void {
    this.#pass += 1;
    const nowMs = performance.now();
    const length = this.#kernel.read();
    // Events before the pass are handled first, so that readings go to the right program.
    this.#drain();
    const { words } = this.#kernel;
    for (let at = 0; at < length; at += livingRecordWords) this.#addLiving(words, at);
    for (const [tgid, process] of this.#processes) {
      if (process !== this.#held) charge(process, process.sumNs);
      if (process.seenIn !== this.#pass && isOverdue(process, nowMs, maxReportMs))
        this.#processes.delete(tgid);
    }
  }

  /** Resolves when the ends of all processes that the last reading missed are reported. */
  async settle(): Promise<void> {
    const deadline = performance.now() + maxSettleMs;
    for (;;) {
      this.#drain();
      if (!this.#isWaiting() || performance.now() > deadline) return;
      await setTimeout(pollMs);
    }
  }

  /** Ends the accounting. May be called again. */
  close(): void {
    this.#kernel.close();
  }

  #isWaiting(): boolean {
    const nowMs = performance.now();
    for (const process of this.#processes.values()) {
      if (process.seenIn !== this.#pass && !isOverdue(process, nowMs, maxSettleMs)) return true;
    }
    return false;
  }

  #addLiving(words: Uint32Array, at: number): void {
    if (words[at + treeField.tree] !== this.#tree) return;
    const process = this.#processes.get(words[at + treeField.tgid]);
    // It has ended since.
    if (process === undefined) return;
    if (process.seenIn !== this.#pass) {
      process.seenIn = this.#pass;
      process.goneAtMs = undefined;
      process.sumNs = readLong(words, at + treeField.endedThreadsRuntime);
    }
    process.sumNs += readLong(words, at + treeField.runtime);
  }

  #drain(): void {
    this.#kernel.drain((words, at) => {
      if (words[at + treeField.tree] === this.#tree) this.#take(words, at);
    });
  }

  #take(words: Uint32Array, at: number): void {
    const tgid = words[at + treeField.tgid];
    if (words[at + treeField.event] === treeEvent.fork) {
      const parent = this.#processes.get(words[at + treeField.parent]);
      const program = parent?.program ?? this.#findProgram(unknownName);
      // The command's first program is its own process only.
      const own = program === this.#programs[0] ? this.#findProgram(program.name) : program;
      own.processes += 1;
      this.#add(tgid, own);
      return;
    }
    // Without a reported start the buffer was full; a process that is gone at its end was given up.
    const process = this.#processes.get(tgid);
    if (process === undefined) return;
    if (words[at + treeField.event] === treeEvent.execution) this.#execute(process, words, at);
    else this.#end(process, words, at);
  }

  #add(tgid: number, program: Program): Process {
    const seen = { seenIn: this.#pass, goneAtMs: undefined };
    const process = { program, chargedNs: 0, endedThreadsNs: 0, sumNs: 0, ...seen };
    this.#processes.set(tgid, process);
    return process;
  }

  #execute(process: Process, words: Uint32Array, at: number): void {
    const usedNs =
      readLong(words, at + treeField.runtime) + readLong(words, at + treeField.endedThreadsRuntime);
    const name = readName(words, at + treeField.name);
    if (process === this.#held) {
      this.#held = undefined;
      process.chargedNs = usedNs;
      process.program.name = name;
      return;
    }
    charge(process, usedNs);
    process.program.processes -= 1;
    process.program = this.#findProgram(name);
    process.program.processes += 1;
  }

  #end(process: Process, words: Uint32Array, at: number): void {
    const tgid = words[at + treeField.tgid];
    process.endedThreadsNs += readLong(words, at + treeField.runtime);
    if (words[at + treeField.tid] !== tgid) return;
    // The kernel's sum has all threads, but lacks the last slice of each; the report of a thread may come too
    // late.
    charge(process, Math.max(process.endedThreadsNs, readLong(words, at + treeField.endedThreadsRuntime)));
    this.#processes.delete(tgid);
  }

  #findProgram(name: string): Program {
    const wanted = this.#byName.has(name) || this.#byName.size < maxPrograms ? name : othersName;
    const known = this.#byName.get(wanted);
    if (known !== undefined) return known;
    const program = { name: wanted, cpuNs: 0, processes: 0 };
    this.#byName.set(wanted, program);
    this.#programs.push(program);
    return program;
  }
}

/** Whether its end should have been reported by now, if that takes at most a time. */
function isOverdue(process: Process, nowMs: number, maxMs: number): boolean {
  process.goneAtMs ??= nowMs;
  return nowMs - process.goneAtMs > maxMs;
}

function charge(process: Process, usedNs: number): void {
  if (usedNs <= process.chargedNs) return;
  process.program.cpuNs += usedNs - process.chargedNs;
  process.chargedNs = usedNs;
}

function readName(words: Uint32Array, at: number): string {
  const bytes = Buffer.from(words.buffer, words.byteOffset + at * 4, nameWords * 4);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

function ignore(): void {}
