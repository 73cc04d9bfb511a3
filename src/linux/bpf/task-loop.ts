import { findText } from '../sysfs.js';
import { Assembler, type Register } from './assembler.js';
import { BpfError } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import { LoopProgram } from './loop-program.js';
import { copyPackages, recordBytes, type PackageMaps } from './package-record.js';
import {
  castToUntrusted,
  getCurrentTask,
  recordRegister,
  taskField,
  TaskRecordCode,
  taskRegister,
} from './task-record.js';

const name = 'joule_loop';
/**
 * Offsets in the header in front of the records, in bytes: length of the records, whether there were more, the
 * reader's level.
 */
const header = { length: 0, isFull: 8, readerLevel: 16, bytes: 64 } as const;
/** struct bpf_iter_task, the state of the loop, at the end of the stack. */
const loopAt = -24;
/** Offset of a task's address, below that. */
const keyAt = loopAt - 8;
/** BPF_TASK_ITER_ALL_THREADS */
const allThreads = 1;

const scratch: Register = 2;
const memory: Register = 6;
const length: Register = 8;
const stackEnd: Register = 10;

/**
 * Reads every thread of the machine in one call, into memory that this process shares with the kernel. It costs
 * a third as much as an iterator, which takes a reference to each task and copies its records; but it needs
 * kernel functions that exist since Linux 6.7 only, and does not support pid namespaces.
 */
export class TaskLoop {
  /** The records of the last pass, of `recordBytes` each; a new array after it had to grow. */
  words = new Uint32Array(0);
  readonly #program: LoopProgram;
  #header = new DataView(new ArrayBuffer(header.bytes));

  /**
   * @param packages if set, time is recorded per package
   * @param room capacity in records: initially a quarter more than there are threads
   * @throws BpfError, ENOSYS if the kernel lacks the functions; Error when its types lack a field
   */
  static async open(types: TypeFacts, packages?: PackageMaps, room = estimateRoom()): Promise<TaskLoop> {
    const bytes = recordBytes(packages);
    const measure = (records: number) => ({
      bytes: header.bytes + records * bytes,
      mappedBytes: header.bytes + records * bytes,
    });
    const assembleFor = (map: number, records: number) => assemble(types, { map, records, packages });
    return new TaskLoop(await LoopProgram.open({ name, measure, assemble: assembleFor }, room));
  }

  private constructor(program: LoopProgram) {
    this.#program = program;
    this.#view();
  }

  /** Depth of this process's pid namespace at the last pass: 0 is the initial one. */
  get readerLevel(): number {
    return this.#header.getUint32(header.readerLevel, true);
  }

  /**
   * Reads all tasks into `words`.
   * @returns the number of words
   * @throws BpfError
   */
  read(): number {
    for (;;) {
      this.#program.call();
      if (this.#header.getUint32(header.isFull, true) === 0) {
        return this.#header.getUint32(header.length, true) / 4;
      }
      this.#program.grow();
      this.#view();
    }
  }

  /** Releases the program and the memory. May be called again. */
  close(): void {
    this.words = new Uint32Array(0);
    this.#header = new DataView(new ArrayBuffer(header.bytes));
    this.#program.close();
  }

  #view(): void {
    const { memory: shared } = this.#program;
    this.#header = new DataView(shared, 0, header.bytes);
    this.words = new Uint32Array(shared, header.bytes);
  }
}

/** A quarter more than all threads of the machine, according to proc_loadavg(5). */
export function estimateRoom(): number {
  const [, threads] = /\/(\d+)/.exec(findText('/proc/loadavg') ?? '') ?? [];
  return Math.ceil(Number(threads ?? 1000) * 1.25);
}

interface LoopMemory {
  readonly map: number;
  readonly records: number;
  readonly packages: PackageMaps | undefined;
}

function assemble(types: TypeFacts, loop: LoopMemory): Assembler {
  const code = new Assembler();
  const call = (wanted: string): Assembler => code.callKernel(requireFunction(types, wanted));
  call('bpf_rcu_read_lock').loadMapValue(memory, loop.map, 0);
  code.set(scratch, 0).store(memory, header.length, scratch).store(memory, header.isFull, scratch);
  code.call(getCurrentTask).load(scratch, 0, types.findOffset('task_struct', 'thread_pid'));
  code.load(scratch, scratch, types.findOffset('pid', 'level'), 4);
  code.store(memory, header.readerLevel, scratch);
  code.move(1, stackEnd).compute(1, 'add', loopAt).set(2, 0).set(3, allThreads);
  call('bpf_iter_task_new').label('next').move(1, stackEnd).compute(1, 'add', loopAt);
  call('bpf_iter_task_next').jumpIf(0, 'equal', 0, 'end').move(taskRegister, 0);
  castToUntrusted(code, types, taskRegister, 'task_struct');
  // The first ones are the idle tasks of the CPUs.
  code.load(scratch, taskRegister, types.findOffset('task_struct', 'pid'), 4);
  code.jumpIf(scratch, 'equal', 0, 'next');
  addRecord(code, types, loop);
  code.jump('next').label('full').set(scratch, 1).store(memory, header.isFull, scratch);
  code.label('end').move(1, stackEnd).compute(1, 'add', loopAt);
  call('bpf_iter_task_destroy');
  call('bpf_rcu_read_unlock');
  return code.return();
}

/** The length is in memory, not in a register, so that the verifier treats all iterations alike. */
function addRecord(code: Assembler, types: TypeFacts, { records, packages }: LoopMemory): void {
  const bytes = recordBytes(packages);
  code.load(length, memory, header.length);
  code.jumpIf(length, 'above', (records - 1) * bytes, 'full');
  code.move(recordRegister, memory).compute(recordRegister, 'add', header.bytes);
  code.add(recordRegister, length);
  new TaskRecordCode(code, types).copyCommonFields();
  code.load(scratch, recordRegister, taskField.tgid * 4, 4);
  code.store(recordRegister, taskField.localTgid * 4, scratch, 4);
  if (packages) copyPackages(code, types, { maps: packages, keyAt });
  code.load(length, memory, header.length).compute(length, 'add', bytes);
  code.store(memory, header.length, length);
}

export function requireFunction(types: TypeFacts, wanted: string): number {
  const id = types.findId(wanted, 'function');
  if (id > 0) return id;
  throw new BpfError(
    `Cannot read all tasks in a loop: expected "${wanted}" in this kernel, found none`,
    'ENOSYS',
  );
}
