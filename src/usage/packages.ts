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
 * CPU time of workloads on each package of a machine with several (docs/ledger.md, Packages). Where the package
 * is known, it is exact; other usage is assumed to be on the packages that were busy beyond that. Times are
 * nanoseconds.
 */
export class Packages {
  readonly #options: PackagesOptions;
  /** Sorted by number. */
  #packages: Package[] = [];
  readonly #counters = new Map<Series, PackageCounter>();
  readonly #cgroups = new PackageCgroups();
  readonly #parts: number[] = [];
  readonly #shares: number[] = [];

  constructor(options: PackagesOptions) {
    this.#options = options;
  }

  /** Number of packages; 0: usage by package is not known, or there is only one package. */
  get count(): number {
    return this.#packages.length > 1 ? this.#packages.length : 0;
  }

  /** The receiver of a package's busy time. */
  packageOf({ attributes }: Series): Package {
    const number = Number(attributes[ATTR_CPU_PACKAGE]);
    const known = this.#packages.find((one) => one.number === number);
    if (known) return known;
    const created = new Package(number, this.#options.cpuCount);
    this.#packages = [...this.#packages, created].toSorted((a, b) => a.number - b.number);
    return created;
  }

  /** The receiver of a workload's CPU time on a package. */
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
      // The usage between the previous counter and this one is not known.
      known?.read(startAt, 0);
      return curves && (known ?? findOrAdd(curves, number, () => new UsageCurve(startAt)));
    };
    return findOrAdd(this.#counters, series, () => new PackageCounter(find));
  }

  /** A series has no further readings. A package whose busy time has ended was removed, or its CPUs are offline. */
  end(series: Series): void {
    this.#counters.delete(series);
    this.#packages = this.#packages.filter((one) => !one.isReadFrom(series));
  }

  /**
   * Writes the usage of a workload on each package between two boundaries, to be called once for each, as the
   * last element of its column.
   */
  collect({ packages }: Workload, [from, to]: readonly [number, number], columns: readonly number[][]): void {
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      column[column.length - 1] = packages?.get(this.#packages[i].number)?.cut(from, to) ?? 0;
    }
  }

  /**
   * Divides the usage of each workload between two boundaries among the packages.
   * @param columns for each package, the known usage of each workload; replaced by the usage found
   * @returns undefined where the busy time of a package is not known
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
    // Where nothing remains, the usage exceeds the busy time of the machine, and no package is more likely than
    // another.
    const weights = sum(freeNs) > 0 ? freeNs : growths.map(() => 1);
    for (const i of unknown) this.#spread(usage.cpuNs[i], weights, { columns, at: i });
    return this.#packages.map(({ number, carry }, p) => {
      const own = columns[p];
      return { number, busyNs: carry.settle(growths[p], sum(own)), cpuNs: own };
    });
  }

  /**
   * @returns the workloads for which neither their own usage by package nor that of a cgroup that contains them
   * is known
   */
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

  /** @returns whether the packages of a workload's usage are known */
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

  /** @param seconds busy time since the start of its series; not finite: no reading */
  read(series: Series, seconds: number): void {
    if (series !== this.#series) this.#lastNs = NaN;
    this.#series = series;
    const nowNs = Math.round(seconds * 1e9);
    this.#nowNs = Number.isFinite(nowNs) ? nowNs : NaN;
  }

  isReadFrom(series: Series): boolean {
    return series === this.#series;
  }

  /** @returns busy time since the previous boundary; NaN: not known */
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

  /** @param find returns the curve on which its growth is counted; undefined: its workload is not known yet */
  constructor(find: () => UsageCurve | undefined) {
    this.#find = find;
  }

  /** @param seconds since the counter's start; not finite: no reading */
  read(seconds: number, at: number): void {
    const usedNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(usedNs)) return;
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
