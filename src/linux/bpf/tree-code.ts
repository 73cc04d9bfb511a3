import { Assembler, type Register } from './assembler.js';
import type { TypeFacts } from './kernel-types.js';
import { castToUntrusted } from './task-record.js';

/** Offsets of the fields of a record, in words of 32 bits. Times are two words, low word first: nanoseconds. */
export const treeField = {
  /** The event: `treeEvent`. 0 in a pass over live threads. */
  event: 0,
  /** The id of the tree: that of `mark`. */
  tree: 1,
  /** The process, in the initial pid namespace. */
  tgid: 2,
  /** The thread. */
  tid: 3,
  /** CPU time of this thread; while it runs, up to a tick old. */
  runtime: 4,
  /** CPU time of threads of this process that have ended. */
  endedThreadsRuntime: 6,
  /** For a fork: the parent process. */
  parent: 8,
  /** For an execution: the base name of the program's file, 64 bytes terminated by a 0. */
  name: 10,
} as const;

/** The events of records. */
export const treeEvent = { fork: 1, execution: 2, end: 3 } as const;

/** Words of a record in a pass. */
export const livingRecordWords = 10;
export const nameWords = 16;
const livingBytes = livingRecordWords * 4;
const recordBytes = livingBytes + nameWords * 4;

// Offsets on the stack, from its end.
const recordAt = -recordBytes;
const keyAt = recordAt - 8;
const valueAt = keyAt - 8;
/** Offsets in the value of the control map, in bytes. */
export const control = { since: 0, tree: 8, lost: 16, bytes: 24 } as const;

const helper = {
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  currentProcess: 14,
  readString: 115,
  seqWrite: 127,
  ringBufferOutput: 130,
} as const;

const context: Register = 1;
const scratch: Register = 2;
const other: Register = 3;
const task: Register = 7;
const stackEnd: Register = 10;

/** Descriptors of the maps that the programs share. */
export interface TreeMaps {
  readonly members: number;
  readonly control: number;
  readonly ring: number;
}

/** Assembles the programs of `TreePrograms`. */
export class TreeCode {
  readonly #types: TypeFacts;
  readonly #maps: TreeMaps;

  constructor(types: TypeFacts, maps: TreeMaps) {
    this.#types = types;
    this.#maps = maps;
  }

