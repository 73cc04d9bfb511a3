import { Assembler, type Register } from './assembler.js';
import type { TypeFacts } from './kernel-types.js';
import { LoopProgram } from './loop-program.js';
import { readLong } from './read-long.js';
import { requireFunction } from './task-loop.js';
import { castToUntrusted } from './task-record.js';

const name = 'joule_cgroups';
/** Offsets in the header in front of the records, in bytes. The last field is written by this process. */
const header = { length: 0, isFull: 8, root: 16, bytes: 64 } as const;

/**
 * Words of a record, and their offsets; a field of two words is a 64-bit number. `user` and `system` give the
 * split of the CPU time, and are less precise than the total. Times are in microseconds, as in `cpu.stat`.
 */
export const cgroupField = {
  id: 0,
  usage: 2,
  user: 4,
  system: 6,
  throttled: 8,
  periods: 10,
  throttledPeriods: 11,
} as const;
export const cgroupRecordWords = 12;
const recordBytes = 4 * cgroupRecordWords;

/** struct bpf_iter_css, the state of the loop, at the end of the stack. */
const loopAt = -24;
/** BPF_CGROUP_ITER_DESCENDANTS_PRE */
const parentsFirst = 2;
/** CSS_ONLINE: not set for a removed cgroup that only memory or an open file still references. */
const onlineFlag = 2;
const nanosecondsPerMicrosecond = 1000;
const defaultRoom = 1024;

const scratch: Register = 2;
const other: Register = 3;
const memory: Register = 6;
const root: Register = 7;
const cgroup: Register = 8;
const record: Register = 9;
const stackEnd: Register = 10;

/**
 * Reads the CPU time of every cgroup of version 2 below a given one, in one call, into memory that this process
 * shares with the kernel. It costs a tenth of reading their files, but needs kernel functions that exist since
 * Linux 6.7 only. The kernel sums up the usage of a cgroup only on request: reading `cpu.stat` of one does so
 * for all cgroups below it.
 */
export class CgroupLoop {
  /** The records of the last pass, `cgroupRecordWords` each; each cgroup follows its parent. */
  words = new Uint32Array(0);
  readonly #program: LoopProgram;
  #header = new DataView(new ArrayBuffer(header.bytes));
  /** Index of the record of each cgroup, by its id. The kernel never reuses an id. */
  readonly #places = new Map<number, number>();
  /** The ids of the last pass, in its order. */
  #ids: number[] = [];

  /**
   * @param room initial capacity in cgroups
   * @throws BpfError, ENOSYS if the kernel lacks the functions; Error when its types lack a field
   */
  static async open(types: TypeFacts, room = defaultRoom): Promise<CgroupLoop> {
    const assembleFor = (map: number, cgroups: number) => assemble(types, map, cgroups);
    return new CgroupLoop(await LoopProgram.open({ name, measure, assemble: assembleFor }, room));
  }

  private constructor(program: LoopProgram) {
    this.#program = program;
    this.#view();
  }

  /** Number of cgroups in the last pass. */
  get count(): number {
    return this.#ids.length;
  }

  /**
   * Reads a cgroup and all cgroups below it.
   * @param rootId the kernel's id of the cgroup, which is the inode of its folder
   * @throws BpfError
   */
  read(rootId: number): void {
    for (;;) {
      this.#header.setBigUint64(header.root, BigInt(rootId), true);
      this.#program.call();
      if (this.#header.getUint32(header.isFull, true) === 0) break;
      this.#program.grow();
      this.#view();
    }
    this.#index(this.#header.getUint32(header.length, true) / recordBytes);
  }

  /** Index in `words` at which the record of a cgroup starts; undefined: it is not in the last pass. */
  find(id: number): number | undefined {
    return this.#places.get(id);
  }

  /** Releases the program and the memory. May be called again. */
  close(): void {
    this.words = new Uint32Array(0);
    this.#header = new DataView(new ArrayBuffer(header.bytes));
    this.#places.clear();
    this.#ids = [];
    this.#program.close();
  }

  /** The cgroups usually come in the same order as in the last pass. */
  #index(count: number): void {
    const ids = this.#ids;
    let same = 0;
    while (same < Math.min(count, ids.length) && ids[same] === this.#idAt(same)) same++;
    if (same === count && same === ids.length) return;
    for (const id of ids.splice(same)) this.#places.delete(id);
    for (let index = same; index < count; index++) {
      const id = this.#idAt(index);
      ids.push(id);
      this.#places.set(id, index * cgroupRecordWords);
    }
  }

  #idAt(index: number): number {
    return readLong(this.words, index * cgroupRecordWords + cgroupField.id);
  }

