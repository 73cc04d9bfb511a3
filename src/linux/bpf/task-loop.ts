import { findText } from '../sysfs.js';
import { Assembler, type Register } from './assembler.js';
import {
  BpfError,
  callProgram,
  closeAll,
  createMap,
  loadProgram,
  loadProgramSync,
  mapMemory,
  type BpfProgram,
} from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import { copyPackages, recordBytes, type PackageMaps } from './package-record.js';
import {
  distrust,
  getCurrentTask,
  recordRegister,
  taskField,
  TaskRecordCode,
  taskRegister,
} from './task-record.js';

const name = 'joule_loop';
/** Where what lies in front of the records, in bytes: how long they are, whether there were more, the reader's level. */
const header = { length: 0, isFull: 8, readerLevel: 16, bytes: 64 } as const;
/** struct bpf_iter_task, which says where the loop is, at the end of the stack. */
const loopAt = -24;
/** Where the address of a task is, below that. */
const keyAt = loopAt - 8;
/** BPF_TASK_ITER_ALL_THREADS */
const allThreads = 1;

const scratch: Register = 2;
const memory: Register = 6;
const length: Register = 8;
const stackEnd: Register = 10;

/**
 * Reads every thread of the machine in one call, into memory that this process shares with the kernel. It costs a
 * third of an iterator, which takes a reference of each task and has its records copied; but it needs functions that
 * programs can call since Linux 6.7 only, and does not know pid namespaces.
 */
export class TaskLoop {
  /** The records of the last pass, of `recordBytes` each; another array when it had to grow. */
  words = new Uint32Array(0);
  readonly #types: TypeFacts;
  readonly #packages: PackageMaps | undefined;
  readonly #fds: number[] = [];
  #records: number;
  #header = new DataView(new ArrayBuffer(header.bytes));
  #program = -1;
  #unmap = (): void => {};

  /**
   * @param packages where it is to be known on which packages threads ran
   * @param records for how many there is room at first: for a quarter more than there are threads
   * @throws BpfError, ENOSYS where the kernel has no such functions; Error when its types lack a field
   */
  static async open(
    types: TypeFacts,
    packages?: PackageMaps,
    records = Math.ceil(countThreads() * 1.25),
  ): Promise<TaskLoop> {
    const loop = new TaskLoop(types, packages, records);
    try {
      loop.#note(await loadProgram(loop.#assemble(loop.#createMemory())));
      return loop;
    } catch (error) {
      loop.close();
      throw error;
    }
  }

  private constructor(types: TypeFacts, packages: PackageMaps | undefined, records: number) {
    this.#types = types;
    this.#packages = packages;
    this.#records = records;
  }

  /** How deep the pid namespace is that this process was in at the last pass: 0 is the machine's. */
  get readerLevel(): number {
    return this.#header.getUint32(header.readerLevel, true);
  }

  /**
   * Reads all tasks into `words`.
   * @returns how many words they are
   * @throws BpfError
   */
  read(): number {
    for (;;) {
      callProgram(name, this.#program);
      if (this.#header.getUint32(header.isFull, true) === 0) {
        return this.#header.getUint32(header.length, true) / 4;
      }
      this.#grow(2 * this.#records);
    }
  }

  /** Releases the program and the memory. Safe to call again. */
  close(): void {
    this.words = new Uint32Array(0);
    this.#header = new DataView(new ArrayBuffer(header.bytes));
    this.#unmap();
    this.#unmap = () => {};
    closeAll(this.#fds);
  }

  /** What is there goes once the larger one works: it may be refused for now. */
  #grow(records: number): void {
    const larger = new TaskLoop(this.#types, this.#packages, records);
    try {
      larger.#note(loadProgramSync(larger.#assemble(larger.#createMemory())));
    } catch (error) {
      larger.close();
      throw error;
    }
    this.close();
    this.#records = records;
    this.#fds.push(...larger.#fds);
    this.#unmap = larger.#unmap;
    this.#program = larger.#program;
    this.#header = larger.#header;
    this.words = larger.words;
  }

  /** @returns the map's descriptor */
  #createMemory(): number {
    const valueBytes = header.bytes + this.#records * recordBytes(this.#packages);
    const fd = createMap('array', name, { entries: 1, valueBytes });
    this.#fds.push(fd);
    const mapped = mapMemory(fd, 'read', valueBytes);
    this.#unmap = mapped.unmap;
    this.#header = new DataView(mapped.memory, 0, header.bytes);
    this.words = new Uint32Array(
      mapped.memory,
      header.bytes,
      (this.#records * recordBytes(this.#packages)) / 4,
    );
    return fd;
  }

  #assemble(map: number): BpfProgram {
    return {
      name,
      kind: 'call',
      code: assemble(this.#types, { map, records: this.#records, packages: this.#packages }),
    };
  }

  #note(program: number): void {
    this.#program = program;
    this.#fds.push(program);
  }
}

/** All threads of the machine, as proc_loadavg(5) has them. */
function countThreads(): number {
  const [, threads] = /\/(\d+)/.exec(findText('/proc/loadavg') ?? '') ?? [];
  return Number(threads ?? 1000);
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
  distrust(code, types, taskRegister, 'task_struct');
  // The first is the idle task of a CPU.
  code.load(scratch, taskRegister, types.findOffset('task_struct', 'pid'), 4);
  code.jumpIf(scratch, 'equal', 0, 'next');
  addRecord(code, types, loop);
  code.jump('next').label('full').set(scratch, 1).store(memory, header.isFull, scratch);
  code.label('end').move(1, stackEnd).compute(1, 'add', loopAt);
  call('bpf_iter_task_destroy');
  call('bpf_rcu_read_unlock');
  return code.return();
}

/** The length is in memory, not in a register, so that the verifier takes each round of the loop for the same. */
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

function requireFunction(types: TypeFacts, wanted: string): number {
  const id = types.findId(wanted, 'function');
  if (id > 0) return id;
  throw new BpfError(
    `Cannot read all tasks in a loop: expected "${wanted}" in this kernel, found none`,
    'ENOSYS',
  );
}
