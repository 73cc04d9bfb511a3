import type { CpuCount } from '../energy/floor-learner.js';
import { share } from '../energy/share.js';
import { UsageCurve } from '../energy/usage-curve.js';
import { findOrAdd } from '../model/plan.js';
import { ATTR_CPU_PACKAGE } from '../model/semantic-conventions.js';
import type { Series } from '../model/series.js';
import { cgroupPackageTime } from '../model/usage-metrics.js';
import { BusyCarry } from './busy-carry.js';
import { findRest, PackageCgroups, takeFrom, type PackageRests } from './package-cgroups.js';
import type { PackageUse, Usage } from './usage.js';
import type { KnownWorkloads, Workload } from './workload.js';

export interface PackagesOptions extends KnownWorkloads {
  readonly cpuCount: CpuCount;
}

/**
 * What workloads used on each package of a machine with several (docs/ledger.md, Packages). What is known of a workload
 * is exact; what is not is on the packages that were busy beyond that. Nanoseconds throughout.
 */
export class Packages {
  readonly #options: PackagesOptions;
  /** In the order of their numbers. */
  #packages: Package[] = [];
  readonly #counters = new Map<Series, PackageCounter>();
  readonly #cgroups = new PackageCgroups();
  readonly #parts: number[] = [];
  readonly #shares: number[] = [];

  constructor(options: PackagesOptions) {
    this.#options = options;
  }

  /** How many there are; 0: where something was used is not known, or there is one package only. */
  get count(): number {
    return this.#packages.length > 1 ? this.#packages.length : 0;
  }

