import { noPackage, type CpuPackages } from '../cpu-packages.js';
import { Assembler, type Register } from './assembler.js';
import { attachTracepoint, closeAll, createMap, loadProgram, mapMemory, type MappedMemory } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import { addPackageOf, findCpuField, migrationField, type PackageMaps } from './package-record.js';

const name = 'joule_migrates';
const lookUp = 1;
const update = 2;
/** BPF_NOEXIST: only if the key does not exist. */
const isNew = 1;
/** Maximum number of threads that have left a package. */
export const maxMovedThreads = 1 << 16;
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
  readonly #memory: MappedMemory;
  readonly #counter: MappedMemory;
  #cpus: Uint32Array;
  #lost: BigUint64Array;

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
    const cpuCount = packages.byCpu.length;
    const count = packages.numbers.length;
    const cpus = createMap('array', `${name}_cpu`, { entries: 1, valueBytes: 4 * cpuCount });
    this.#fds.push(cpus);
    try {
      const valueBytes = migrationField.sums + 8 * count;
      const threads = createMap('hash', name, { entries, keyBytes: 8, valueBytes });
      this.#fds.push(threads);
      const lost = createMap('array', `${name}_lost`, { entries: 1, valueBytes: 8 });
      this.#fds.push(lost);
      this.maps = { threads, cpus, lost, cpuCount, count };
      this.#counter = mapMemory(lost, 'readWrite', 8);
      this.#memory = mapMemory(cpus, 'readWrite', 4 * cpuCount);
    } catch (error) {
      closeAll(this.#fds);
      throw error;
    }
    this.#packages = packages;
    this.#cpus = new Uint32Array(this.#memory.memory);
    this.#lost = new BigUint64Array(this.#counter.memory, 0, 1);
    this.update();
  }

  /**
   * Moves to another package that were not recorded since the start, because the map was full: the earlier
   * runtime is attributed to the new package.
   */
  get lost(): number {
    return Number(this.#lost[0]);
  }

  /** Adds CPUs that have come online. */
  update(): void {
    this.#cpus.set(this.#packages.byCpu);
  }

  /** Ends the recording. May be called again. */
  close(): void {
    if (this.#fds.length === 0) return;
    closeAll(this.#fds);
    this.#cpus = new Uint32Array(this.#cpus.length);
    this.#lost = new BigUint64Array(this.#lost);
    this.#memory.unmap();
    this.#counter.unmap();
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
  code.jumpIf(0, 'notEqual', 0, 'known');
  addEntry(code, maps);
  addLookUp(code, maps);
  code.jumpIf(0, 'notEqual', 0, 'known');
  code.loadMapValue(1, maps.lost, 0).set(scratch, 1).addAtomically(1, 0, scratch).jump('end');
  code.label('known');
  bookRuntime(code, maps);
  return code.label('end').return();
}

function addLookUp(code: Assembler, { threads }: PackageMaps): void {
  code.loadMap(1, threads).move(2, 10).compute(2, 'add', keyAt).call(lookUp);
}

/** Its whole runtime so far was on the package that it leaves. */
function addEntry(code: Assembler, { threads, count }: PackageMaps): void {
  const bytes = migrationField.sums + 8 * count;
  const at = keyAt - bytes;
  code.set(scratch, 0);
  for (let offset = 0; offset < bytes; offset += 8) code.store(10, at + offset, scratch);
  code.store(10, at + migrationField.package, from);
  code.loadMap(1, threads).move(2, 10).compute(2, 'add', keyAt);
  code.move(3, 10).compute(3, 'add', at).set(4, isNew).call(update);
}

/** Adds its runtime since its arrival to the sum of the package that it leaves. r0 is its entry. */
function bookRuntime(code: Assembler, { count }: PackageMaps): void {
  code
    .load(1, 0, migrationField.package)
    .jumpIf(1, 'above', count - 1, 'end')
    .compute(1, 'shiftLeft', 3);
  code.load(3, 0, migrationField.runtime).move(scratch, runtime).subtract(scratch, 3);
  code.move(3, 0).add(3, 1).load(4, 3, migrationField.sums).add(4, scratch).store(3, migrationField.sums, 4);
  code.store(0, migrationField.runtime, runtime).store(0, migrationField.package, to);
}
