import { detailWords } from './process-details.js';
import { taskRecordBytes, taskRecordWords } from './task-record.js';

/** Offsets in the header in front of the lists, in bytes. This process writes `generation` and `pass`. */
export const header = {
  processes: 0,
  runs: 8,
  recordBytes: 16,
  isFull: 24,
  readerLevel: 32,
  generation: 40,
  pass: 48,
  /** Of the current process: in memory and not in registers, so that the verifier treats all iterations alike. */
  tgid: 56,
  cpuTime: 64,
  state: 72,
  bytes: 128,
} as const;

/** Words of an entry of `runs`, a power of two, and their offsets. */
export const runWords = 4 + detailWords;
/**
 * The index of the process, its `TASK_` and `EXIT_` flags, its CPU time including all threads, in whole seconds
 * and nanoseconds, and its details.
 */
export const runField = { place: 0, state: 1, seconds: 2, nanoseconds: 3, details: 4 } as const;

/** Words of an entry of `records`: a record of a task, and its details. */
export const processRecordWords = taskRecordWords + detailWords;
const processRecordBytes = taskRecordBytes + 4 * detailWords;

/** Offsets of what the program remembers about a process, in bytes: one cache line. */
export const memory = {
  /** Its id with the generation above it. */
  key: 0,
  start: 8,
  cgroups: 16,
  credentials: 24,
  name: 32,
  state: 48,
  cpuTime: 56,
  bytes: 64,
} as const;
/** Two processes share a slot, most recent first. */
export const placeShift = 7;
/**
 * Each process has a complete record at least once in this many passes, since the address of a cgroup set may have
 * been reused.
 */
export const maxRefresh = 64;

/** Offsets of the lists, in bytes; the remembered state is not mapped into this process. */
export interface LoopLayout {
  readonly runs: number;
  readonly records: number;
  readonly mappedBytes: number;
  readonly memories: number;
  /** For how many processes state can be remembered: a power of two. */
  readonly memoryCount: number;
  readonly bytes: number;
}

/** @param room capacity in processes */
export function findLayout(room: number): LoopLayout {
  const runs = header.bytes + 4 * room;
  const records = runs + 4 * runWords * room;
  const mappedBytes = records + processRecordBytes * room;
  const memories = Math.ceil(mappedBytes / memory.bytes) * memory.bytes;
  const memoryCount = 2 ** Math.ceil(Math.log2(2 * room));
  return {
    runs,
    records,
    mappedBytes,
    memories,
    memoryCount,
    bytes: memories + memoryCount * memory.bytes,
  };
}
