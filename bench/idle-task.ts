import { availableParallelism } from 'node:os';
import { Assembler } from '../src/linux/bpf/assembler.js';
import {
  attachTracepoint,
  closeAll,
  createMap,
  loadProgram,
  mapMemory,
  type MappedMemory,
} from '../src/linux/bpf/bpf.js';
import type { TypeFacts } from '../src/linux/bpf/kernel-types.js';
import { withKernelTypes } from '../src/linux/bpf/recorded-types.js';
import { monotonicSinceOriginNs, originSecond } from '../src/linux/clocks.js';

const name = 'bench_idle';
const ktimeGetNs = 5;
const getProcessorId = 8;
/** Per CPU: since when it runs its task, whether that is the idle task, and the time of all idle tasks before. */
const slot = { sinceNs: 0, isBusy: 8, idleNs: 16, shift: 5 } as const;
const slotBytes = 1 << slot.shift;

/**
 * The time in which the CPUs had no task to run. The idle time of `/proc/stat` is less: it ends when an interrupt
 * wakes a CPU, not when the CPU runs the task for which it was woken.
 */
export class IdleTask {
  readonly #fds: readonly number[];
  readonly #memory: MappedMemory;
  readonly #words: BigUint64Array;

  /** @throws BpfError, or Error when the kernel has no type information */
  static open(): Promise<IdleTask> {
    return withKernelTypes(async (types) => {
      const bytes = availableParallelism() * slotBytes;
      const map = createMap('array', name, { entries: 1, valueBytes: bytes });
      const fds = [map];
      try {
        const attachTo = types.findId('btf_trace_sched_switch', 'typedef');
        const code = assemble(types, map);
        fds.push(await loadProgram({ name, kind: 'tracepoint', attachTo, code }));
        fds.push(attachTracepoint(name, fds[1]));
        return new IdleTask(fds, mapMemory(map, 'read', bytes));
      } catch (error) {
        closeAll(fds);
        throw error;
      }
    });
  }

  private constructor(fds: readonly number[], memory: MappedMemory) {
    this.#fds = fds;
    this.#memory = memory;
    this.#words = new BigUint64Array(memory.memory);
  }

  /** Whether every CPU has switched tasks since this was opened: only then is its time known. */
  get isComplete(): boolean {
    return this.#readCpus().every(({ sinceNs }) => sinceNs > 0n);
  }

  /** Sum over all CPUs since their first switch, in seconds. */
  readSeconds(): number {
    const nowNs = BigInt(originSecond) * 1_000_000_000n + BigInt(monotonicSinceOriginNs());
    const idleNs = this.#readCpus().map(({ sinceNs, isBusy, idleNs: earlierNs }) => {
      return isBusy ? earlierNs : earlierNs + (nowNs - sinceNs);
    });
    return Number(idleNs.reduce((sum, ns) => sum + ns, 0n)) / 1e9;
  }

  close(): void {
    closeAll([...this.#fds]);
    this.#memory.unmap();
  }

  #readCpus(): readonly { sinceNs: bigint; isBusy: boolean; idleNs: bigint }[] {
    return Array.from({ length: availableParallelism() }, (_, cpu) => {
      const at = (cpu * slotBytes) / 8;
      const [sinceNs = 0n, isBusy = 0n, idleNs = 0n] = this.#words.subarray(at);
      return { sinceNs, isBusy: isBusy !== 0n, idleNs };
    });
  }
}

/** tp_btf/sched_switch (preempt, previous, next). The id of the idle task of each CPU is 0. */
function assemble(types: TypeFacts, map: number): Assembler {
  const code = new Assembler();
  const pid = types.findOffset('task_struct', 'pid');
  code
    .move(6, 1)
    .call(getProcessorId)
    .jumpIf(0, 'above', availableParallelism() - 1, 'end');
  code.compute(0, 'shiftLeft', slot.shift).loadMapValue(8, map, 0).add(8, 0).call(ktimeGetNs).move(9, 0);
  code.load(2, 6, 8).load(2, 2, pid, 4).jumpIf(2, 'notEqual', 0, 'begin');
  code.load(3, 8, slot.sinceNs).jumpIf(3, 'equal', 0, 'begin').subtract(0, 3);
  code.load(3, 8, slot.idleNs).add(3, 0).store(8, slot.idleNs, 3);
  code.label('begin').load(2, 6, 16).load(2, 2, pid, 4);
  return code.store(8, slot.isBusy, 2).store(8, slot.sinceNs, 9).label('end').return();
}
