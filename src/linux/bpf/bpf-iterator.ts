import { closeSync, readSync } from 'node:fs';
import type { Assembler } from './assembler.js';
import { attachIterator, closeAll, loadProgram, openIteration } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';

/** The kernel fills at most this much in one read: 8 pages. */
const growth = 1 << 18;

/** A program that the kernel runs for every task of this pid namespace, and the output of its last pass. */
export class BpfIterator {
  /** The output of the last pass; a new array after it had to grow. */
  words: Uint32Array = new Uint32Array(growth / 4);
  readonly #name: string;
  readonly #fds: number[];
  readonly #link: number;
  #bytes = Buffer.from(this.words.buffer);

  /**
   * @param name at most 15 characters
   * @throws BpfError
   */
  static async open(types: TypeFacts, name: string, code: Assembler): Promise<BpfIterator> {
    const attachTo = types.findId('bpf_iter_task', 'function');
    const fd = await loadProgram({ name, kind: 'iterator', attachTo, code });
    try {
      return new BpfIterator(name, [fd, attachIterator(name, fd)]);
    } catch (error) {
      closeAll([fd]);
      throw error;
    }
  }

  private constructor(name: string, [program, link]: readonly [program: number, link: number]) {
    this.#name = name;
    this.#fds = [program, link];
    this.#link = link;
  }

  /**
   * Runs the program for every task; its output is in `words`.
   * @returns the number of words
   * @throws BpfError or the error of read(2)
   */
  read(): number {
    const fd = openIteration(this.#name, this.#link);
    try {
      let length = 0;
      for (;;) {
        const bytes = readSync(fd, this.#bytes, length, this.#bytes.length - length, null);
        if (bytes === 0) return length / 4;
        length += bytes;
        if (this.#bytes.length - length < growth / 2) this.#grow();
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Releases the program. May be called again. */
  close(): void {
    closeAll(this.#fds);
  }

  #grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    this.#bytes = Buffer.from(words.buffer);
  }
}
