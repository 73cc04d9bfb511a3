import { monotonicSinceOriginNs } from '../clocks.js';
import { addPackageTimes } from './package-record.js';
import { rowState } from './process-rows.js';
import type { ProcessTable } from './process-table.js';
import { countSinceTick, type SwitchSlots } from './switch-slots.js';
import type { TaskIterator } from './task-iterator.js';
import { taskField } from './task-record.js';

/** Maximum attempts at a pass that is interrupted. */
const maxTries = 4;

/** Reads all processes into a table. */
export interface Pass {
  /** Whether it reads memory and threads: `ProcessRows.details`. */
  readonly hasDetails: boolean;
  /** @returns the instant of the CPU times: CLOCK_MONOTONIC, in nanoseconds after `originSecond` */
  update(table: ProcessTable): number;
  close(): void;
}

/** The threads of a pass: `TaskIterator`. */
export type TaskList = Pick<TaskIterator, 'words' | 'recordWords' | 'read' | 'close'>;

/** Reads every thread, and sums up those of each process. */
export class ThreadPass implements Pass {
  readonly hasDetails = false;
  readonly #tasks: TaskList;
  readonly #slots: SwitchSlots | undefined;
  readonly #packages: number;
  #pass = 0;
  /** Row of the previous record. */
  #lastRow = 0;
  #shortestNs = Infinity;

  /**
   * @param slots if set, the CPU time of running threads is that at the instant of the pass; otherwise it is up
   * to a tick old
   * @param packages number of packages that are distinguished; 0: none
   */
  constructor(tasks: TaskList, slots: SwitchSlots | undefined, packages: number) {
    this.#tasks = tasks;
    this.#slots = slots;
    this.#packages = packages;
  }

  update(table: ProcessTable): number {
    this.#pass += 1;
    const [count, atNs] = this.#read();
    const { words, recordWords } = this.#tasks;
    for (let at = 0; at < count * recordWords; at += recordWords) this.#addTask(table, words, at);
    this.#settle(table);
    return atNs;
  }

  close(): void {
    this.#tasks.close();
    this.#slots?.close();
  }

  /**
   * Reads all tasks. With slots it reads again if this thread was preempted: CPU time used meanwhile would be
   * counted too early.
   * @returns the number of tasks
   */
  #read(): readonly [count: number, atNs: number] {
    for (let tries = 1; ; tries++) {
      const beganNs = monotonicSinceOriginNs();
      const slotsNs = this.#slots?.read();
      const count = this.#tasks.read();
      const tookNs = monotonicSinceOriginNs() - beganNs;
      const atNs = slotsNs ?? beganNs + tookNs / 2;
      this.#shortestNs = Math.min(this.#shortestNs, tookNs);
      if (slotsNs === undefined || tookNs < 2 * this.#shortestNs || tries === maxTries) return [count, atNs];
    }
  }

  #addTask(table: ProcessTable, words: Uint32Array, at: number): void {
    const { rows } = table;
    const tgid = words[at + taskField.tgid];
    const isLeader = words[at + taskField.tid] === tgid;
    let row = this.#findRow(table, tgid);
    // A leader precedes its other threads, unless thread ids have wrapped around meanwhile.
    if (row === undefined || (isLeader && !rows.isOf(row, words, at))) row = table.add(words, at);
    rows.successors[this.#lastRow] = row;
    this.#lastRow = row;
    if (rows.seenIn[row] !== this.#pass) {
      const ended = at + taskField.endedThreadsRuntime;
      rows.meet(row, this.#pass, words[ended], words[ended + 1]);
    }
    if (isLeader && rows.note(row, words, at)) table.noteChange(row);
    rows.use(row, words[at + taskField.runtime], words[at + taskField.runtime + 1]);
    const sinceNs = this.#slots === undefined ? 0 : countSinceTick(this.#slots, words, at);
    if (this.#slots !== undefined) rows.use(row, 0, sinceNs);
    const count = this.#packages;
    if (count > 0) addPackageTimes({ words, at, count }, rows.packageSums, [row * count, sinceNs]);
  }

  /**
   * The kernel iterates over tasks in the same order each time: the row is mostly the previous one or its
   * successor.
   */
  #findRow(table: ProcessTable, tgid: number): number | undefined {
    const { rows } = table;
    if (rows.has(this.#lastRow, tgid)) return this.#lastRow;
    const next = rows.successors[this.#lastRow];
    return rows.has(next, tgid) ? next : table.findRow(tgid);
  }

  /** Applies the sums of this pass, and finds the processes that are missing in it. */
  #settle(table: ProcessTable): void {
    const { rows } = table;
    for (let row = 0; row < rows.size; row++) {
      if (rows.states[row] === rowState.free) continue;
      if (rows.seenIn[row] !== this.#pass) table.end(row);
      else if (rows.settle(row)) table.noteChange(row);
    }
  }
}
