import { join } from 'node:path';
import { findText } from './sysfs.js';
import { findCpuPlace, parseCpuList } from './topology.js';

/** For a CPU with unknown package: it is offline or does not exist. */
export const noPackage = 255;

/** More than any machine has; accounting by package has room for this many. */
const maxPackages = 16;

/** The packages of a machine with several, and their CPUs. */
export class CpuPackages {
  /** The kernel's package numbers, ascending. */
  readonly numbers: readonly number[];
  /** By logical CPU: the index of its package in `numbers`, or `noPackage`. */
  readonly byCpu: Uint8Array;
  readonly #sysfs: string;

  /** @returns undefined if there is only one package, too many, or sysfs does not report them */
  static find(sysfs: string): CpuPackages | undefined {
    const cpus = parseCpuList(findText(join(sysfs, 'devices/system/cpu/possible')) ?? '');
    const found = new Set(cpus.flatMap((cpu) => findCpuPlace(sysfs, cpu)?.package ?? []));
    if (found.size < 2 || found.size > maxPackages) return undefined;
    const numbers = [...found].toSorted((a, b) => a - b);
    return new CpuPackages(sysfs, numbers, 1 + Math.max(...cpus));
  }

  private constructor(sysfs: string, numbers: readonly number[], cpus: number) {
    this.#sysfs = sysfs;
    this.numbers = numbers;
    this.byCpu = new Uint8Array(cpus).fill(noPackage);
    this.refresh();
  }

  /** Finds the packages of CPUs that have come online since: sysfs does not report those of offline CPUs. */
  refresh(): void {
    for (const [cpu, place] of this.byCpu.entries()) {
      if (place === noPackage) this.byCpu[cpu] = this.#placeOf(cpu);
    }
  }

  /** The index of the package that contains all of these CPUs; undefined: several packages, or unknown. */
  findHome(cpus: readonly number[]): number | undefined {
    const places = new Set(cpus.map((cpu) => this.byCpu[cpu] ?? noPackage));
    // Offline CPUs run nothing.
    places.delete(noPackage);
    const [home] = places;
    return places.size === 1 ? home : undefined;
  }

  #placeOf(cpu: number): number {
    const number = findCpuPlace(this.#sysfs, cpu)?.package;
    const place = number === undefined ? -1 : this.numbers.indexOf(number);
    return place < 0 ? noPackage : place;
  }
}
