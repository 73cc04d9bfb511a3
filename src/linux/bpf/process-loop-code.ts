import { Assembler, type Register } from './assembler.js';
import type { TypeFacts } from './kernel-types.js';
import { appendDetails, type DetailOffsets } from './process-details.js';
import {
  findLayout,
  header,
  memory,
  placeShift,
  processRecordWords,
  runField,
  runWords,
  type LoopLayout,
} from './process-loop-layout.js';
import { requireFunction } from './task-loop.js';
import {
  castToUntrusted,
  findStateField,
  getCurrentTask,
  nanosecondsPerSecond,
  recordRegister,
  taskField,
  TaskRecordCode,
  taskRecordWords,
  taskRegister,
} from './task-record.js';

/** struct bpf_iter_task, the state of the loop, at the end of the stack; below it, other variables. */
const stack = { loop: -24, process: -32, next: -40 } as const;
/** BPF_TASK_ITER_ALL_THREADS */
const allThreads = 1;

const scratch: Register = 2;
const other: Register = 3;
const base: Register = 6;
const remembered: Register = 8;
const stackEnd: Register = 10;

/** What the program reads. */
interface CodeOptions {
  /** Capacity in processes. */
  readonly room: number;
  readonly refreshEvery: number;
  /** Undefined: no details. */
  readonly details: DetailOffsets | undefined;
}

/**
 * Assembles the program. It iterates over threads, and completes a process when the first thread of the next
 * one follows.
 */
export class ProcessLoopCode {
  readonly #code = new Assembler();
  readonly #types: TypeFacts;
  readonly #map: number;
  readonly #room: number;
  readonly #refreshEvery: number;
  readonly #details: DetailOffsets | undefined;
  readonly #layout: LoopLayout;

  constructor(types: TypeFacts, map: number, { room, refreshEvery, details }: CodeOptions) {
    this.#types = types;
    this.#map = map;
    this.#room = room;
    this.#refreshEvery = refreshEvery;
    this.#details = details;
    this.#layout = findLayout(room);
  }

  assemble(): Assembler {
    this.#begin();
    this.#takeThread();
    this.#finishProcess();
    this.#startProcess();
    this.#code.label('full').set(scratch, 1).store(base, header.isFull, scratch);
    this.#code.label('end').move(1, stackEnd).compute(1, 'add', stack.loop);
    this.#call('bpf_iter_task_destroy');
    this.#call('bpf_rcu_read_unlock');
    return this.#code.return();
  }

