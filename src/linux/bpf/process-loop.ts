import type { TypeFacts } from './kernel-types.js';
import { LoopProgram } from './loop-program.js';
import { findLayout, header, ProcessLoopCode, refreshEvery, runWords } from './process-loop-code.js';
import { estimateRoom } from './task-loop.js';

const name = 'joule_processes';

/**
 * Reads every process of the machine in one call, into memory that this process shares with the kernel: of all, only their
 * numbers; the CPU time of those that have run since the pass before; and a whole record of those that are new or that have
 * changed their name, user or cgroup. What sleeps costs a third of a record in the kernel, and next to nothing here.
 *
 * What it remembers of a process lies where the low bits of its number say, two at a place: where three or more share one,
 * they have records in each pass.
 * Like `TaskLoop`, it needs Linux 6.7 and does not know pid namespaces.
 */
export class ProcessLoop {
  /** The numbers of all processes of the last pass, in the kernel's order, to which new ones come last. */
  tgids = new Uint32Array(0);
  /** Those that have run since the pass before, `runWords` each. */
  runs = new Uint32Array(0);
  /** `taskField`, with the CPU time of all threads as `runtime`, and `place`. */
  records = new Uint32Array(0);
  readonly #program: LoopProgram;
  #header = new DataView(new ArrayBuffer(header.bytes));
  #generation = 1;
  #pass = 0;

  /**
   * @param room for how many processes at first
   * @throws BpfError, ENOSYS where the kernel has no such functions; Error when its types lack a field
   */
  static async open(types: TypeFacts, room = estimateRoom()): Promise<ProcessLoop> {
    const code = {
      name,
      measure: (processes: number) => findLayout(processes),
      assemble: (map: number, processes: number) => new ProcessLoopCode(types, map, processes).assemble(),
    };
    // Lists of 64-bit words begin at even places.
    return new ProcessLoop(await LoopProgram.open(code, 2 * Math.ceil(room / 2)));
  }

  private constructor(program: LoopProgram) {
    this.#program = program;
    this.#view();
  }

  /** How deep the pid namespace is that this process was in at the last pass: 0 is the machine's. */
  get readerLevel(): number {
    return this.#header.getUint32(header.readerLevel, true);
  }

  /** How many processes the last pass met. */
  get count(): number {
    return this.#header.getUint32(header.processes, true);
  }

  /** How many entries `runs` has. */
  get runCount(): number {
    return this.#header.getUint32(header.runs, true);
  }

  /** How many words of `records` the last pass wrote. */
  get recordLength(): number {
    return this.#header.getUint32(header.recordBytes, true) / 4;
  }

  /** The next pass has a whole record of every process. */
  forget(): void {
    this.#generation += 1;
  }

  /** Reads all processes. @throws BpfError */
  read(): void {
    this.#pass = (this.#pass + 1) % refreshEvery;
    for (;;) {
      this.#header.setUint32(header.generation + 4, this.#generation, true);
      this.#header.setUint32(header.pass, this.#pass, true);
      this.#program.call();
      if (this.#header.getUint32(header.isFull, true) === 0) return;
      // What was written is not taken, should there be no more memory.
      this.forget();
      this.#program.grow();
      this.#view();
    }
  }

  /** Releases the program and the memory. Safe to call again. */
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
