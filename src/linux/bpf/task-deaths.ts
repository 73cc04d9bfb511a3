import { Assembler } from './assembler.js';
import { attachTracepoint, closeAll, createMap, loadProgram, mapMemory, type MappedMemory } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import { copyPackages, forgetTask, recordBytes, type PackageMaps } from './package-record.js';
import { RingBuffer } from './ring-buffer.js';
import { recordRegister, taskRecordBytes, TaskRecordCode } from './task-record.js';

const name = 'joule_deaths';
const ringBufferOutput = 130;
const defaultBytes = 1 << 21;
/** Maximum number of threads that may end between two readings: a record has a header of 8 bytes. */
export const maxDeaths = Math.floor(defaultBytes / (taskRecordBytes + 8));

/**
 * Reports every thread of the machine that ends, with its final CPU time (`taskField`): at
 * `sched_process_free`, since `sched_process_exit` precedes the accounting of the last slice. Reports that do
 * not fit are counted.
 */
export class TaskDeaths {
  readonly #fds: number[] = [];
  readonly #lostFd: number;
  readonly #ring: RingBuffer;
  readonly #counter: MappedMemory;
  #lost: BigUint64Array;

  /**
   * @param packages if set, records include the time on each package: `addPackageTimes`
   * @param bytes capacity between two readings: a power of two and a multiple of the page size
   * @throws BpfError, or Error when the kernel's types lack a field
   */
  static async open(types: TypeFacts, packages?: PackageMaps, bytes = defaultBytes): Promise<TaskDeaths> {
    const deaths = new TaskDeaths(bytes);
    try {
      await deaths.#attach(types, packages);
      return deaths;
    } catch (error) {
      deaths.close();
      throw error;
    }
  }

  private constructor(bytes: number) {
    this.#ring = new RingBuffer(name, bytes);
    try {
      this.#lostFd = createMap('array', `${name}_lost`, { entries: 1, valueBytes: 8 });
      this.#fds.push(this.#lostFd);
      this.#counter = mapMemory(this.#lostFd, 'readWrite', 8);
    } catch (error) {
      closeAll(this.#fds);
      this.#ring.close();
      throw error;
    }
    this.#lost = new BigUint64Array(this.#counter.memory, 0, 1);
  }

  async #attach(types: TypeFacts, packages: PackageMaps | undefined): Promise<void> {
    const attachTo = types.findId('btf_trace_sched_process_free', 'typedef');
    const code = assemble(types, { ring: this.#ring.fd, lost: this.#lostFd, packages });
    const program = await loadProgram({ name, kind: 'tracepoint', attachTo, code });
    this.#fds.push(program);
    this.#fds.push(attachTracepoint(name, program));
  }

  /** Ended threads whose report did not fit, since the start. */
  get lost(): number {
    return Number(this.#lost[0]);
  }

  /** Passes the record of each thread that ended since the last call to `take`, which must not keep the words. */
  drain(take: (words: Uint32Array, at: number) => void): number {
    return this.#ring.drain(take);
  }

  /** Ends the reporting. May be called again. */
  close(): void {
    if (this.#fds.length === 0) return;
    closeAll(this.#fds);
    this.#lost = new BigUint64Array(this.#lost);
    this.#counter.unmap();
    this.#ring.close();
  }
}

/** tp_btf/sched_process_free: the task is the first argument. */
function assemble(
  types: TypeFacts,
  { ring, lost, packages }: { ring: number; lost: number; packages: PackageMaps | undefined },
): Assembler {
  const code = new Assembler();
  const bytes = recordBytes(packages);
  const keyAt = -bytes - 8;
  new TaskRecordCode(code, types).takeTask(0, bytes).distrustTask().copyCommonFields();
  if (packages) {
    copyPackages(code, types, { maps: packages, keyAt });
    forgetTask(code, { maps: packages, keyAt });
  }
  code.loadMap(1, ring).move(2, recordRegister).set(3, bytes).set(4, 0).call(ringBufferOutput);
  code.jumpIf(0, 'equal', 0, 'end');
  code.loadMapValue(1, lost, 0).set(2, 1).addAtomically(1, 0, 2);
  return code.label('end').return();
}