  #begin(): void {
    const code = this.#code;
    this.#call('bpf_rcu_read_lock').loadMapValue(base, this.#map, 0).set(scratch, 0);
    for (const field of ['processes', 'runs', 'recordBytes', 'isFull'] as const) {
      code.store(base, header[field], scratch);
    }
    code.store(base, header.tgid, scratch).store(stackEnd, stack.process, scratch);
    code.call(getCurrentTask).load(scratch, 0, this.#offset('thread_pid'));
    code.load(scratch, scratch, this.#types.findOffset('pid', 'level'), 4);
    code.store(base, header.readerLevel, scratch);
    code.move(1, stackEnd).compute(1, 'add', stack.loop).set(2, 0).set(3, allThreads);
    this.#call('bpf_iter_task_new');
  }

  /** Adds the CPU time of a thread of the same process; r7 is the first thread of another one, or 0 after the last. */
  #takeThread(): void {
    const code = this.#code;
    code.label('next').move(1, stackEnd).compute(1, 'add', stack.loop);
    this.#call('bpf_iter_task_next').jumpIf(0, 'equal', 0, 'last').move(taskRegister, 0);
    castToUntrusted(code, this.#types, taskRegister, 'task_struct');
    // The first ones are the idle tasks of the CPUs. A leader is not recognized by its id, which changes when
    // another thread executes a program.
    code.load(scratch, taskRegister, this.#offset('tgid'), 4).jumpIf(scratch, 'equal', 0, 'next');
    code.load(other, base, header.tgid).jumpIfDifferent(scratch, other, 'finish');
    code.load(scratch, taskRegister, this.#offset('se.sum_exec_runtime'));
    code.load(other, base, header.cpuTime).add(scratch, other).store(base, header.cpuTime, scratch);
    code.jump('next');
  }

  /** The time of ended threads is read first, so that a thread that ends meanwhile is not counted twice. */
  #startProcess(): void {
    const code = this.#code;
    code.label('start').load(taskRegister, stackEnd, stack.next).jumpIf(taskRegister, 'equal', 0, 'end');
    code.store(stackEnd, stack.process, taskRegister);
    code.load(scratch, taskRegister, this.#offset('signal'));
    code.load(scratch, scratch, this.#types.findOffset('signal_struct', 'sum_sched_runtime'));
    code.load(other, taskRegister, this.#offset('se.sum_exec_runtime')).add(scratch, other);
    code.store(base, header.cpuTime, scratch);
    code.load(scratch, taskRegister, this.#offset('tgid'), 4).store(base, header.tgid, scratch);
    code.jump('next');
  }

  #finishProcess(): void {
    const code = this.#code;
    code.label('last').set(taskRegister, 0).label('finish').store(stackEnd, stack.next, taskRegister);
    code.load(taskRegister, stackEnd, stack.process).jumpIf(taskRegister, 'equal', 0, 'start');
    this.#listProcess();
    this.#findMemory();
    this.#compare();
    code.label('run');
    this.#remember('state', 'cpuTime');
    this.#addRun();
    code.jump('start').label('whole');
    this.#rememberIdentity();
    this.#remember('state', 'cpuTime');
    this.#addRecord();
    code.jump('start');
  }

  #listProcess(): void {
    const code = this.#code;
    code.load(scratch, base, header.processes).jumpIf(scratch, 'above', this.#room - 1, 'full');
    code.move(other, scratch).compute(other, 'shiftLeft', 2);
    code.loadMapValue(1, this.#map, header.bytes).add(1, other);
    code.load(other, base, header.tgid).store(1, 0, other, 4);
    code.compute(scratch, 'add', 1).store(base, header.processes, scratch);
  }

  #findMemory(): void {
    const { memories, memoryCount } = this.#layout;
    const code = this.#code;
    code.load(other, base, header.tgid).compute(other, 'and', memoryCount / 2 - 1);
    code.compute(other, 'shiftLeft', placeShift);
    code.loadMapValue(remembered, this.#map, memories).add(remembered, other);
    // The two sets of flags do not overlap.
    code.load(scratch, taskRegister, this.#offset(findStateField(this.#types)), 4);
    code.load(other, taskRegister, this.#offset('exit_state'), 4).add(scratch, other);
    code.store(base, header.state, scratch);
    this.#loadKey().load(other, remembered, memory.key).jumpIfSame(scratch, other, 'known');
    code.compute(remembered, 'add', memory.bytes);
    code.load(other, remembered, memory.key).jumpIfSame(scratch, other, 'known');
    code.compute(remembered, 'add', -memory.bytes);
    for (let at = 0; at < memory.bytes; at += 8) {
      code.load(scratch, remembered, at).store(remembered, memory.bytes + at, scratch);
    }
    code.jump('whole').label('known');
  }

  #compare(): void {
    const code = this.#code;
    for (const [field, at] of this.#identity()) {
      code.load(scratch, taskRegister, field).load(other, remembered, at);
      code.jumpIfDifferent(scratch, other, 'whole');
    }
    code.load(scratch, base, header.pass).load(other, base, header.tgid).add(scratch, other);
    code.compute(scratch, 'modulo', this.#refreshEvery).jumpIf(scratch, 'equal', 0, 'whole');
    for (const field of ['state', 'cpuTime'] as const) {
      code.load(scratch, base, header[field]).load(other, remembered, memory[field]);
      if (field === 'state') code.jumpIfDifferent(scratch, other, 'run');
      else code.jumpIfSame(scratch, other, 'start');
    }
  }

  /** Fields of a task that are constant for one program, user and cgroup; and where they are remembered. */
  #identity(): readonly (readonly [field: number, at: number])[] {
    return [
      [this.#offset('start_boottime'), memory.start],
      [this.#offset('cgroups'), memory.cgroups],
      [this.#offset('cred'), memory.credentials],
      [this.#offset('comm'), memory.name],
      [this.#offset('comm') + 8, memory.name + 8],
    ];
  }

  #rememberIdentity(): void {
    this.#loadKey().store(remembered, memory.key, scratch);
    for (const [field, at] of this.#identity()) {
      this.#code.load(scratch, taskRegister, field).store(remembered, at, scratch);
    }
  }

  /** r2 = the id of the process with the generation above it. */
  #loadKey(): Assembler {
    const code = this.#code;
    return code.load(scratch, base, header.generation).load(other, base, header.tgid).add(scratch, other);
  }

  #remember(...fields: readonly ('state' | 'cpuTime')[]): void {
    for (const field of fields) {
      this.#code.load(scratch, base, header[field]).store(remembered, memory[field], scratch);
    }
  }

  #addRun(): void {
    const code = this.#code;
    code.load(scratch, base, header.runs).jumpIf(scratch, 'above', this.#room - 1, 'full');
    code.move(other, scratch).compute(other, 'shiftLeft', Math.log2(4 * runWords));
    code.loadMapValue(recordRegister, this.#map, this.#layout.runs).add(recordRegister, other);
    code.compute(scratch, 'add', 1).store(base, header.runs, scratch);
    this.#storePlace(runField.place);
    code.load(scratch, base, header.state).store(recordRegister, 4 * runField.state, scratch, 4);
    this.#storeCpuTime(runField.seconds);
    this.#addDetails(runField.details);
  }

  #addRecord(): void {
    const code = this.#code;
    const bytes = 4 * processRecordWords;
    const last = (this.#room - 1) * bytes;
    code.load(scratch, base, header.recordBytes).jumpIf(scratch, 'above', last, 'full');
    code.loadMapValue(recordRegister, this.#map, this.#layout.records).add(recordRegister, scratch);
    code.compute(scratch, 'add', bytes).store(base, header.recordBytes, scratch);
    new TaskRecordCode(code, this.#types).copyCommonFields();
    code.load(scratch, base, header.tgid).store(recordRegister, 4 * taskField.localTgid, scratch, 4);
    code.set(scratch, 0).store(recordRegister, 4 * taskField.endedThreadsRuntime, scratch);
    this.#storeCpuTime(taskField.runtime);
    this.#storePlace(taskField.place);
    this.#addDetails(taskRecordWords);
  }

  #addDetails(field: number): void {
    if (this.#details !== undefined) appendDetails(this.#code, this.#details, 4 * field);
  }

  /** The index of the process that was listed last. */
  #storePlace(field: number): void {
    const code = this.#code;
    code.load(scratch, base, header.processes).compute(scratch, 'add', -1);
    code.store(recordRegister, 4 * field, scratch, 4);
  }

  #storeCpuTime(field: number): void {
    const code = this.#code;
    code.load(scratch, base, header.cpuTime).move(other, scratch);
    code.compute(scratch, 'divide', nanosecondsPerSecond).store(recordRegister, 4 * field, scratch, 4);
    code.compute(other, 'modulo', nanosecondsPerSecond).store(recordRegister, 4 * field + 4, other, 4);
  }

  #offset(path: string): number {
    return this.#types.findOffset('task_struct', path);
  }

  #call(wanted: string): Assembler {
    return this.#code.callKernel(requireFunction(this.#types, wanted));
  }
}
