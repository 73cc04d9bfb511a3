import { decodeDetails, detailCount } from './process-details.js';
import { nameWords, nanosecondsPerSecond, taskField, taskRecordWords } from './task-record.js';

/** State of a row: free, a live process, one whose end is not reported yet, or one with a final CPU time. */
export const rowState = { free: 0, alive: 1, ending: 2, dead: 3 } as const;

/**
 * Processes as rows of numbers: 10,000 objects would take 6 MB, which each full collection traverses. Removed
 * rows are reused.
 */
export class ProcessRows {
  /** Number of rows, including free ones. */
  size = 0;
  /** By row: `rowState`. */
  states = new Uint8Array(0);
  /** By row: the last pass in which the process was found. A pass every 10 ms exceeds 32 bits after 497 days. */
  seenIn = new Float64Array(0);
  /** By row: whole seconds of CPU time. */
  seconds = new Uint32Array(0);
  /** By row: CPU time beyond whole seconds. */
  nanoseconds = new Uint32Array(0);
  /** By row: increases whenever name, user or cgroup change. */
  revisions = new Uint32Array(0);
  /** By row: 1 if the caller follows the process; one that ended before that is brief. */
  claimed = new Uint8Array(0);
  /** By row: the pass that added the process, and the first one without it. */
  addedIn = new Float64Array(0);
  goneIn = new Float64Array(0);
  /** By row: CLOCK_BOOTTIME of the first pass without the process. */
  goneSinceNs = new Float64Array(0);
  /** By row: the next row in the last pass. */
  successors = new Uint32Array(0);
  /** The last record of each process' leader: `taskRecordWords` per row. */
  records = new Uint32Array(0);
  /** `detailCount` per row: `detail`, if the pass reads them. */
  details = new Float64Array(0);
  /** By row: CPU time of all threads in this pass, in seconds and nanoseconds; the latter may exceed a second. */
  #sumSeconds = new Float64Array(0);
  #sumNanoseconds = new Float64Array(0);
  readonly #free: number[] = [];
  /** By row and package: CPU nanoseconds of the live threads in this pass, and of ended threads. */
  packageNs = new Float64Array(0);
  packageSums = new Float64Array(0);
  #packageEnded = new Float64Array(0);
  readonly #packages: number;

  /** @param packages number of packages; 0: not measured per package */
  constructor(packages = 0) {
    this.#packages = packages;
  }

