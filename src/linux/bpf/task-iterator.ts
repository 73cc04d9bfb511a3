import { elementAt } from '../../element.js';
import { Assembler } from './assembler.js';
import { BpfIterator } from './bpf-iterator.js';
import type { TypeFacts } from './kernel-types.js';
import {
  recordOffset,
  taskField,
  taskRecordBytes,
  TaskRecordCode,
  taskRecordWords,
  taskRegister,
} from './task-record.js';

const name = 'joule_tasks';
const seqWrite = 127;
/** Pid namespaces nest 32 deep. */
const maxLevel = 32;

/**
 * Reads every thread of this collector's pid namespace in one pass: CPU time, birth, cgroup, user, parent, name
 * (`taskField`). It costs nothing between two passes. Needs CAP_BPF and CAP_PERFMON.
 */
export class TaskIterator {
  /** Whether processes have the same numbers here as on the machine. */
  readonly isInFirstNamespace: boolean;
  readonly #iterator: BpfIterator;

  /** @throws BpfError, or Error when the kernel's types lack a field */
  static async open(types: TypeFacts): Promise<TaskIterator> {
    const iterator = await TaskIterator.#open(types, 0);
    iterator.read();
    const level = elementAt(iterator.words, taskField.readerLevel);
    if (level === 0) return iterator;
    iterator.close();
    return TaskIterator.#open(types, Math.min(level, maxLevel));
  }

  static async #open(types: TypeFacts, level: number): Promise<TaskIterator> {
    return new TaskIterator(await BpfIterator.open(types, name, assemble(types, level)), level);
  }

  private constructor(iterator: BpfIterator, level: number) {
    this.#iterator = iterator;
    this.isInFirstNamespace = level === 0;
  }

  /** The records of the last pass, one behind another, of `taskRecordWords` each; another array when it had to grow. */
  get words(): Uint32Array {
    return this.#iterator.words;
  }

  /**
   * Reads all tasks into `words`.
   * @returns the number of tasks
   * @throws BpfError or the error of read(2)
   */
  read(): number {
    return this.#iterator.read() / taskRecordWords;
  }

  /** Releases the program. Safe to call again. */
  close(): void {
    this.#iterator.close();
  }
}

/** iter/task: the context holds where to write and, after the last one without any, the task. */
function assemble(types: TypeFacts, level: number): Assembler {
  const code = new Assembler();
  const record = new TaskRecordCode(code, types);
  code.load(6, 1, 0);
  record.takeTask(1);
  code.jumpIf(taskRegister, 'equal', 0, 'end');
  record.copyCommonFields().copyLocalIds(level);
  code.load(1, 6, 0).move(2, 10).compute(2, 'add', recordOffset).set(3, taskRecordBytes).call(seqWrite);
  return code.label('end').return();
}