  /** tp_btf/sched_process_fork (parent, child), before the child runs. */
  assembleFork(): Assembler {
    const code = new Assembler();
    code.load(6, context, 0).load(task, context, 8);
    castToUntrusted(code, this.#types, 6, 'task_struct');
    castToUntrusted(code, this.#types, task, 'task_struct');
    // A new thread belongs to the same process.
    code.load(scratch, 6, this.#of('tgid'), 4).load(other, task, this.#of('tgid'), 4);
    code.jumpIfSame(scratch, other, 'end');
    this.#startRecord(code, treeEvent.fork);
    // The previous end may not have been reported, and its address is reused.
    this.#setKey(code, task);
    this.#delete(code);
    this.#findTree(code, 6);
    this.#setKey(code, task);
    code.store(stackEnd, valueAt, 8);
    this.#update(code);
    code.jumpIf(0, 'notEqual', 0, 'lost');
    code.load(scratch, 6, this.#of('tgid'), 4);
    this.#store(code, treeField.parent, 4);
    this.#copyTask(code);
    return this.#report(code, recordBytes - nameWords * 4);
  }

  /** tp_btf/sched_process_exec (task, old pid, binary). */
  assembleExecution(): Assembler {
    const code = new Assembler();
    code.load(task, context, 0).load(6, context, 16);
    castToUntrusted(code, this.#types, task, 'task_struct');
    castToUntrusted(code, this.#types, 6, 'linux_binprm');
    this.#startRecord(code, treeEvent.execution);
    this.#findTree(code, task);
    this.#copyTask(code);
    this.#copyRuntimes(code);
    // For a script it is the interpreter, as in /proc/PID/exe.
    code.load(other, 6, this.#types.findOffset('linux_binprm', 'file'));
    code.load(other, other, this.#types.findOffset('file', 'f_path.dentry'));
    code.load(other, other, this.#types.findOffset('dentry', 'd_name.name'));
    code.move(1, stackEnd).compute(1, 'add', recordAt + treeField.name * 4);
    code.set(2, nameWords * 4).call(helper.readString);
    return this.#report(code, recordBytes);
  }

  /** tp_btf/sched_process_free (task). */
  assembleEnd(): Assembler {
    const code = new Assembler();
    code.load(task, context, 0);
    castToUntrusted(code, this.#types, task, 'task_struct');
    this.#startRecord(code, treeEvent.end);
    this.#findTree(code, task);
    this.#copyTask(code);
    this.#copyRuntimes(code);
    code.load(scratch, task, this.#of('pid'), 4).load(other, task, this.#of('tgid'), 4);
    code.jumpIfDifferent(scratch, other, 'report');
    this.#delete(code);
    code.label('report');
    return this.#report(code, livingBytes);
  }

  /** iter/task: the context holds the output and the task; after the last task, there is none. */
  assembleLiving(): Assembler {
    const code = new Assembler();
    code.load(6, context, 0).load(task, context, 8).jumpIf(task, 'equal', 0, 'end');
    code.load(6, 6, 0);
    castToUntrusted(code, this.#types, task, 'task_struct');
    this.#startRecord(code, 0);
    this.#markIfAsked(code);
    this.#findTree(code, task);
    this.#copyTask(code);
    this.#copyRuntimes(code);
    code.move(1, 6).move(2, stackEnd).compute(2, 'add', recordAt).set(3, livingBytes).call(helper.seqWrite);
    return code.label('end').return();
  }

  /** Adds the task to the map, if it is a process that the reader has created since the requested instant. */
  #markIfAsked(code: Assembler): void {
    code.loadMapValue(9, this.#maps.control, 0).load(8, 9, control.since).jumpIf(8, 'equal', 0, 'known');
    code.load(scratch, task, this.#of('start_boottime')).jumpIfAtMost(scratch, 8, 'known');
    code.load(scratch, task, this.#of('pid'), 4).load(other, task, this.#of('tgid'), 4);
    code.jumpIfDifferent(scratch, other, 'known');
    code.call(helper.currentProcess).compute(0, 'shiftRight', 32);
    code.load(scratch, task, this.#of('real_parent')).load(scratch, scratch, this.#of('tgid'), 4);
    code.jumpIfDifferent(0, scratch, 'known');
    this.#setKey(code, task);
    code.load(scratch, 9, control.tree).store(stackEnd, valueAt, scratch);
    this.#update(code);
    code.label('known');
  }

  #startRecord(code: Assembler, event: number): void {
    code.set(scratch, 0);
    for (let offset = 0; offset < recordBytes; offset += 8) code.store(stackEnd, recordAt + offset, scratch);
    code.set(scratch, event);
    this.#store(code, treeField.event, 4);
  }

  /** Loads the tree of the task in `of` into r8 and into the record; without a tree the program ends. */
  #findTree(code: Assembler, of: Register): void {
    this.#setKey(code, of);
    code.loadMap(1, this.#maps.members).move(2, stackEnd).compute(2, 'add', keyAt).call(helper.mapLookup);
    code.jumpIf(0, 'equal', 0, 'end').load(8, 0, 0).move(scratch, 8);
    this.#store(code, treeField.tree, 4);
  }

  #setKey(code: Assembler, of: Register): void {
    code.load(scratch, of, this.#of('signal')).store(stackEnd, keyAt, scratch);
  }

  #update(code: Assembler): void {
    code.loadMap(1, this.#maps.members).move(2, stackEnd).compute(2, 'add', keyAt);
    code.move(3, stackEnd).compute(3, 'add', valueAt).set(4, 0).call(helper.mapUpdate);
  }

  #delete(code: Assembler): void {
    code.loadMap(1, this.#maps.members).move(2, stackEnd).compute(2, 'add', keyAt).call(helper.mapDelete);
  }

  #copyTask(code: Assembler): void {
    code.load(scratch, task, this.#of('tgid'), 4);
    this.#store(code, treeField.tgid, 4);
    code.load(scratch, task, this.#of('pid'), 4);
    this.#store(code, treeField.tid, 4);
  }

  #copyRuntimes(code: Assembler): void {
    code.load(scratch, task, this.#of('se.sum_exec_runtime'));
    this.#store(code, treeField.runtime, 8);
    code.load(scratch, task, this.#of('signal'));
    code.load(scratch, scratch, this.#types.findOffset('signal_struct', 'sum_sched_runtime'));
    this.#store(code, treeField.endedThreadsRuntime, 8);
  }

  /** Sends the record, or counts it if the buffer is full. */
  #report(code: Assembler, bytes: number): Assembler {
    code.loadMap(1, this.#maps.ring).move(2, stackEnd).compute(2, 'add', recordAt).set(3, bytes).set(4, 0);
    code.call(helper.ringBufferOutput).jumpIf(0, 'equal', 0, 'end');
    code.label('lost').loadMapValue(1, this.#maps.control, control.lost).set(2, 1).addAtomically(1, 0, 2);
    return code.label('end').return();
  }

  #store(code: Assembler, field: number, size: 4 | 8): void {
    code.store(stackEnd, recordAt + field * 4, scratch, size);
  }

  #of(path: string): number {
    return this.#types.findOffset('task_struct', path);
  }
}
