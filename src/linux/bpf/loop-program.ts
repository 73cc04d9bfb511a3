import type { Assembler } from './assembler.js';
import {
  callProgram,
  closeAll,
  createMap,
  loadProgram,
  loadProgramSync,
  mapMemory,
  type BpfProgram,
} from './bpf.js';

/** A program that writes into memory, and the memory that it needs. */
export interface LoopCode {
  /** At most 15 characters. */
  readonly name: string;
  /** Bytes of memory for a number of tasks; only a part of it may be mapped into this process. */
  measure(room: number): { readonly bytes: number; readonly mappedBytes: number };
  /** The program for a map of one value, which is the memory. */
  assemble(map: number, room: number): Assembler;
}

/** A program that this process calls, and memory that it shares with it, which can grow. */
export class LoopProgram {
  /** Replaced by `grow`. */
  memory = new ArrayBuffer(0);
  /** Capacity in tasks. */
  room: number;
  readonly #code: LoopCode;
  readonly #fds: number[] = [];
  #program = -1;
  #unmap = (): void => {};

  /** @throws BpfError, or Error when the kernel's types lack a field */
  static async open(code: LoopCode, room: number): Promise<LoopProgram> {
    const loop = new LoopProgram(code, room);
    try {
      loop.#note(await loadProgram(loop.#prepare()));
      return loop;
    } catch (error) {
      loop.close();
      throw error;
    }
  }

  private constructor(code: LoopCode, room: number) {
    this.#code = code;
    this.room = room;
  }

  /** Runs the program once. @throws BpfError */
  call(): void {
    callProgram(this.#code.name, this.#program);
  }

  /**
   * Doubles the capacity; the new memory is empty. The old memory is kept until the new program works: the
   * kernel may refuse it.
   */
  grow(): void {
    const larger = new LoopProgram(this.#code, 2 * this.room);
    try {
      larger.#note(loadProgramSync(larger.#prepare()));
    } catch (error) {
      larger.close();
      throw error;
    }
    this.close();
    this.room = larger.room;
    this.#fds.push(...larger.#fds);
    this.#unmap = larger.#unmap;
    this.#program = larger.#program;
    this.memory = larger.memory;
  }

  /** Releases the program and the memory. May be called again. */
  close(): void {
    this.memory = new ArrayBuffer(0);
    this.#unmap();
    this.#unmap = () => {};
    closeAll(this.#fds);
  }

  #prepare(): BpfProgram {
    const { name } = this.#code;
    const { bytes, mappedBytes } = this.#code.measure(this.room);
    const map = createMap('array', name, { entries: 1, valueBytes: bytes });
    this.#fds.push(map);
    const mapped = mapMemory(map, 'readWrite', mappedBytes);
    this.#unmap = mapped.unmap;
    this.memory = mapped.memory;
    return { name, kind: 'call', code: this.#code.assemble(map, this.room) };
  }

  #note(program: number): void {
    this.#program = program;
    this.#fds.push(program);
  }
}
