import { readRegularText } from '../regular-file.js';
import type { Assembler, Register } from './assembler.js';
import type { TypeFacts } from './kernel-types.js';

export const nanosecondsPerSecond = 1_000_000_000;

/** Bytes of a record, and words of 32 bits. */
export const taskRecordBytes = 96;
export const taskRecordWords = taskRecordBytes / 4;

/**
 * Offsets of the fields of a record, in words. Times are whole seconds and, in the next word, nanoseconds, so
 * that they are exact; cgroup ids are two words, low word first.
 */
export const taskField = {
  /** The process, in the initial pid namespace. */
  tgid: 0,
  /** The thread; the leader of a process has the same id. */
  tid: 1,
  /** CPU time of this thread; while it runs, up to a tick old. */
  runtime: 2,
  /** Start of this thread, after boot (CLOCK_BOOTTIME). */
  start: 4,
  /** CPU time of ended threads of this process. */
  endedThreadsRuntime: 6,
  /** The cgroup of the unified hierarchy (v2): the inode of its folder. */
  cgroup: 8,
  /** The deepest cgroup of version 1, 0 if none is below its root. */
  cgroupV1: 10,
  /** 16 bytes, terminated by a 0. */
  name: 12,
  /** The parent process, in the initial pid namespace. */
  parent: 16,
  /** The real user, in the initial user namespace. */
  user: 17,
  /** A sum of `PF_` flags of include/linux/sched.h. */
  flags: 18,
  /** The process in this collector's pid namespace; 0 for ended threads. */
  localTgid: 19,
  /** Depth of the reader's pid namespace: 0 is the initial one. Iterator only. */
  readerLevel: 20,
  /** `ProcessLoop` only: the index of the process. */
  place: 20,
  /** The controller of `cgroupV1`, within which its id is unique: its `cgroup_subsys_id` + 1. */
  controllerV1: 21,
  /** A sum of `TASK_` flags of include/linux/sched.h; 0: running or runnable. */
  state: 22,
  /** `EXIT_` flags, after its end. */
  exitState: 23,
} as const;

/** Words of a name. */
export const nameWords = 4;

/** In `flags`: a kernel thread. */
export const kernelThreadFlag = 0x20_0000;

/** bpf_get_current_task_btf */
export const getCurrentTask = 158;

const context: Register = 1;
/** The task; preserved throughout a program. */
export const taskRegister: Register = 7;
const scratch: Register = 2;
const pointer: Register = 3;
const deepest: Register = 8;
/** The address of the record. */
export const recordRegister: Register = 9;

type Field = readonly [struct: string, path: string];

/** Appends the instructions that copy the fields of the task in r7 to the record at r9; clobbers r2, r3, r4, r8. */
export class TaskRecordCode {
  readonly #code: Assembler;
  readonly #types: TypeFacts;
  readonly #controllers: readonly string[];

  /** @param controllers those of cgroup v1: `listV1Controllers` */
  constructor(code: Assembler, types: TypeFacts, controllers: readonly string[] = listV1Controllers()) {
    this.#code = code;
    this.#types = types;
    this.#controllers = controllers;
  }

  /**
   * Loads argument `index` of the program, a task, into r7, and the address of a record of this size at the end
   * of the stack into r9.
   */
  takeTask(index: number, bytes = taskRecordBytes): this {
    this.#code.load(taskRegister, context, index * 8);
    this.#code.move(recordRegister, 10).compute(recordRegister, 'add', -bytes);
    return this;
  }

  /** Lets the verifier check the program within milliseconds. r7 must not be 0. */
  distrustTask(): this {
    castToUntrusted(this.#code, this.#types, taskRegister, 'task_struct');
    return this;
  }

  /** Copies the fields that live and ended tasks have in common; the other words are 0. */
  copyCommonFields(): this {
    this.#code.set(scratch, 0);
    for (let offset = 0; offset < taskRecordBytes; offset += 8) this.#store(offset / 4, 8);
    this.#copyWord('tgid', taskField.tgid)
      .#copyWord('pid', taskField.tid)
      .#copyWord('flags', taskField.flags)
      .#copyWord(findStateField(this.#types), taskField.state)
      .#copyWord('exit_state', taskField.exitState);
    this.#copyTime(taskRegister, ['task_struct', 'se.sum_exec_runtime'], taskField.runtime);
    this.#copyTime(taskRegister, ['task_struct', 'start_boottime'], taskField.start);
    this.#follow(taskRegister, 'task_struct', 'signal');
    this.#copyTime(pointer, ['signal_struct', 'sum_sched_runtime'], taskField.endedThreadsRuntime);
    this.#follow(taskRegister, 'task_struct', 'real_parent').#copy(
      pointer,
      ['task_struct', 'tgid'],
      taskField.parent,
    );
    this.#follow(taskRegister, 'task_struct', 'cred').#copy(pointer, ['cred', 'uid'], taskField.user);
    this.#copyName();
    return this.#copyCgroups();
  }

