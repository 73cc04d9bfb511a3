import { join } from 'node:path';
import { findText } from './sysfs.js';
import { findCpuPlace, parseCpuList } from './topology.js';

/** Of a CPU whose package is not known: it is offline, or not there. */
export const noPackage = 255;

/** More than machines have; what follows CPU time by package has room for this many. */
const maxPackages = 16;

/** The packages of a machine with several, and which CPUs each has. */
export class CpuPackages {
  /** The kernel's numbers of them, ascending. */
  readonly numbers: readonly number[];
  /** By logical CPU: the place of its package in `numbers`, or `noPackage`. */
  readonly byCpu: Uint8Array;
  readonly #sysfs: string;

  /** @returns undefined where there is one package only, more than are followed, or sysfs does not say */
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

  /** Finds the packages of CPUs that have come online since: sysfs does not say where those are that are not. */
  refresh(): void {
    for (const [cpu, place] of this.byCpu.entries()) {
      if (place === noPackage) this.byCpu[cpu] = this.#placeOf(cpu);
    }
  }

  /** The place of the package that has all of these CPUs; undefined: they are on several, or it is not known. */
  findHome(cpus: readonly number[]): number | undefined {
    const places = new Set(cpus.map((cpu) => this.byCpu[cpu] ?? noPackage));
    // CPUs that are offline run nothing.
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
