import type { Assembler, Register } from './assembler.js';
import type { TypeFacts } from './kernel-types.js';
import { recordRegister, taskRegister } from './task-record.js';

/**
 * What the kernel knows of a process beyond its CPU time, behind each record and each run of `ProcessLoop`: words of
 * 64 bits, low word first.
 */
const detailWord = { residentPages: 0, virtualPages: 2, threads: 4, userNs: 6, systemNs: 8 } as const;
/** Words of 32 bits. */
export const detailWords = 12;

/** Details as numbers: the index of each. */
export const detail = { residentPages: 0, virtualPages: 1, threads: 2, userNs: 3, systemNs: 4 } as const;
export const detailCount = 5;

/** Decodes the words of 64 bits. */
export function decodeDetails(words: Uint32Array, at: number, details: Float64Array, row: number): void {
  const to = row * detailCount;
  for (let i = 0; i < detailCount; i++) details[to + i] = words[at + 2 * i] + words[at + 2 * i + 1] * 2 ** 32;
}

/** MM_FILEPAGES, MM_ANONPAGES and MM_SHMEMPAGES of include/linux/mm_types_task.h: the counts of `get_mm_rss`. */
const residentCounts = [0, 1, 3] as const;

const value: Register = 2;
const pointer: Register = 3;
const sum: Register = 4;
const sign: Register = 5;

/** Where the fields are; undefined if this kernel counts memory in another way. */
export type DetailOffsets = Readonly<Record<keyof ReturnType<typeof findAll>, number>>;

/** @returns undefined if the kernel lacks a field */
export function findDetailOffsets(types: TypeFacts): DetailOffsets | undefined {
  const offsets = findAll(types);
  return isComplete(offsets) ? offsets : undefined;
}

function findAll(types: TypeFacts) {
  const inTask = (name: string) => types.findOptionalOffset('task_struct', name);
  const inMemory = (name: string) => types.findOptionalOffset('mm_struct', name);
  const inSignal = (name: string) => types.findOptionalOffset('signal_struct', name);
  return {
    mm: inTask('mm'),
    signal: inTask('signal'),
    userTime: inTask('utime'),
    systemTime: inTask('stime'),
    virtualPages: inMemory('total_vm'),
    residentPages: inMemory('rss_stat'),
    count: types.findOptionalOffset('percpu_counter', 'count'),
    counterBytes: types.findSize('percpu_counter') || undefined,
    threads: inSignal('nr_threads'),
    endedUserTime: inSignal('utime'),
    endedSystemTime: inSignal('stime'),
  };
}

function isComplete(offsets: ReturnType<typeof findAll>): offsets is DetailOffsets {
  return Object.values(offsets).every((offset) => offset !== undefined);
}

/**
 * Appends the instructions that copy the details of the task in r7 to r9 + `to` bytes. A task without memory, which is
 * ending, has 0 of it. The times are those of this thread and of ended ones.
 */
export function appendDetails(code: Assembler, offsets: DetailOffsets, to: number): void {
  const store = (field: keyof typeof detailWord, from: Register) =>
    code.store(recordRegister, to + 4 * detailWord[field], from);
  code.load(pointer, taskRegister, offsets.mm).load(value, pointer, offsets.virtualPages);
  store('virtualPages', value);
  code.set(sum, 0);
  for (const count of residentCounts) {
    code.load(value, pointer, offsets.residentPages + count * offsets.counterBytes + offsets.count);
    // The kernel, too, takes a negative count, of which parts are still with the CPUs, as 0.
    const label = `negative ${to} ${count}`;
    code.move(sign, value).compute(sign, 'shiftRight', 63).jumpIf(sign, 'notEqual', 0, label);
    code.add(sum, value).label(label);
  }
  store('residentPages', sum);
  code.load(pointer, taskRegister, offsets.signal).load(value, pointer, offsets.threads, 4);
  store('threads', value);
  code.load(value, taskRegister, offsets.userTime).load(sum, pointer, offsets.endedUserTime);
  code.add(value, sum);
  store('userNs', value);
  code.load(value, taskRegister, offsets.systemTime).load(sum, pointer, offsets.endedSystemTime);
  code.add(value, sum);
  store('systemNs', value);
}
