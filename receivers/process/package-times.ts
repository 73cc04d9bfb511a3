import { join } from 'node:path';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { findNames, findText } from '../../src/linux/sysfs.js';
import { parseCpuList } from '../../src/linux/topology.js';
import type { CpuTimeSource } from './cpu-time-source.js';

/** The affinity of a process with more threads is not checked. */
const maxThreads = 256;

/** What is known about packages. */
interface PackageSources {
  readonly procfs: string;
  readonly cpuTime: Pick<CpuTimeSource, 'packageNs'> | undefined;
  readonly packages: CpuPackages | undefined;
}

/**
 * The CPU time of one process on each package since its series started. CPU time whose package is unknown is
 * counted on none.
 */
export class PackageTimes {
  /** Nanoseconds. */
  readonly ns: Float64Array;
  /** Index of the package to which its threads are restricted; undefined: they are not restricted, or unknown. */
  home: number | undefined;
  /** Last values of the source, by package. */
  readonly #last: Float64Array;
  #totalNs = 0;

  /** @param count number of packages */
  constructor(count: number) {
    this.ns = new Float64Array(count);
    this.#last = new Float64Array(count);
  }

  /**
   * Takes a reading.
   * @param totalNs CPU time since its series started
   * @param packageNs CPU time on each package since the start of the process; undefined: unknown to the source
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

  /** Looks for its home, unless CPU time is counted by package: then the affinity need not be checked. */
  findHome(pid: number, { procfs, cpuTime, packages }: PackageSources): void {
    if (packages !== undefined && !cpuTime?.packageNs) this.home = findHome(procfs, pid, packages);
  }

  /** Restarts counting at the last reading. */
  restart(): void {
    this.ns.fill(0);
    this.#totalNs = 0;
  }
}

/**
 * Finds the package to which a process is restricted because its threads may only run on CPUs of that package,
 * by a cpuset of its cgroup or its own affinity.
 * @returns the index of the package; undefined if there is none, or the process has too many threads to check
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
