import { noPackage, type CpuPackages } from '../cpu-packages.js';
import { Assembler, type Register } from './assembler.js';
import { attachTracepoint, closeAll, createMap, loadProgram, mapMemory } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import {
  addPackageOf,
  findCpuField,
  migrationControl,
  migrationField,
  type PackageMaps,
} from './package-record.js';
import { StaleEntries } from './stale-entries.js';

const name = 'joule_migrates';
const lookUp = 1;
const update = 2;
/** Maximum number of threads that have left a package. */
export const maxMovedThreads = 1 << 16;
/** How often some entries are looked at. An empty map takes the kernel a millisecond. */
const sweepSeconds = 10;
/**
 * A thread that no pass has seen for this long has ended: the report of an end comes after an RCU grace period, or never,
 * while the kernel runs no programs.
 */
const maxUnseenSeconds = 30;
/** Offsets of the key (a thread's address) and of a new value, at the end of the stack. */
const keyAt = -8;

const task: Register = 6;
const runtime: Register = 7;
const from: Register = 8;
const to: Register = 9;
const scratch: Register = 2;

/**
 * Records, whenever a thread moves to a CPU of another package, how long it has run on the package that it
 * leaves. A migrating thread is never running, so its runtime is accounted: the CPU time per package is exact,
 * at no cost per context switch.
 */
export class Migrations {
  readonly maps: PackageMaps;
  readonly #packages: CpuPackages;
  readonly #fds: number[] = [];
  readonly #unmap: (() => void)[] = [];
  readonly #entries: StaleEntries;
  #cpus = new Uint32Array(0);
  #control = new BigUint64Array(migrationControl.bytes / 8);
  #nextSweep = 0;

  /**
   * @param entries maximum number of threads that have left a package
   * @throws BpfError, or Error when the kernel's types lack a field
   */
  static async open(types: TypeFacts, packages: CpuPackages, entries = maxMovedThreads): Promise<Migrations> {
    const migrations = new Migrations(packages, entries);
    try {
      await migrations.#attach(types);
      return migrations;
    } catch (error) {
      migrations.close();
      throw error;
    }
  }

  private constructor(packages: CpuPackages, entries: number) {
    this.#packages = packages;
    const cpuCount = packages.byCpu.length;
    const count = packages.numbers.length;
    const cpus = createMap('array', `${name}_cpu`, { entries: 1, valueBytes: 4 * cpuCount });
    this.#fds.push(cpus);
    const valueBytes = migrationField.sums + 8 * count;
    try {
      const threads = createMap('hash', name, { entries, keyBytes: 8, valueBytes });
      this.#fds.push(threads);
      const control = createMap('array', `${name}_ctl`, { entries: 1, valueBytes: migrationControl.bytes });
      this.#fds.push(control);
      this.maps = { threads, cpus, control, cpuCount, count };
      this.#control = new BigUint64Array(this.#map(control, migrationControl.bytes), 0, 2);
      this.#cpus = new Uint32Array(this.#map(cpus, 4 * cpuCount));
      this.#entries = new StaleEntries(threads, valueBytes);
    } catch (error) {
      this.close();
      throw error;
    }
    this.update();
  }

