import { nameWords, nanosecondsPerSecond, taskField, taskRecordWords } from './task-record.js';

/** What a row is: nothing, a process that lives, one whose death is awaited, or one whose CPU time is final. */
export const rowState = { free: 0, alive: 1, ending: 2, dead: 3 } as const;

/**
 * Processes as rows of numbers: 10,000 of them are objects of 6 MB otherwise, which each full collection goes through. A
 * row that is removed is used again.
 */
export class ProcessRows {
  /** How many rows there are, free ones among them. */
  size = 0;
  /** By row: `rowState`. */
  states = new Uint8Array(0);
  /** By row: the last pass that met the process. */
  seenIn = new Uint32Array(0);
  /** By row: whole seconds of CPU time. */
  seconds = new Uint32Array(0);
  /** By row: what the CPU time has beyond them. */
  nanoseconds = new Uint32Array(0);
  /** By row: grows whenever name, user or cgroup is another one. */
  revisions = new Uint32Array(0);
  /** By row: 1 where the caller knows the process; one that died before it was asked for is brief. */
  found = new Uint8Array(0);
  /** By row: CLOCK_BOOTTIME of the first pass that did not meet it any more. */
  goneSinceNs = new Float64Array(0);
  /** By row: the row that came behind it in the last pass. */
  successors = new Uint32Array(0);
  /** The last record of each process' leader: `taskRecordWords` for each row. */
  records = new Uint32Array(0);
  /** By row: CPU time of all threads in this pass, in whole seconds and nanoseconds, which may be more than a second. */
  #sumSeconds = new Float64Array(0);
  #sumNanoseconds = new Float64Array(0);
  readonly #free: number[] = [];
  /** By row and package: CPU nanoseconds, of the living threads in this pass, and of those that have ended. */
  packageNs = new Float64Array(0);
  packageSums = new Float64Array(0);
  #packageEnded = new Float64Array(0);
  readonly #packages: number;

  /** @param packages how many there are; 0: it is not known on which of them processes ran */
  constructor(packages = 0) {
    this.#packages = packages;
  }

  /** Takes up the process of a record. */
  add(words: Uint32Array, at: number): number {
    const row = this.#free.pop() ?? this.size++;
    if (row >= this.states.length) this.#grow(Math.max(64, 2 * this.states.length));
    this.states[row] = rowState.alive;
    this.successors[row] = row;
    for (const column of [this.seenIn, this.seconds, this.nanoseconds, this.revisions, this.found])
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

  /** Birth after boot, in nanoseconds. */
  startOf(row: number): number {
    return readTime(this.records, row * taskRecordWords + taskField.start);
  }

  /** A pass meets a process: what is added up follows. */
  meet(row: number, pass: number, seconds: number, nanoseconds: number): void {
    this.seenIn[row] = pass;
    this.#sumSeconds[row] = seconds;
    this.#sumNanoseconds[row] = nanoseconds;
    this.packageSums.fill(0, row * this.#packages, (row + 1) * this.#packages);
  }

  /** Adds CPU time of a thread. */
  use(row: number, seconds: number, nanoseconds: number): void {
    this.#sumSeconds[row] += seconds;
    this.#sumNanoseconds[row] += nanoseconds;
  }

  /** Takes over what was added up. */
  settle(row: number): void {
    const nanoseconds = this.#sumNanoseconds[row];
    const carried = Math.floor(nanoseconds / nanosecondsPerSecond);
    this.raise(row, this.#sumSeconds[row] + carried, nanoseconds - carried * nanosecondsPerSecond);
    for (let at = row * this.#packages; at < (row + 1) * this.#packages; at++) {
      this.packageNs[at] = Math.max(this.packageNs[at], this.packageSums[at] + this.#packageEnded[at]);
    }
  }

  /** Takes what a thread that has ended ran on each package. @param isLast whether the process ends with it */
  endThread(row: number, packageNs: Float64Array, isLast: boolean): void {
    for (let i = 0; i < this.#packages; i++) {
      const at = row * this.#packages + i;
      this.#packageEnded[at] += packageNs[i];
      if (isLast) this.packageNs[at] = Math.max(this.packageNs[at], this.#packageEnded[at]);
    }
  }

  /** Of two readings that overlap a thread's end the later one can lack it. */
  raise(row: number, seconds: number, nanoseconds: number): void {
    const before = this.seconds[row];
    if (seconds < before || (seconds === before && nanoseconds <= this.nanoseconds[row])) return;
    this.seconds[row] = seconds;
    this.nanoseconds[row] = nanoseconds;
  }

  /** Notes the record of a leader. */
  note(row: number, words: Uint32Array, at: number): void {
    const { records } = this;
    const from = row * taskRecordWords;
    records[from + taskField.state] = words[at + taskField.state];
    records[from + taskField.exitState] = words[at + taskField.exitState];
    let isSame = records[from + taskField.user] === words[at + taskField.user];
    isSame &&= records[from + taskField.controllerV1] === words[at + taskField.controllerV1];
    for (let field = taskField.cgroup; field < taskField.name + nameWords; field++) {
      isSame &&= records[from + field] === words[at + field];
    }
    if (isSame) return;
    this.revisions[row] += 1;
    this.#copyRecord(row, words, at);
  }

  /** Notes what a leader does: `TASK_` and `EXIT_` flags, which have bits of their own. */
  noteState(row: number, state: number): void {
    const from = row * taskRecordWords;
    this.records[from + taskField.state] = state;
    this.records[from + taskField.exitState] = 0;
  }

  /** Whether a row is that of a process, by its number in the machine's first pid namespace. */
  has(row: number, tgid: number): boolean {
    return (
      this.records[row * taskRecordWords + taskField.tgid] === tgid && this.states[row] !== rowState.free
    );
  }

  /** Whether a record is of this process, and not of another one with its number: leaders are asked only. */
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
    this.found = enlarge(this.found, new Uint8Array(rows));
    this.seenIn = enlarge(this.seenIn, new Uint32Array(rows));
    this.seconds = enlarge(this.seconds, new Uint32Array(rows));
    this.nanoseconds = enlarge(this.nanoseconds, new Uint32Array(rows));
    this.successors = enlarge(this.successors, new Uint32Array(rows));
    this.revisions = enlarge(this.revisions, new Uint32Array(rows));
    this.records = enlarge(this.records, new Uint32Array(rows * taskRecordWords));
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
