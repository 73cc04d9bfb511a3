import { elementAt } from '../../element.js';
import { Assembler } from './assembler.js';
import { BpfError } from './bpf.js';
import { BpfIterator } from './bpf-iterator.js';
import type { TypeFacts } from './kernel-types.js';
import { TaskLoop } from './task-loop.js';
import {
  recordRegister,
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
  readonly #source: TaskLoop | BpfIterator;

  /** @throws BpfError, or Error when the kernel's types lack a field */
  static async open(types: TypeFacts): Promise<TaskIterator> {
    const loop = await TaskLoop.open(types).catch((error: unknown) => {
      if (!(error instanceof BpfError)) throw error;
    });
    if (loop === undefined) return TaskIterator.openIterator(types);
    readOrClose(loop);
    const level = loop.readerLevel;
    if (level === 0) return new TaskIterator(loop, level);
    loop.close();
    return TaskIterator.openIterator(types, level);
  }

  /**
   * Reads by an iterator, which any kernel has.
   * @param level how deep the reader's pid namespace is, where that is known
   */
  static async openIterator(types: TypeFacts, level = 0): Promise<TaskIterator> {
    const code = assemble(types, Math.min(level, maxLevel));
    const iterator = new TaskIterator(await BpfIterator.open(types, name, code), level);
    readOrClose(iterator);
    const found = elementAt(iterator.words, taskField.readerLevel);
    if (found === level) return iterator;
    iterator.close();
    return TaskIterator.openIterator(types, found);
  }

  private constructor(source: TaskLoop | BpfIterator, level: number) {
    this.#source = source;
    this.isInFirstNamespace = level === 0;
  }

  /** The records of the last pass, one behind another, of `taskRecordWords` each; another array when it had to grow. */
  get words(): Uint32Array {
    return this.#source.words;
  }

  /**
   * Reads all tasks into `words`.
   * @returns the number of tasks
   * @throws BpfError or the error of read(2)
   */
  read(): number {
    return this.#source.read() / taskRecordWords;
  }

  /** Releases the program. Safe to call again. */
  close(): void {
    this.#source.close();
  }
}

/** The first pass: where it fails, nothing stays open. */
function readOrClose(source: TaskLoop | TaskIterator): void {
  try {
    source.read();
  } catch (error) {
    source.close();
    throw error;
  }
}

/** iter/task: the context holds where to write and, after the last one without any, the task. */
function assemble(types: TypeFacts, level: number): Assembler {
  const code = new Assembler();
  const record = new TaskRecordCode(code, types);
  code.load(6, 1, 0);
  record.takeTask(1);
  code.jumpIf(taskRegister, 'equal', 0, 'end');
  record.distrustTask().copyCommonFields().copyLocalIds(level);
  code.load(1, 6, 0).move(2, recordRegister).set(3, taskRecordBytes).call(seqWrite);
  return code.label('end').return();
}
