import { closeSync, readSync } from 'node:fs';
import { elementAt } from '../../element.js';
import { Assembler } from './assembler.js';
import { attachIterator, closeAll, loadProgram, openIteration } from './bpf.js';
import type { KernelTypes } from './kernel-types.js';
import { recordOffset, taskField, taskRecordBytes, TaskRecordCode, taskRegister } from './task-record.js';

const name = 'joule_tasks';
const seqWrite = 127;
/** The kernel fills at most as much in one read: 8 pages. */
const growth = 1 << 18;
/** Pid namespaces nest 32 deep. */
const maxLevel = 32;

/**
 * Reads every thread of this collector's pid namespace in one pass: CPU time, birth, cgroup, user, parent, name
 * (`taskField`). It costs nothing between two passes. Needs CAP_BPF and CAP_PERFMON.
 */
export class TaskIterator {
  /** The records of the last pass, one behind another, of `taskRecordWords` each. */
  words: Uint32Array = new Uint32Array(growth / 4);
  /** Whether processes have the same numbers here as on the machine. */
  readonly isInFirstNamespace: boolean;
  readonly #fds: number[];
  readonly #link: number;
  #bytes = Buffer.from(this.words.buffer);

  /** @throws BpfError, or Error when the kernel's types lack a field */
  static async open(types: KernelTypes): Promise<TaskIterator> {
    const iterator = await TaskIterator.#open(types, 0);
    iterator.read();
    const level = elementAt(iterator.words, taskField.readerLevel);
    if (level === 0) return iterator;
    iterator.close();
    return TaskIterator.#open(types, Math.min(level, maxLevel));
  }

  static async #open(types: KernelTypes, level: number): Promise<TaskIterator> {
    const attachTo = types.findId('bpf_iter_task', 'function');
    const fd = await loadProgram({ name, attachType: 'iterator', attachTo, code: assemble(types, level) });
    try {
      return new TaskIterator([fd, attachIterator(name, fd)], level);
    } catch (error) {
      closeAll([fd]);
      throw error;
    }
  }

  private constructor([program, link]: readonly [program: number, link: number], level: number) {
    this.#fds = [program, link];
    this.#link = link;
    this.isInFirstNamespace = level === 0;
  }

  /**
   * Reads all tasks into `words`, which is another array when it had to grow.
   * @returns the number of tasks
   * @throws BpfError or the error of read(2)
   */
  read(): number {
    const fd = openIteration(name, this.#link);
    try {
      let length = 0;
      for (;;) {
        const bytes = readSync(fd, this.#bytes, length, this.#bytes.length - length, null);
        if (bytes === 0) return length / taskRecordBytes;
        length += bytes;
        if (this.#bytes.length - length < growth / 2) this.#grow();
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Releases the program. Safe to call again. */
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

/** iter/task: the context holds where to write and, after the last one without any, the task. */
function assemble(types: KernelTypes, level: number): Assembler {
  const code = new Assembler();
  const record = new TaskRecordCode(code, types);
  code.load(6, 1, 0);
  record.takeTask(1);
  code.jumpIf(taskRegister, 'equal', 0, 'end');
  record.copyCommonFields().copyLocalIds(level);
  code.load(1, 6, 0).move(2, 10).compute(2, 'add', recordOffset).set(3, taskRecordBytes).call(seqWrite);
  return code.label('end').return();
}