  /** Copies the process' id in a pid namespace `level` levels below the initial one, and the depth of the reader's. */
  copyLocalIds(level: number): this {
    const processIds = this.#types.findOffset('signal_struct', 'pids') + 8;
    this.#follow(taskRegister, 'task_struct', 'signal');
    this.#code.load(pointer, pointer, processIds);
    const upid = this.#types.findOffset('pid', 'numbers') + level * 16;
    this.#code.load(scratch, pointer, upid, 4);
    this.#store(taskField.localTgid, 4);
    this.#code.call(getCurrentTask).move(pointer, 0);
    this.#follow(pointer, 'task_struct', 'thread_pid');
    this.#copy(pointer, ['pid', 'level'], taskField.readerLevel);
    return this;
  }

  #copyName(): void {
    const offset = this.#types.findOffset('task_struct', 'comm');
    for (const half of [0, 8]) {
      this.#code.load(scratch, taskRegister, offset + half);
      this.#store(taskField.name + half / 4, 8);
    }
  }

  /**
   * Copies the cgroup of the unified hierarchy, and the deepest one of version 1: on hybrid systems, containers may
   * differ in version 1 only.
   */
  #copyCgroups(): this {
    this.#follow(taskRegister, 'task_struct', 'cgroups').#follow(pointer, 'css_set', 'dfl_cgrp');
    this.#follow(pointer, 'cgroup', 'kn').#copy(pointer, ['kernfs_node', 'id'], taskField.cgroup, 8);
    if (this.#controllers.length === 0) return this;
    this.#code.set(deepest, 0);
    // Kernel threads are at the root everywhere.
    this.#code.load(scratch, recordRegister, taskField.flags * 4, 4);
    this.#code.compute(scratch, 'and', kernelThreadFlag).jumpIf(scratch, 'notEqual', 0, 'cgroup');
    for (const name of this.#controllers) this.#copyDeeperCgroup(name);
    this.#code.label('cgroup');
    return this;
  }

  #copyDeeperCgroup(controller: string): void {
    const index = this.#types.findEnumerator('cgroup_subsys_id', `${controller}_cgrp_id`);
    if (index === undefined) return;
    this.#follow(taskRegister, 'task_struct', 'cgroups');
    this.#code.load(pointer, pointer, this.#types.findOffset('css_set', 'subsys') + index * 8);
    this.#follow(pointer, 'cgroup_subsys_state', 'cgroup');
    this.#code.load(scratch, pointer, this.#types.findOffset('cgroup', 'level'), 4);
    this.#code.jumpIfAtMost(scratch, deepest, controller).move(deepest, scratch);
    this.#follow(pointer, 'cgroup', 'kn').#copy(pointer, ['kernfs_node', 'id'], taskField.cgroupV1, 8);
    this.#code.set(scratch, index + 1);
    this.#store(taskField.controllerV1, 4);
    this.#code.label(controller);
  }

  /** r3 = from->path. */
  #follow(from: Register, struct: string, path: string): this {
    this.#code.load(pointer, from, this.#types.findOffset(struct, path));
    return this;
  }

  #copyWord(path: string, field: number): this {
    return this.#copy(taskRegister, ['task_struct', path], field);
  }

  /** Copies `source`, a struct and a path in it, whose address is in r3 or r7. */
  #copy(from: Register, source: Field, field: number, size: 4 | 8 = 4): this {
    this.#code.load(scratch, from, this.#types.findOffset(...source), size);
    this.#store(field, size);
    return this;
  }

  #copyTime(from: Register, source: Field, field: number): void {
    this.#code.load(scratch, from, this.#types.findOffset(...source)).move(4, scratch);
    this.#code.compute(scratch, 'divide', nanosecondsPerSecond);
    this.#store(field, 4);
    this.#code.compute(4, 'modulo', nanosecondsPerSecond).store(recordRegister, (field + 1) * 4, 4, 4);
  }

  #store(field: number, size: 4 | 8): void {
    this.#code.store(recordRegister, field * 4, scratch, size);
  }
}

/**
 * Makes the verifier treat a pointer to a struct as one of unknown origin, if the kernel has a function for
 * that (Linux 6.2). Otherwise, whenever the pointer is followed, it searches all types of the kernel, for some
 * milliseconds, to find out whether the target is trusted. Clobbers r1 to r5.
 */
export function castToUntrusted(code: Assembler, types: TypeFacts, register: Register, struct: string): void {
  const cast = types.findId('bpf_rdonly_cast', 'function');
  if (cast === 0) return;
  code.move(1, register).set(2, types.findId(struct, 'struct')).callKernel(cast).move(register, 0);
}

/** Renamed in Linux 5.14, where it became an int. */
export function findStateField(types: TypeFacts): string {
  try {
    types.findOffset('task_struct', '__state');
    return '__state';
  } catch {
    return 'state';
  }
}

/** The controllers mounted as version 1, each with a tree of its own. */
function listV1Controllers(): readonly string[] {
  try {
    // subsys_name, hierarchy, num_cgroups, enabled; hierarchy 0 is the unified one.
    const rows = readRegularText('/proc/cgroups')
      .split('\n')
      .map((line) => line.split('\t'));
    return rows.flatMap(([name = '', hierarchy]) =>
      Number(hierarchy) > 0 ? [name === 'blkio' ? 'io' : name] : [],
    );
  } catch {
    // The kernel has no version 1.
    return [];
  }
}
