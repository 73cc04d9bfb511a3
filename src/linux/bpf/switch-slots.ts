import { availableParallelism } from 'node:os';
import { monotonicSinceOriginNs, originSecond, readTickNs } from '../clocks.js';
import { findText } from '../sysfs.js';
import { parseCpuList } from '../topology.js';
import { Assembler, type Register } from './assembler.js';
import { attachTracepoint, closeAll, createMap, loadProgram, mapMemory, type MappedMemory } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import { findCpuField } from './package-record.js';
import { readTime } from './process-rows.js';
import { taskField } from './task-record.js';

const name = 'joule_switches';
const ktimeGetNs = 5;
const getProcessorId = 8;
/** One cache line per CPU. */
const slotBytes = 64;
const slotShift = 6;
const slotWords = slotBytes / 4;
/** Offsets in a slot, in bytes. */
const slot = { sinceNs: 0, runtime: 8, tid: 16 } as const;
/** How often a slot that the kernel is writing is read again, and all slots if this thread was preempted meanwhile. */
const maxTries = 8;
const maxReadNs = 10_000;
const maxReadNsPerCpu = 1000;

const context: Register = 1;
const scratch: Register = 2;
const task: Register = 6;
const cpu: Register = 7;
const value: Register = 8;

/**
 * Records for every CPU which thread it runs, and when its CPU time was last accounted: when it was switched
 * in, and at ticks. Thus the CPU time of running threads is known at any instant.
 */
export class SwitchSlots {
  readonly #fds: number[] = [];
  readonly #memory: MappedMemory;
  readonly #map: number;
  readonly #cpus: number;
  /** CPU nanoseconds of the running threads. */
  readonly #running = new Map<number, number>();
  #words: Uint32Array;

  /**
   * @param keepsStoresInOrder whether other CPUs see the stores of a CPU in their order; only x86 guarantees it
   * @throws BpfError, or Error when the kernel's types lack a field
   */
  static async open(types: TypeFacts, keepsStoresInOrder = process.arch === 'x64'): Promise<SwitchSlots> {
    const slots = new SwitchSlots(countSlots());
    try {
      await slots.#attach(types, keepsStoresInOrder);
      return slots;
    } catch (error) {
      slots.close();
      throw error;
    }
  }

  private constructor(cpus: number) {
    this.#cpus = cpus;
    this.#map = createMap('array', name, { entries: 1, valueBytes: cpus * slotBytes });
    this.#fds.push(this.#map);
    try {
      this.#memory = mapMemory(this.#map, 'read', cpus * slotBytes);
    } catch (error) {
      closeAll(this.#fds);
      throw error;
    }
    this.#words = new Uint32Array(this.#memory.memory);
  }

  async #attach(types: TypeFacts, keepsStoresInOrder: boolean): Promise<void> {
    const slots = { map: this.#map, cpus: this.#cpus, keepsStoresInOrder };
    await this.#attachTo(types, 'sched_switch', assembleSwitch(types, slots));
    // Without it, a time slice would include the time of interrupts and of a hypervisor.
    await this.#attachTo(types, 'sched_stat_runtime', assembleBooking(types, slots));
  }

  async #attachTo(types: TypeFacts, event: string, code: Assembler): Promise<void> {
    const attachTo = types.findId(`btf_trace_${event}`, 'typedef');
    const program = await loadProgram({ name, kind: 'tracepoint', attachTo, code });
    this.#fds.push(program);
    this.#fds.push(attachTracepoint(name, program));
  }

  /**
   * Reads what all CPUs are running.
   * @returns the instant, of CLOCK_MONOTONIC in nanoseconds after `originSecond`
   */
  read(): number {
    for (let tries = 1; ; tries++) {
      const nowNs = monotonicSinceOriginNs();
      this.#running.clear();
      for (let index = 0; index < this.#cpus; index++) {
        this.#readSlot(index * slotWords, originSecond * 1e9 + nowNs);
      }
      // If this thread was preempted, the slots are of a later instant.
      const isTimely = monotonicSinceOriginNs() - nowNs < maxReadNs + this.#cpus * maxReadNsPerCpu;
      if (isTimely || tries === maxTries) return nowNs;
    }
  }