  #view(): void {
    const { memory: shared, room } = this.#program;
    this.#header = new DataView(shared, 0, header.bytes);
    this.words = new Uint32Array(shared, header.bytes, room * cgroupRecordWords);
  }
}

function measure(room: number) {
  const bytes = header.bytes + room * recordBytes;
  return { bytes, mappedBytes: bytes };
}

function assemble(types: TypeFacts, map: number, room: number): Assembler {
  const code = new Assembler();
  const call = (wanted: string): Assembler => code.callKernel(requireFunction(types, wanted));
  const atLoop = (): Assembler => code.move(1, stackEnd).compute(1, 'add', loopAt);
  call('bpf_rcu_read_lock').loadMapValue(memory, map, 0).set(scratch, 0);
  code.store(memory, header.length, scratch).store(memory, header.isFull, scratch);
  code.load(1, memory, header.root);
  call('bpf_cgroup_from_id').jumpIf(0, 'equal', 0, 'none').move(root, 0);
  atLoop().move(2, root).set(3, parentsFirst);
  call('bpf_iter_css_new').label('next');
  atLoop();
  call('bpf_iter_css_next').jumpIf(0, 'equal', 0, 'end').move(cgroup, 0);
  castToUntrusted(code, types, cgroup, 'cgroup');
  addRecord(code, types, room);
  code.jump('next').label('full').set(scratch, 1).store(memory, header.isFull, scratch).label('end');
  atLoop();
  call('bpf_iter_css_destroy').move(1, root);
  call('bpf_cgroup_release').label('none');
  call('bpf_rcu_read_unlock');
  return code.return();
}

/** The length is in memory, not in a register, so that the verifier treats all iterations alike. */
function addRecord(code: Assembler, types: TypeFacts, room: number): void {
  const offset = (path: string): number => types.findOffset('cgroup', path);
  code.load(scratch, cgroup, offset('self.flags'), 4).compute(scratch, 'and', onlineFlag);
  code.jumpIf(scratch, 'equal', 0, 'next');
  code.load(scratch, memory, header.length).jumpIf(scratch, 'above', (room - 1) * recordBytes, 'full');
  code.move(record, memory).compute(record, 'add', header.bytes).add(record, scratch);
  code.compute(scratch, 'add', recordBytes).store(memory, header.length, scratch);
  code.load(scratch, cgroup, offset('kn'));
  code
    .load(scratch, scratch, types.findOffset('kernfs_node', 'id'))
    .store(record, 4 * cgroupField.id, scratch);
  copyTime(code, [cgroup, offset('bstat.cputime.sum_exec_runtime')], cgroupField.usage);
  copyTime(code, [cgroup, offset('bstat.cputime.utime')], cgroupField.user);
  copyTime(code, [cgroup, offset('bstat.cputime.stime')], cgroupField.system);
  copyThrottling(code, types);
}

function copyTime(code: Assembler, [from, offset]: readonly [Register, number], field: number): void {
  code.load(scratch, from, offset).compute(scratch, 'divide', nanosecondsPerMicrosecond);
  code.store(record, 4 * field, scratch);
}

/** It is 0 for a cgroup without the controller, and in a kernel without quotas. */
function copyThrottling(code: Assembler, types: TypeFacts): void {
  code.set(scratch, 0).store(record, 4 * cgroupField.throttled, scratch);
  code.store(record, 4 * cgroupField.periods, scratch);
  const bandwidth = findBandwidth(types);
  const controller = types.findEnumerator('cgroup_subsys_id', 'cpu_cgrp_id');
  if (bandwidth === undefined || controller === undefined) return;
  code.load(other, cgroup, types.findOffset('cgroup', 'subsys') + 8 * controller);
  code.jumpIf(other, 'equal', 0, 'next').move(cgroup, other);
  castToUntrusted(code, types, cgroup, 'task_group');
  copyTime(code, [cgroup, bandwidth.throttled], cgroupField.throttled);
  code.load(scratch, cgroup, bandwidth.periods, 4).store(record, 4 * cgroupField.periods, scratch, 4);
  code.load(scratch, cgroup, bandwidth.throttledPeriods, 4);
  code.store(record, 4 * cgroupField.throttledPeriods, scratch, 4);
}

/** Offset of the quota's statistics in a task_group, whose first field is its state as a controller. */
function findBandwidth(types: TypeFacts) {
  const offset = (field: string): number => types.findOffset('task_group', `cfs_bandwidth.${field}`);
  try {
    return {
      throttled: offset('throttled_time'),
      periods: offset('nr_periods'),
      throttledPeriods: offset('nr_throttled'),
    };
  } catch {
    // CONFIG_CFS_BANDWIDTH is not set.
    return undefined;
  }
}
