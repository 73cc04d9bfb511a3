import { join } from 'node:path';
import { CounterGroup, groupReadFormat } from '../../src/linux/perf/counter-group.js';
import { openPerfEvent, PerfEventError, perfType } from '../../src/linux/perf/event.js';
import { findText } from '../../src/linux/sysfs.js';
import { parseCpuList } from '../../src/linux/topology.js';

/** An event that counts while its CPU is online. Must be closed. */
export interface CpuSentinel {
  /** Whether it has stopped: its CPU went offline since it was opened, even if it is back by now. */
  hasStopped(): boolean;
  close(): void;
}

/** @returns undefined if the user may not count what a CPU runs, or it is offline */
export type OpenCpuSentinel = (cpu: number) => CpuSentinel | undefined;

/** Sampling threads ask once per flush, about once a second: a full second would skip every other time. */
const minReadMs = 500;

interface Watched {
  readonly sentinel: CpuSentinel | undefined;
  readonly restarts: number;
}

/**
 * The CPUs that are online, read at most twice a second. The kernel permanently detaches the events of a CPU that
 * goes offline, and the list does not show a CPU that was offline between two readings: its sentinel does.
 * Must be closed.
 */
export class OnlineCpus {
  readonly #sysfs: string;
  readonly #nowMs: () => number;
  readonly #openSentinel: OpenCpuSentinel;
  readonly #watched = new Map<number, Watched>();
  #restarts: ReadonlyMap<number, number> = new Map();
  #readMs = -Infinity;

  /** @param nowMs a monotonic clock */
  constructor(
    sysfs: string,
    nowMs: () => number = () => performance.now(),
    openSentinel: OpenCpuSentinel = openDummy,
  ) {
    this.#sysfs = sysfs;
    this.#nowMs = nowMs;
    this.#openSentinel = openSentinel;
  }

  /** By CPU, how often it came back between two readings; the same object while nothing has changed. */
  read(): ReadonlyMap<number, number> {
    const nowMs = this.#nowMs();
    if (nowMs - this.#readMs < minReadMs) return this.#restarts;
    this.#readMs = nowMs;
    const isChanged = this.#follow(listOnline(this.#sysfs));
    if (isChanged) this.#restarts = new Map([...this.#watched].map(([cpu, { restarts }]) => [cpu, restarts]));
    return this.#restarts;
  }

  close(): void {
    for (const { sentinel } of this.#watched.values()) sentinel?.close();
    this.#watched.clear();
  }

  /** @returns whether a CPU has gone, come or restarted */
  #follow(online: readonly number[]): boolean {
    const gone = [...this.#watched.keys()].filter((cpu) => !online.includes(cpu));
    for (const cpu of gone) {
      this.#watched.get(cpu)?.sentinel?.close();
      this.#watched.delete(cpu);
    }
    const others = online.map((cpu) => this.#watch(cpu));
    return gone.length > 0 || others.includes(true);
  }

  /** @returns whether the CPU is new or was offline in between */
  #watch(cpu: number): boolean {
    const known = this.#watched.get(cpu);
    if (known !== undefined && known.sentinel?.hasStopped() !== true) return false;
    known?.sentinel?.close();
    const restarts = known === undefined ? 0 : known.restarts + 1;
    this.#watched.set(cpu, { sentinel: this.#openSentinel(cpu), restarts });
    return true;
  }
}

/** The CPUs that are online; 0 where sysfs does not have them. */
export function listOnline(sysfs: string): readonly number[] {
  return parseCpuList(findText(join(sysfs, 'devices/system/cpu/online')) ?? '0');
}

function openDummy(cpu: number): CpuSentinel | undefined {
  const dummy = { name: 'dummy', type: perfType.software, config: 9, readFormat: groupReadFormat };
  try {
    return new DummyEvent(new CounterGroup([openPerfEvent({ ...dummy, pid: -1, cpu })]));
  } catch (error) {
    if (error instanceof PerfEventError) return undefined;
    throw error;
  }
}

/** It counts nothing; the kernel only keeps the time for which it was enabled. */
class DummyEvent implements CpuSentinel {
  readonly #group: CounterGroup;

  constructor(group: CounterGroup) {
    this.#group = group;
    group.read();
  }

  hasStopped(): boolean {
    this.#group.rebase();
    return !this.#group.read() || this.#group.enabledNs === 0;
  }

  close(): void {
    this.#group.close();
  }
}
