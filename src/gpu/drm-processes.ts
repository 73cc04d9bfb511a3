import { DrmClients, type DrmClient } from '../linux/drm-clients.js';
import type { DrmEngine } from '../linux/drm-fdinfo.js';
import { findOrAdd } from '../model/plan.js';
import type { GpuTask, ProcessMemory, ProcessSample, ProcessUsage } from './protocol.js';

/** The activity of processes on one GPU. */
export interface DrmUsage {
  readonly usage: ProcessUsage;
  readonly memory: readonly ProcessMemory[];
}

/** The tasks of DRM clients. */
export const drmTasks: readonly GpuTask[] = ['general', 'encoder', 'decoder', 'video', 'copy'];

/** Engines by driver-specific names; all others are for graphics and computing. */
const taskPatterns: readonly (readonly [RegExp, GpuTask])[] = [
  [/^(?:copy|bcs|s?dma)/u, 'copy'],
  [/^enc/u, 'encoder'],
  [/^(?:dec|jpeg)/u, 'decoder'],
  [/^(?:video|vcs|vecs|vpe)/u, 'video'],
];

/** The counts of a client at its last reading. */
interface Counts {
  readonly busy: Map<string, number>;
  seenAt: number;
}

type Shares = Partial<Record<GpuTask, number>>;

/** Which processes use GPUs through the kernel's direct rendering manager, and how much, by GPU. */
export class DrmProcesses {
  readonly #clients: DrmClients;
  readonly #counts = new Map<string, Counts>();
  readonly #clocks = new Map<string, number>();
  #scan = 0;
  #lastNs: bigint | undefined;

  constructor(procfs: string) {
    this.#clients = new DrmClients(procfs);
  }

  /** Processes that could not be read for lack of permission. */
  get unreadable(): number {
    return this.#clients.unreadable;
  }

  /**
   * Reads the activity of processes since the last call. The first call starts counting and returns an empty
   * window.
   * @param addresses the GPUs by PCI address: each is in the result, whether or not a process uses it
   */
  read(addresses: readonly string[]): ReadonlyMap<string, DrmUsage> {
    this.#scan++;
    const clients = this.#clients.scan();
    const toNs = process.hrtime.bigint();
    const fromNs = this.#lastNs ?? toNs;
    this.#lastNs = toNs;
    const ns = Number(toNs - fromNs);
    const result = new Map<string, DrmUsage>();
    for (const address of addresses) {
      const own = clients.filter(({ pciAddress }) => pciAddress === address);
      result.set(address, {
        usage: { fromNs, toNs, samples: this.#takeSamples(own, ns), unseen: 0 },
        memory: own.map(({ pid, memory }) => ({ pid, context: 'drm', bytes: sumMemory(memory) })),
      });
    }
    for (const [key, { seenAt }] of this.#counts) if (seenAt < this.#scan) this.#counts.delete(key);
    return result;
  }

  #takeSamples(clients: readonly DrmClient[], ns: number): readonly ProcessSample[] {
    const byPid = new Map<number, Shares>();
    for (const client of clients) {
      this.#addShares(
        client,
        ns,
        findOrAdd(byPid, client.pid, (): Shares => ({})),
      );
    }
    for (const client of clients) this.#keepClocks(client);
    return [...byPid].map(([pid, shares]) => ({ pid, shares }));
  }

  #addShares(client: DrmClient, ns: number, shares: Shares): void {
    const counts = findOrAdd(this.#counts, client.key, () => ({
      busy: new Map<string, number>(),
      seenAt: 0,
    }));
    counts.seenAt = this.#scan;
    for (const [name, engine] of client.engines) {
      // v3d also counts the CPU time of jobs.
      if (name === 'cpu') continue;
      const window = engine.ns === undefined ? this.#growClock(client, name, engine) : ns;
      const busy = engine.ns ?? engine.cycles?.busy ?? 0;
      const growth = grow(counts, name, busy, window * engine.capacity);
      const task = taskPatterns.find(([pattern]) => pattern.test(name))?.[1] ?? 'general';
      shares[task] = (shares[task] ?? 0) + (window > 0 ? (100 * growth) / window : 0);
    }
  }

  /** Growth of the clock of xe's counts; all clients of a GPU have the same. */
  #growClock({ pciAddress }: DrmClient, name: string, { cycles }: DrmEngine): number {
    const total = cycles?.total ?? NaN;
    return Math.max(0, total - (this.#clocks.get(`${pciAddress} ${name}`) ?? total));
  }

  #keepClocks({ pciAddress, engines }: DrmClient): void {
    for (const [name, { cycles }] of engines)
      if (cycles) this.#clocks.set(`${pciAddress} ${name}`, cycles.total);
  }
}

/**
 * The busy time since the last reading. The busy time of a new client or engine belongs to this window, as far
 * as it fits. A count may decrease temporarily: then nothing is added until it is made up for.
 */
function grow({ busy: known }: Counts, name: string, busy: number, maxBusy: number): number {
  const last = known.get(name) ?? (busy <= maxBusy ? 0 : busy);
  known.set(name, Math.max(last, busy));
  return Math.max(0, busy - last);
}

/** Dedicated memory of the GPU if it has any, otherwise the system memory that it uses. */
function sumMemory(memory: ReadonlyMap<string, number>): number {
  const hasLocal = [...memory.keys()].some((region) => /^(?:vram|local)/u.test(region));
  let bytes = memory.size > 0 ? 0 : NaN;
  for (const [region, count] of memory)
    if (!hasLocal || /^(?:vram|local|stolen)/u.test(region)) bytes += count;
  return bytes;
}