  /** Adds the process of a record. */
  add(words: Uint32Array, at: number): number {
    const row = this.#free.pop() ?? this.size++;
    if (row >= this.states.length) this.#grow(Math.max(64, 2 * this.states.length));
    this.states[row] = rowState.alive;
    this.successors[row] = row;
    for (const column of [this.seenIn, this.seconds, this.nanoseconds, this.revisions, this.claimed])
      column[row] = 0;
    for (const column of [this.packageNs, this.packageSums, this.#packageEnded]) {
      column.fill(0, row * this.#packages, (row + 1) * this.#packages);
    }
    this.#copyRecord(row, words, at);
    return row;
  }

  remove(row: number): void {
    this.states[row] = rowState.free;
    this.#free.push(row);
  }

  /** A word of the last record of its leader: `taskField`. */
  wordOf(row: number, field: number): number {
    return this.records[row * taskRecordWords + field];
  }

  /** Start after boot, in nanoseconds. */
  startOf(row: number): number {
    return readTime(this.records, row * taskRecordWords + taskField.start);
  }

  /** A pass has found a process: resets its sums. */
  meet(row: number, pass: number, seconds: number, nanoseconds: number): void {
    this.seenIn[row] = pass;
    this.#sumSeconds[row] = seconds;
    this.#sumNanoseconds[row] = nanoseconds;
    this.packageSums.fill(0, row * this.#packages, (row + 1) * this.#packages);
  }

  /** Adds the CPU time of a thread. */
  use(row: number, seconds: number, nanoseconds: number): void {
    this.#sumSeconds[row] += seconds;
    this.#sumNanoseconds[row] += nanoseconds;
  }

  /** Applies the sums of the pass. @returns whether the CPU time has increased */
  settle(row: number): boolean {
    const nanoseconds = this.#sumNanoseconds[row];
    const carried = Math.floor(nanoseconds / nanosecondsPerSecond);
    const rest = nanoseconds - carried * nanosecondsPerSecond;
    let hasRun = this.raise(row, this.#sumSeconds[row] + carried, rest);
    for (let at = row * this.#packages; at < (row + 1) * this.#packages; at++) {
      const ns = this.packageSums[at] + this.#packageEnded[at];
      if (ns <= this.packageNs[at]) continue;
      this.packageNs[at] = ns;
      hasRun = true;
    }
    return hasRun;
  }

  /** Adds the time of an ended thread on each package. @param isLast whether the process ends with it */
  endThread(row: number, packageNs: Float64Array, isLast: boolean): void {
    for (let i = 0; i < this.#packages; i++) {
      const at = row * this.#packages + i;
      this.#packageEnded[at] += packageNs[i];
      if (isLast) this.packageNs[at] = Math.max(this.packageNs[at], this.#packageEnded[at]);
    }
  }

  /** If a thread ends between two reads, the later one may lack its time. @returns whether it is more than before */
  raise(row: number, seconds: number, nanoseconds: number): boolean {
    const before = this.seconds[row];
    if (seconds < before || (seconds === before && nanoseconds <= this.nanoseconds[row])) return false;
    this.seconds[row] = seconds;
    this.nanoseconds[row] = nanoseconds;
    return true;
  }

  /** Stores the record of a leader. @returns whether its state, name, user or cgroup has changed */
  note(row: number, words: Uint32Array, at: number): boolean {
    const { records } = this;
    const from = row * taskRecordWords;
    const isSameState =
      records[from + taskField.state] === words[at + taskField.state] &&
      records[from + taskField.exitState] === words[at + taskField.exitState];
    records[from + taskField.state] = words[at + taskField.state];
    records[from + taskField.exitState] = words[at + taskField.exitState];
    let isSame = records[from + taskField.user] === words[at + taskField.user];
    isSame &&= records[from + taskField.controllerV1] === words[at + taskField.controllerV1];
    for (let field = taskField.cgroup; field < taskField.name + nameWords; field++) {
      isSame &&= records[from + field] === words[at + field];
    }
    if (isSame) return !isSameState;
    this.revisions[row] += 1;
    this.#copyRecord(row, words, at);
    return true;
  }

  /** Stores the state of a leader: `TASK_` and `EXIT_` flags, which do not overlap. */
  noteState(row: number, state: number): void {
    const from = row * taskRecordWords;
    this.records[from + taskField.state] = state;
    this.records[from + taskField.exitState] = 0;
  }

  /** Stores the details of a process, which begin at a word of a list. */
  noteDetails(row: number, words: Uint32Array, at: number): void {
    decodeDetails(words, at, this.details, row);
  }

  /** Whether a row is that of a process, by its id in the initial pid namespace. */
  has(row: number, tgid: number): boolean {
    return (
      this.records[row * taskRecordWords + taskField.tgid] === tgid && this.states[row] !== rowState.free
    );
  }

  /** Whether a record belongs to this process, not to another one with its id: call it for leaders only. */
  isOf(row: number, words: Uint32Array, at: number): boolean {
    const start = row * taskRecordWords + taskField.start;
    return (
      this.records[start] === words[at + taskField.start] &&
      this.records[start + 1] === words[at + taskField.start + 1]
    );
  }

  #copyRecord(row: number, words: Uint32Array, at: number): void {
    const from = row * taskRecordWords;
    for (let word = 0; word < taskRecordWords; word++) this.records[from + word] = words[at + word];
  }

  #grow(rows: number): void {
    this.states = enlarge(this.states, new Uint8Array(rows));
    this.claimed = enlarge(this.claimed, new Uint8Array(rows));
    this.addedIn = enlarge(this.addedIn, new Float64Array(rows));
    this.goneIn = enlarge(this.goneIn, new Float64Array(rows));
    this.seenIn = enlarge(this.seenIn, new Float64Array(rows));
    this.seconds = enlarge(this.seconds, new Uint32Array(rows));
    this.nanoseconds = enlarge(this.nanoseconds, new Uint32Array(rows));
    this.successors = enlarge(this.successors, new Uint32Array(rows));
    this.revisions = enlarge(this.revisions, new Uint32Array(rows));
    this.records = enlarge(this.records, new Uint32Array(rows * taskRecordWords));
    this.details = enlarge(this.details, new Float64Array(rows * detailCount));
    this.goneSinceNs = enlarge(this.goneSinceNs, new Float64Array(rows));
    this.#sumSeconds = enlarge(this.#sumSeconds, new Float64Array(rows));
    this.#sumNanoseconds = enlarge(this.#sumNanoseconds, new Float64Array(rows));
    this.packageNs = enlarge(this.packageNs, new Float64Array(rows * this.#packages));
    this.packageSums = enlarge(this.packageSums, new Float64Array(rows * this.#packages));
    this.#packageEnded = enlarge(this.#packageEnded, new Float64Array(rows * this.#packages));
  }
}

function enlarge<Column extends Uint8Array | Uint32Array | Float64Array>(
  column: Column,
  larger: Column,
): Column {
  larger.set(column);
  return larger;
}

/** A time in a record, in nanoseconds: exact up to 2^53. */
export function readTime(words: Uint32Array, at: number): number {
  return words[at] * nanosecondsPerSecond + words[at + 1];
}