  #map(fd: number, bytes: number): ArrayBuffer {
    const { memory, unmap } = mapMemory(fd, 'readWrite', bytes);
    this.#unmap.push(unmap);
    return memory;
  }

  /**
   * Moves to another package that were not recorded since the start, because the map was full: the earlier
   * runtime is attributed to the new package.
   */
  get lost(): number {
    return Number(this.#control[migrationControl.lost / 8]);
  }

  /**
   * Adds CPUs that have come online. To be called before each pass, which notes the threads that it sees.
   * @param second any clock
   */
  update(second = Math.floor(performance.now() / 1000)): void {
    this.#cpus.set(this.#packages.byCpu);
    this.#control[migrationControl.second / 8] = BigInt(second);
  }

  /**
   * Removes some of the threads that ended without a report, so that these do not fill the map. To be called after a
   * pass.
   */
  forgetUnseen(): void {
    const second = Number(this.#control[migrationControl.second / 8]);
    if (second < this.#nextSweep) return;
    this.#nextSweep = second + sweepSeconds;
    this.#entries.step(
      (values, at) => second - values.readUInt32LE(at + migrationField.seen) > maxUnseenSeconds,
    );
  }

  /** Ends the recording. May be called again. */
  close(): void {
    if (this.#fds.length === 0) return;
    closeAll(this.#fds);
    this.#cpus = new Uint32Array(this.#cpus.length);
    this.#control = new BigUint64Array(this.#control);
    for (const unmap of this.#unmap.splice(0)) unmap();
  }

  async #attach(types: TypeFacts): Promise<void> {
    const attachTo = types.findId('btf_trace_sched_migrate_task', 'typedef');
    const code = assemble(types, this.maps);
    const program = await loadProgram({ name, kind: 'tracepoint', attachTo, code });
    this.#fds.push(program);
    this.#fds.push(attachTracepoint(name, program));
  }
}

/** tp_btf/sched_migrate_task (task, destination CPU), before the task has that CPU. */
function assemble(types: TypeFacts, maps: PackageMaps): Assembler {
  const code = new Assembler();
  code.load(task, 1, 0).load(to, 1, 8, 4).load(from, task, findCpuField(types), 4);
  addPackageOf(code, maps, from);
  addPackageOf(code, maps, to);
  code
    .jumpIfSame(from, to, 'end')
    .jumpIf(from, 'equal', noPackage, 'end')
    .jumpIf(to, 'equal', noPackage, 'end');
  code.load(runtime, task, types.findOffset('task_struct', 'se.sum_exec_runtime'));
  // A thread that has never run was on no package.
  code.jumpIf(runtime, 'equal', 0, 'end').store(10, keyAt, task);
  addLookUp(code, maps);
  const start = types.findOffset('task_struct', 'start_boottime');
  // Another thread that had this address may have ended without a report.
  code.jumpIf(0, 'equal', 0, 'new').load(1, 0, migrationField.start).load(scratch, task, start);
  code.jumpIfSame(1, scratch, 'known').label('new');
  addEntry(code, maps, start);
  addLookUp(code, maps);
  code.jumpIf(0, 'notEqual', 0, 'known');
  code
    .loadMapValue(1, maps.control, migrationControl.lost)
    .set(scratch, 1)
    .addAtomically(1, 0, scratch)
    .jump('end');
  code.label('known');
  bookRuntime(code, maps);
  return code.label('end').return();
}

function addLookUp(code: Assembler, { threads }: PackageMaps): void {
  code.loadMap(1, threads).move(2, 10).compute(2, 'add', keyAt).call(lookUp);
}

/** Its whole runtime so far was on the package that it leaves. */
function addEntry(code: Assembler, { threads, control, count }: PackageMaps, start: number): void {
  const bytes = migrationField.sums + 8 * count;
  const at = keyAt - bytes;
  code.set(scratch, 0);
  for (let offset = 0; offset < bytes; offset += 8) code.store(10, at + offset, scratch);
  code.store(10, at + migrationField.package, from, 4);
  code.load(scratch, task, start).store(10, at + migrationField.start, scratch);
  code.loadMapValue(1, control, 0).load(scratch, 1, migrationControl.second);
  code.store(10, at + migrationField.seen, scratch, 4);
  code.loadMap(1, threads).move(2, 10).compute(2, 'add', keyAt);
  code.move(3, 10).compute(3, 'add', at).set(4, 0).call(update);
}

/** Adds its runtime since its arrival to the sum of the package that it leaves. r0 is its entry. */
function bookRuntime(code: Assembler, { count }: PackageMaps): void {
  code
    .load(1, 0, migrationField.package, 4)
    .jumpIf(1, 'above', count - 1, 'end')
    .compute(1, 'shiftLeft', 3);
  code.load(3, 0, migrationField.runtime).move(scratch, runtime).subtract(scratch, 3);
  code.move(3, 0).add(3, 1).load(4, 3, migrationField.sums).add(4, scratch).store(3, migrationField.sums, 4);
  code.store(0, migrationField.runtime, runtime).store(0, migrationField.package, to, 4);
}
