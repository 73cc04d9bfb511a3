import { noPackage } from '../cpu-packages.js';
import type { Assembler, Register } from './assembler.js';
import type { TypeFacts } from './kernel-types.js';
import { readTime } from './process-rows.js';
import { readLong } from './read-long.js';
import { recordRegister, taskField, taskRecordBytes, taskRecordWords, taskRegister } from './task-record.js';

const lookUp = 1;
const remove = 3;
const scratch: Register = 2;

/**
 * Offsets in the value of a thread that has left a package, in bytes: its package, when it was last seen (four bytes
 * each), its runtime on arrival there, its start, and its time on each package. An earlier thread at the same address
 * whose end was not reported had another start.
 */
export const migrationField = { package: 0, seen: 4, runtime: 8, start: 16, sums: 24 } as const;

/** Offsets in the value of `PackageMaps.control`, in bytes, eight each: moves that were lost, and the current second. */
export const migrationControl = { lost: 0, second: 8, bytes: 16 } as const;

/** The maps that record the packages of threads: `Migrations`. */
export interface PackageMaps {
  /** Threads that have left a package, by the address of their task. */
  readonly threads: number;
  /** The index of each CPU's package, four bytes each. */
  readonly cpus: number;
  /** What the programs and this process share: `migrationControl`. */
  readonly control: number;
  readonly cpuCount: number;
  /** Number of packages. */
  readonly count: number;
}

/** Bytes of a record, including the thread's package and its time on each, if recorded. */
export function recordBytes(maps: PackageMaps | undefined): number {
  return maps === undefined ? taskRecordBytes : taskRecordBytes + 8 * (1 + maps.count);
}

/** Replaces a CPU number in a register by the index of its package. Clobbers r1. */
export function addPackageOf(code: Assembler, { cpus, cpuCount }: PackageMaps, register: Register): void {
  const [outside, done] = [code.uniqueLabel('outside'), code.uniqueLabel('done')];
  code.jumpIf(register, 'above', cpuCount - 1, outside).compute(register, 'shiftLeft', 2);
  code.loadMapValue(1, cpus, 0).add(1, register).load(register, 1, 0, 4).jump(done);
  code.label(outside).set(register, noPackage).label(done);
}

/** The task field with its CPU. Moved in Linux 5.16. */
export function findCpuField(types: TypeFacts): number {
  try {
    return types.findOffset('task_struct', 'thread_info.cpu');
  } catch {
    return types.findOffset('task_struct', 'cpu');
  }
}

/**
 * Appends the package of the task in r7, and its time on each package until its arrival there, to the record at
 * r9. Clobbers r0 to r5.
 * @param keyAt offset of 8 free bytes on the stack
 */
export function copyPackages(
  code: Assembler,
  types: TypeFacts,
  { maps, keyAt }: { maps: PackageMaps; keyAt: number },
): void {
  code.store(10, keyAt, taskRegister);
  code.loadMap(1, maps.threads).move(2, 10).compute(2, 'add', keyAt).call(lookUp);
  code
    .jumpIf(0, 'equal', 0, 'stayed')
    .load(scratch, 0, migrationField.start)
    .load(1, taskRegister, types.findOffset('task_struct', 'start_boottime'))
    .jumpIfDifferent(scratch, 1, 'stayed');
  code.loadMapValue(1, maps.control, 0).load(1, 1, migrationControl.second);
  code
    .store(0, migrationField.seen, 1, 4)
    .load(scratch, 0, migrationField.package, 4)
    .store(recordRegister, taskRecordBytes, scratch);
  for (let i = 0; i < maps.count; i++) {
    code
      .load(scratch, 0, migrationField.sums + 8 * i)
      .store(recordRegister, taskRecordBytes + 8 * (1 + i), scratch);
  }
  code.jump('placed').label('stayed').load(scratch, taskRegister, findCpuField(types), 4);
  addPackageOf(code, maps, scratch);
  code.store(recordRegister, taskRecordBytes, scratch).set(scratch, 0);
  for (let i = 0; i < maps.count; i++) code.store(recordRegister, taskRecordBytes + 8 * (1 + i), scratch);
  code.label('placed');
}

/** Removes the task in r7, which has ended. */
export function forgetTask(code: Assembler, { maps, keyAt }: { maps: PackageMaps; keyAt: number }): void {
  code.store(10, keyAt, taskRegister);
  code.loadMap(1, maps.threads).move(2, 10).compute(2, 'add', keyAt).call(remove);
}

/**
 * Adds the times of a record's thread on each package.
 * @param sinceNs runtime beyond that in the record
 * @param sums receives them, from `to` on
 */
export function addPackageTimes(
  { words, at, count }: { readonly words: Uint32Array; readonly at: number; readonly count: number },
  sums: Float64Array,
  [to, sinceNs]: readonly [number, number],
): void {
  const from = at + taskRecordWords;
  let leftNs = readTime(words, at + taskField.runtime) + sinceNs;
  for (let i = 0; i < count; i++) {
    const ns = readLong(words, from + 2 + 2 * i);
    sums[to + i] += ns;
    leftNs -= ns;
  }
  const current = words[from];
  if (current < count && leftNs > 0) sums[to + current] += leftNs;
}
