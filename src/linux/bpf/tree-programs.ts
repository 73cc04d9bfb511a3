import type { Assembler } from './assembler.js';
import {
  attachTracepoint,
  closeAll,
  createMap,
  loadProgram,
  mapMemory,
  type BpfProgram,
  type MappedMemory,
} from './bpf.js';
import { BpfIterator } from './bpf-iterator.js';
import type { TypeFacts } from './kernel-types.js';
import { RingBuffer } from './ring-buffer.js';
import { control, TreeCode } from './tree-code.js';

const ringBytes = 1 << 21;
/**
 * Maximum number of processes of all trees at a time. One whose end is not reported keeps its entry until a new process
 * has the address of its `signal_struct`: if one end in a hundred is missing, that of 100,000 processes takes 1,000
 * entries at most. A process for which there is no room is counted as lost.
 */
const maxProcesses = 1 << 14;

/**
 * Programs in the kernel that follow processes and all their descendants, independent of later parents: a
 * process whose parent is in the map is added when it starts and removed when it ends. A process is identified
 * by the address of its `signal_struct`, which is not reused while a report of one of its threads is pending.
 * Needs CAP_BPF and CAP_PERFMON.
 */
export class TreePrograms {
  readonly #fds: number[] = [];
  readonly #ring: RingBuffer;
  readonly #members: number;
  readonly #controlFd: number;
  readonly #control: MappedMemory;
  #words: BigUint64Array;
  #living: BpfIterator | undefined;

  /** @throws BpfError, or Error when the kernel's types lack a field */
  static async open(types: TypeFacts): Promise<TreePrograms> {
    const programs = new TreePrograms();
    try {
      await programs.#attach(types);
      return programs;
    } catch (error) {
      programs.close();
      throw error;
    }
  }

  private constructor() {
    this.#ring = new RingBuffer('joule_tree', ringBytes);
    try {
      this.#members = createMap('hash', 'joule_tree', { entries: maxProcesses, keyBytes: 8, valueBytes: 8 });
      this.#fds.push(this.#members);
      this.#controlFd = createMap('array', 'joule_tree', { entries: 1, valueBytes: control.bytes });
      this.#fds.push(this.#controlFd);
      this.#control = mapMemory(this.#controlFd, 'readWrite', control.bytes);
    } catch (error) {
      closeAll(this.#fds);
      this.#ring.close();
      throw error;
    }
    this.#words = new BigUint64Array(this.#control.memory, 0, control.bytes / 8);
  }

  /** Reports of forks, executions and ends that did not fit into the buffer, since the start. */
  get lost(): number {
    return Number(this.#words[control.lost / 8]);
  }

  /** The records of the last pass over live threads, of `livingRecordWords` each. */
  get words(): Uint32Array {
    return this.#living?.words ?? new Uint32Array(0);
  }

  /**
   * Reads all live threads of all trees into `words`.
   * @returns the number of words
   * @throws BpfError or the error of read(2)
   */
  read(): number {
    return this.#living?.read() ?? 0;
  }

  /**
   * Like `read`; children of this process that started after an instant also become trees.
   * @param sinceNs CLOCK_BOOTTIME
   */
  mark(tree: number, sinceNs: bigint): number {
    this.#words[control.tree / 8] = BigInt(tree);
    this.#words[control.since / 8] = sinceNs;
    try {
      return this.read();
    } finally {
      this.#words[control.since / 8] = 0n;
    }
  }

  /** Passes the events since the last call to `take`, in order for each process; `take` must not keep the words. */
  drain(take: (words: Uint32Array, at: number) => void): void {
    this.#ring.drain(take);
  }

  /** Ends the accounting. May be called again. */
  close(): void {
    if (this.#fds.length === 0) return;
    this.#living?.close();
    closeAll(this.#fds);
    this.#words = this.#words.slice();
    this.#control.unmap();
    this.#ring.close();
  }

  async #attach(types: TypeFacts): Promise<void> {
    const code = new TreeCode(types, {
      members: this.#members,
      control: this.#controlFd,
      ring: this.#ring.fd,
    });
    const tracepoints = [
      createTracepoint(types, 'fork', code.assembleFork()),
      createTracepoint(types, 'exec', code.assembleExecution()),
      createTracepoint(types, 'free', code.assembleEnd()),
    ];
    // The kernel verifies each on a thread of its own. All are awaited: those after a failed one must be closed, too.
    const [living, ...programs] = await Promise.allSettled([
      BpfIterator.open(types, 'joule_tree', code.assembleLiving()).then((each) => (this.#living = each)),
      ...tracepoints.map(async (program) => {
        const fd = await loadProgram(program);
        this.#fds.push(fd);
        return { name: program.name, fd };
      }),
    ]);
    for (const each of [living, ...programs]) if (each.status === 'rejected') throw each.reason;
    for (const each of programs) {
      if (each.status === 'fulfilled') this.#fds.push(attachTracepoint(each.value.name, each.value.fd));
    }
  }
}

function createTracepoint(types: TypeFacts, event: string, code: Assembler): BpfProgram {
  const attachTo = types.findId(`btf_trace_sched_process_${event}`, 'typedef');
  return { name: `joule_tree_${event}`, kind: 'tracepoint', attachTo, code };
}
