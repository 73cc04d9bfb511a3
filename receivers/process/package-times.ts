import { join } from 'node:path';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { findNames, findText } from '../../src/linux/sysfs.js';
import { parseCpuList } from '../../src/linux/topology.js';

/** The threads of larger processes are not looked at one by one. */
const maxThreads = 256;

/** The CPU time of one process on each package since its series began. What is not known is on none. */
export class PackageTimes {
  /** Nanoseconds. */
  readonly ns: Float64Array;
  /** The place of the package that its threads cannot leave; undefined: they can, or it is not known. */
  home: number | undefined;
  /** What the source had last, of each package. */
  readonly #last: Float64Array;
  #totalNs = 0;

  /** @param count of packages */
  constructor(count: number) {
    this.ns = new Float64Array(count);
    this.#last = new Float64Array(count);
  }

  /**
   * Takes a reading.
   * @param totalNs CPU time since its series began
   * @param packageNs CPU time on each package since its birth; undefined: the source does not know
   */
  take(totalNs: number, packageNs: Float64Array | undefined): void {
    if (packageNs === undefined && this.home !== undefined) {
      this.ns[this.home] += Math.max(0, totalNs - this.#totalNs);
    }
    this.#totalNs = Math.max(totalNs, this.#totalNs);
    if (packageNs === undefined) return;
    for (let i = 0; i < this.ns.length; i++) {
      this.ns[i] += Math.max(0, packageNs[i] - this.#last[i]);
      this.#last[i] = Math.max(packageNs[i], this.#last[i]);
    }
  }

  /** Counts from the last reading on. */
  restart(): void {
    this.ns.fill(0);
    this.#totalNs = 0;
  }
}

/**
 * Finds the package that a process cannot leave, because its threads may run on CPUs of that one only: a cpuset of its cgroup
 * or its own affinity keeps them there.
 * @returns the place of the package; undefined where there is none, or it has too many threads to look at
 */
export function findHome(procfs: string, pid: number, packages: CpuPackages): number | undefined {
  const folder = join(procfs, String(pid), 'task');
  const threads = findNames(folder);
  if (threads.length === 0 || threads.length > maxThreads) return undefined;
  const [home, ...others] = threads.map((thread) => {
    const status = findText(join(folder, thread, 'status')) ?? '';
    const [, cpus = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status) ?? [];
    return packages.findHome(parseCpuList(cpus));
  });
  return others.every((other) => other === home) ? home : undefined;
}
