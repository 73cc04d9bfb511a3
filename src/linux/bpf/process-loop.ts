import type { TypeFacts } from './kernel-types.js';
import { LoopProgram } from './loop-program.js';
import { findDetailOffsets } from './process-details.js';
import { ProcessLoopCode } from './process-loop-code.js';
import { findLayout, header, maxRefresh, runWords } from './process-loop-layout.js';
import { estimateRoom } from './task-loop.js';

const name = 'joule_processes';

/** How processes are read. */
export interface LoopOptions {
  readonly room?: number;
  readonly refreshEvery?: number;
}

/**
 * Reads every process of the machine in one call, into memory that this process shares with the kernel: the ids
 * of all; the CPU time of those that have run since the previous pass; and a complete record of those that are
 * new or have changed their name, user or cgroup. A sleeping process costs a third of a record in the kernel,
 * and almost nothing here.
 *
 * The slot of a process is given by the low bits of its id, and two processes fit in a slot: if three or more
 * share it, they have records in each pass. Like `TaskLoop`, it needs Linux 6.7 and does not support pid
 * namespaces.
 */
export class ProcessLoop {
  /** The ids of all processes in the last pass, in the kernel's order, in which new ones come last. */
  tgids = new Uint32Array(0);
  /** Those that have run since the previous pass, `runWords` each. */
  runs = new Uint32Array(0);
  /**
   * `processRecordWords` each: `taskField`, with the CPU time of all threads as `runtime`, and `place`; and
   * details.
   */
  records = new Uint32Array(0);
  /** Whether runs and records have details; otherwise these are 0. */
  readonly hasDetails: boolean;
  readonly #program: LoopProgram;
  readonly #refreshEvery: number;
  #header = new DataView(new ArrayBuffer(header.bytes));
  #generation = 1;
  #pass = 0;

  /**
   * @param options initial capacity in processes, and the number of passes in which each process has a record,
   * whether it has run or not: at most, and by default, 64
   * @throws BpfError, ENOSYS if the kernel lacks the functions; Error when its types lack a field
   */
  static async open(types: TypeFacts, options: LoopOptions = {}): Promise<ProcessLoop> {
    const { room = estimateRoom(), refreshEvery = maxRefresh } = options;
    const details = findDetailOffsets(types);
    const refresh = Math.min(refreshEvery, maxRefresh);
    const code = {
      name,
      measure: (processes: number) => findLayout(processes),
      assemble: (map: number, processes: number) =>
        new ProcessLoopCode(types, map, { room: processes, refreshEvery: refresh, details }).assemble(),
    };
    // Lists of 64-bit words start at even indexes.
    const program = await LoopProgram.open(code, 2 * Math.ceil(room / 2));
    return new ProcessLoop(program, refresh, details !== undefined);
  }

  private constructor(program: LoopProgram, refreshEvery: number, hasDetails: boolean) {
    this.#program = program;
    this.#refreshEvery = refreshEvery;
    this.hasDetails = hasDetails;
    this.#view();
  }

  /** Depth of this process's pid namespace at the last pass: 0 is the initial one. */
  get readerLevel(): number {
    return this.#header.getUint32(header.readerLevel, true);
  }

  /** Number of processes in the last pass. */
  get count(): number {
    return this.#header.getUint32(header.processes, true);
  }

  /** Number of entries in `runs`. */
  get runCount(): number {
    return this.#header.getUint32(header.runs, true);
  }

  /** Number of words that the last pass wrote to `records`. */
  get recordLength(): number {
    return this.#header.getUint32(header.recordBytes, true) / 4;
  }

  /** Makes the next pass return a complete record of every process. */
  forget(): void {
    this.#generation += 1;
  }

  /** Reads all processes. @throws BpfError */
  read(): void {
    this.#pass = (this.#pass + 1) % this.#refreshEvery;
    for (;;) {
      this.#header.setUint32(header.generation + 4, this.#generation, true);
      this.#header.setUint32(header.pass, this.#pass, true);
      this.#program.call();
      if (this.#header.getUint32(header.isFull, true) === 0) return;
      // If growing fails, the output is discarded and must be complete next time.
      this.forget();
      this.#program.grow();
      this.#view();
    }
  }

  /** Releases the program and the memory. May be called again. */
  close(): void {
    for (const list of ['tgids', 'runs', 'records'] as const) this[list] = new Uint32Array(0);
    this.#header = new DataView(new ArrayBuffer(header.bytes));
    this.#program.close();
  }

  #view(): void {
    const { memory: shared, room } = this.#program;
    const { runs, records, mappedBytes } = findLayout(room);
    this.#header = new DataView(shared, 0, header.bytes);
    this.tgids = new Uint32Array(shared, header.bytes, room);
    this.runs = new Uint32Array(shared, runs, room * runWords);
    this.records = new Uint32Array(shared, records, (mappedBytes - records) / 4);
  }
}
