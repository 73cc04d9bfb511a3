import { monotonicSinceOriginNs } from '../clocks.js';
import { addPackageTimes } from './package-record.js';
import { rowState } from './process-rows.js';
import type { ProcessTable } from './process-table.js';
import { countSinceTick, type SwitchSlots } from './switch-slots.js';
import type { TaskIterator } from './task-iterator.js';
import { taskField } from './task-record.js';

/** How often a pass is repeated that was interrupted. */
const maxTries = 4;

/** What reads all processes into a table. */
export interface Pass {
  /** Whether it notes which processes are no longer as they were: `ProcessTable.changed`. */
  readonly notesChanges: boolean;
  /** @returns the instant of the CPU times: CLOCK_MONOTONIC, in nanoseconds after `originSecond` */
  update(table: ProcessTable): number;
  close(): void;
}

/** Reads every thread, and adds up those of each process. */
export class ThreadPass implements Pass {
  readonly notesChanges = false;
  readonly #tasks: TaskIterator;
  readonly #slots: SwitchSlots | undefined;
  readonly #packages: number;
  #pass = 0;
  /** Of the record before. */
  #lastRow = 0;
  #shortestNs = Infinity;

  /**
   * @param slots where the CPU time of what runs is to be that of the instant of a pass; otherwise it is up to a tick old
   * @param packages how many are told apart; 0: none
   */
  constructor(tasks: TaskIterator, slots: SwitchSlots | undefined, packages: number) {
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
   * Reads all tasks, and with slots again where this thread had to wait: what ran meanwhile would be charged too early.
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
    // A leader comes before its other threads, unless thread numbers have begun at 1 again meanwhile.
    if (row === undefined || (isLeader && !rows.isOf(row, words, at))) row = table.add(words, at);
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
  #findRow(table: ProcessTable, tgid: number): number | undefined {
    const { rows } = table;
    if (rows.has(this.#lastRow, tgid)) return this.#lastRow;
    const next = rows.successors[this.#lastRow];
    return rows.has(next, tgid) ? next : table.findRow(tgid);
  }

  /** Takes over the sums of this pass, and finds out who was not in it. */
  #settle(table: ProcessTable): void {
    const { rows } = table;
    for (let row = 0; row < rows.size; row++) {
      if (rows.states[row] === rowState.free) continue;
      if (rows.seenIn[row] === this.#pass) rows.settle(row);
      else table.end(row);
    }
  }
}