  /** What takes the busy time of a package. */
  packageOf({ attributes }: Series): Package {
    const number = Number(attributes[ATTR_CPU_PACKAGE]);
    const known = this.#packages.find((one) => one.number === number);
    if (known) return known;
    const created = new Package(number, this.#options.cpuCount);
    this.#packages = [...this.#packages, created].toSorted((a, b) => a.number - b.number);
    return created;
  }

  /** What takes the CPU time of a workload on a package. */
  counterOf(series: Series): PackageCounter {
    const startAt = Number(series.start - this.#options.epoch);
    const { number } = this.packageOf(series);
    const isOfCgroup = series.metric.name === cgroupPackageTime.name;
    const find = () => {
      const { resource } = series;
      const curves = isOfCgroup
        ? this.#cgroups.curvesOf(this.#options.findCgroup(resource))
        : openCurves(this.#options.find(resource));
      const known = curves?.get(number);
      // What was used between the counter before and this one is not known.
      known?.read(startAt, 0);
      return curves && (known ?? findOrAdd(curves, number, () => new UsageCurve(startAt)));
    };
    return findOrAdd(this.#counters, series, () => new PackageCounter(find));
  }

  /** A series has no further reading. */
  end(series: Series): void {
    this.#counters.delete(series);
  }

  /** Writes what a workload used on each package between two boundaries, asked once for each, as the last of its column. */
  collect({ packages }: Workload, [from, to]: readonly [number, number], columns: readonly number[][]): void {
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      column[column.length - 1] = packages?.get(this.#packages[i].number)?.cut(from, to) ?? 0;
    }
  }

  /**
   * Divides what each workload used between two boundaries among the packages.
   * @param columns for each package what is known of each workload; what it used there instead, afterwards
   * @returns undefined where it is not known how busy each package was
   */
  cut(
    between: readonly [number, number],
    usage: Pick<Usage, 'workloads' | 'cpuNs'>,
    columns: readonly number[][],
  ): readonly PackageUse[] | undefined {
    if (this.#packages.length === 0) return undefined;
    const growths = this.#packages.map((one) => one.cut());
    const numbers = this.#packages.map(({ number }) => number);
    const rests = this.#cgroups.cut(between, numbers);
    if (columns.length === 0 || columns.length !== growths.length) return undefined;
    if (growths.some((busyNs) => Number.isNaN(busyNs))) return undefined;
    const unknown = this.#divideByCgroups(usage, columns, rests);
    const freeNs = growths.map((busyNs, p) => Math.max(0, busyNs - sum(columns[p])));
    // Where nothing is left, it is beyond what the machine was busy, and no package is more likely than another.
    const weights = sum(freeNs) > 0 ? freeNs : growths.map(() => 1);
    for (const i of unknown) this.#spread(usage.cpuNs[i], weights, { columns, at: i });
    return this.#packages.map(({ number, carry }, p) => {
      const own = columns[p];
      return { number, busyNs: carry.settle(growths[p], sum(own)), cpuNs: own };
    });
  }

  /** @returns the workloads of which neither they nor a cgroup that they are in are known */
  #divideByCgroups(
    { workloads, cpuNs }: Pick<Usage, 'workloads' | 'cpuNs'>,
    columns: readonly number[][],
    rests: PackageRests,
  ): readonly number[] {
    const unknown: number[] = [];
    for (let i = 0; i < workloads.length; i++) {
      if (!this.#divideKnown(cpuNs[i], i, columns)) unknown.push(i);
      else if (rests.size > 0)
        takeFrom(
          rests,
          workloads[i].within,
          columns.map((column) => column[i]),
        );
    }
    if (rests.size === 0) return unknown;
    return unknown.filter((i) => {
      const rest = findRest(rests, workloads[i].within);
      if (rest === undefined || sum(rest) === 0) return true;
      this.#spread(cpuNs[i], rest, { columns, at: i });
      return false;
    });
  }

  /** @returns whether it is known on which packages a workload was */
  #divideKnown(usedNs: number, at: number, columns: readonly number[][]): boolean {
    for (let p = 0; p < columns.length; p++) this.#parts[p] = columns[p][at];
    this.#parts.length = columns.length;
    if (usedNs > 0 && sum(this.#parts) === 0) return false;
    this.#spread(usedNs, this.#parts, { columns, at });
    return true;
  }

  #spread(
    usedNs: number,
    weights: readonly number[],
    { columns, at }: { readonly columns: readonly number[][]; readonly at: number },
  ): void {
    const whole = sum(weights);
    if (whole > 0) share(usedNs, weights, whole, this.#shares);
    for (let p = 0; p < columns.length; p++) columns[p][at] = whole > 0 ? this.#shares[p] : 0;
  }
}

/** The busy time of the CPUs of one package. */
export class Package {
  readonly number: number;
  readonly carry: BusyCarry;
  #series: Series | undefined;
  #nowNs = NaN;
  #lastNs = NaN;

  constructor(number: number, cpuCount: CpuCount) {
    this.number = number;
    this.carry = new BusyCarry(cpuCount, 'each CPU');
  }

  /** @param seconds busy time since the start of its series; NaN: no reading */
  read(series: Series, seconds: number): void {
    if (series !== this.#series) this.#lastNs = NaN;
    this.#series = series;
    this.#nowNs = Math.round(seconds * 1e9);
  }

  /** @returns for how long it was busy since the boundary before; NaN: not known */
  cut(): number {
    const grownNs = Math.max(0, this.#nowNs - this.#lastNs);
    this.#lastNs = this.#nowNs;
    this.#nowNs = NaN;
    return grownNs;
  }
}

/** One counter of the CPU time of a workload on a package. */
export class PackageCounter {
  readonly #find: () => UsageCurve | undefined;
  #curve: UsageCurve | undefined;
  #lastNs = 0;

  /** @param find where its growth is counted; undefined: its workload is not known yet */
  constructor(find: () => UsageCurve | undefined) {
    this.#find = find;
  }

  /** @param seconds since the counter's start; NaN: no reading */
  read(seconds: number, at: number): void {
    if (Number.isNaN(seconds)) return;
    const usedNs = Math.round(seconds * 1e9);
    this.#curve ??= this.#find();
    this.#curve?.read(at, Math.max(0, usedNs - this.#lastNs));
    this.#lastNs = Math.max(usedNs, this.#lastNs);
  }
}

function openCurves(workload: Workload | undefined): Map<number, UsageCurve> | undefined {
  return workload && (workload.packages ??= new Map<number, UsageCurve>());
}

function sum(parts: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < parts.length; i++) total += parts[i];
  return total;
}