  /** CPU nanoseconds of a thread at the last reading; undefined if it was not running then. */
  find(tid: number): number | undefined {
    return this.#running.get(tid);
  }

  /** Ends the recording. May be called again. */
  close(): void {
    if (this.#fds.length === 0) return;
    closeAll(this.#fds);
    this.#words = new Uint32Array(this.#words.length);
    this.#memory.unmap();
  }

  #readSlot(at: number, nowNs: number): void {
    for (let tries = 0; tries < maxTries; tries++) {
      const sinceNs = this.#readTime(at + slot.sinceNs / 4);
      const tid = Atomics.load(this.#words, at + slot.tid / 4);
      const runtimeNs = this.#readTime(at + slot.runtime / 4);
      if (sinceNs === 0 || sinceNs !== this.#readTime(at + slot.sinceNs / 4)) continue;
      // 0 is the idle task of each CPU.
      if (tid !== 0) this.#running.set(tid, runtimeNs + Math.max(0, nowNs - sinceNs));
      return;
    }
  }

  /** Exact for 104 days after boot, and to 2 ns for as long again. */
  #readTime(at: number): number {
    return Atomics.load(this.#words, at) + Atomics.load(this.#words, at + 1) * 2 ** 32;
  }
}

/** One more than the highest possible CPU number. */
function countSlots(): number {
  const possible = parseCpuList(findText('/sys/devices/system/cpu/possible') ?? '');
  return 1 + Math.max(availableParallelism() - 1, ...possible);
}

interface SlotMap {
  readonly map: number;
  readonly cpus: number;
  readonly keepsStoresInOrder: boolean;
}

/** tp_btf/sched_switch (preempt, previous, next). */
function assembleSwitch(types: TypeFacts, slots: SlotMap): Assembler {
  const code = new Assembler();
  code.load(task, context, 16).call(getProcessorId);
  return noteTask(code, types, slots);
}

/**
 * tp_btf/sched_stat_runtime (task, runtime), after the CPU time is accounted; on any CPU, under the lock of the
 * task's CPU.
 */
function assembleBooking(types: TypeFacts, slots: SlotMap): Assembler {
  const code = new Assembler();
  code.load(task, context, 0).load(0, task, findCpuField(types), 4);
  return noteTask(code, types, slots);
}

/** Writes the slot of the CPU in r0. Its time is 0 while it is being written. */
function noteTask(code: Assembler, types: TypeFacts, slots: SlotMap): Assembler {
  const { map, cpus } = slots;
  code
    .jumpIf(0, 'above', cpus - 1, 'end')
    .move(cpu, 0)
    .compute(cpu, 'shiftLeft', slotShift);
  code.loadMapValue(value, map, 0).add(value, cpu);
  storeTime(code.set(scratch, 0), scratch, slots);
  code.load(scratch, task, types.findOffset('task_struct', 'pid'), 4).store(value, slot.tid, scratch, 4);
  code.load(scratch, task, types.findOffset('task_struct', 'se.sum_exec_runtime'));
  code.store(value, slot.runtime, scratch);
  storeTime(code.call(ktimeGetNs), 0, slots);
  return code.label('end').return();
}

/** The rest of the slot is written between its two times for every other CPU, too. */
function storeTime(code: Assembler, from: Register, { keepsStoresInOrder }: SlotMap): void {
  if (keepsStoresInOrder) code.store(value, slot.sinceNs, from);
  else code.exchange(value, slot.sinceNs, from);
}

const maxLagNs = 1.5 * readTickNs();

/**
 * CPU time of a running thread at the instant of the pass since its last accounting, at a tick; negative if
 * that tick came after the instant. Time taken by a hypervisor or interrupts is not accounted, so it is hardly
 * more than a tick.
 */
export function countSinceTick(slots: SwitchSlots, words: Uint32Array, at: number): number {
  const cpuTimeNs = slots.find(words[at + taskField.tid]);
  if (cpuTimeNs === undefined) return 0;
  return Math.max(-maxLagNs, Math.min(cpuTimeNs - readTime(words, at + taskField.runtime), maxLagNs));
}
