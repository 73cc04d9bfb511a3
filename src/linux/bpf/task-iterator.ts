import { elementAt } from '../../element.js';
import { Assembler } from './assembler.js';
import { BpfError } from './bpf.js';
import { BpfIterator } from './bpf-iterator.js';
import type { TypeFacts } from './kernel-types.js';
import { copyPackages, recordBytes, type PackageMaps } from './package-record.js';
import { TaskLoop } from './task-loop.js';
import { recordRegister, taskField, TaskRecordCode, taskRegister } from './task-record.js';

const name = 'joule_tasks';
const seqWrite = 127;
/** Pid namespaces nest 32 deep. */
const maxLevel = 32;

/**
 * Reads every thread of this collector's pid namespace in one pass: CPU time, start, cgroup, user, parent, name
 * (`taskField`). There is no cost between passes. Needs CAP_BPF and CAP_PERFMON.
 */
export class TaskIterator {
  /** Whether processes have the same ids here as in the initial pid namespace. */
  readonly isInFirstNamespace: boolean;
  /** Words per record. */
  readonly recordWords: number;
  readonly #source: TaskLoop | BpfIterator;

  /**
   * @param packages if set, records include the time on each package: `addPackageTimes`
   * @throws BpfError, or Error when the kernel's types lack a field
   */
  static async open(types: TypeFacts, packages?: PackageMaps): Promise<TaskIterator> {
    const loop = await TaskLoop.open(types, packages).catch((error: unknown) => {
      if (!(error instanceof BpfError)) throw error;
    });
    if (loop === undefined) return TaskIterator.openIterator(types, { packages });
    readOrClose(loop);
    const level = loop.readerLevel;
    if (level === 0) return new TaskIterator(loop, { level, packages });
    loop.close();
    return TaskIterator.openIterator(types, { level, packages });
  }

  /** Reads with an iterator, which all supported kernels have. */
  static async openIterator(types: TypeFacts, { level = 0, packages }: Reading = {}): Promise<TaskIterator> {
    const code = assemble(types, { level: Math.min(level, maxLevel), packages });
    const iterator = new TaskIterator(await BpfIterator.open(types, name, code), { level, packages });
    readOrClose(iterator);
    const found = elementAt(iterator.words, taskField.readerLevel);
    if (found === level) return iterator;
    iterator.close();
    return TaskIterator.openIterator(types, { level: found, packages });
  }

  private constructor(source: TaskLoop | BpfIterator, { level, packages }: Reading) {
    this.#source = source;
    this.recordWords = recordBytes(packages) / 4;
    this.isInFirstNamespace = level === 0;
  }

  /** The consecutive records of the last pass, of `recordWords` each; a new array after it had to grow. */
  get words(): Uint32Array {
    return this.#source.words;
  }

  /**
   * Reads all tasks into `words`.
   * @returns the number of tasks
   * @throws BpfError or the error of read(2)
   */
  read(): number {
    return this.#source.read() / this.recordWords;
  }

  /** Releases the program. May be called again. */
  close(): void {
    this.#source.close();
  }
}

/** What is read. */
interface Reading {
  /** Depth of the reader's pid namespace, if known. */
  readonly level?: number;
  readonly packages?: PackageMaps | undefined;
}

/** The first pass: closes the source if it fails. */
function readOrClose(source: TaskLoop | TaskIterator): void {
  try {
    source.read();
  } catch (error) {
    source.close();
    throw error;
  }
}

/** iter/task: the context holds the output and the task; after the last task, there is none. */
function assemble(types: TypeFacts, { level = 0, packages }: Reading): Assembler {
  const code = new Assembler();
  const record = new TaskRecordCode(code, types);
  const bytes = recordBytes(packages);
  code.load(6, 1, 0);
  record.takeTask(1, bytes);
  code.jumpIf(taskRegister, 'equal', 0, 'end');
  record.distrustTask().copyCommonFields().copyLocalIds(level);
  if (packages) copyPackages(code, types, { maps: packages, keyAt: -bytes - 8 });
  code.load(1, 6, 0).move(2, recordRegister).set(3, bytes).call(seqWrite);
  return code.label('end').return();
}
