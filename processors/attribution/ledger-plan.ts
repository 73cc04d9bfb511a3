import { isPlatform } from '../../src/model/energy-domain.js';
import { ATTR_HW_PARENT } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { floorPower, meteredEnergyNames } from '../../src/model/shared-metrics.js';
import {
  busyTime,
  cgroupCpuTime,
  cgroupPackageTime,
  cpuTick,
  gpuTime,
  interruptTime,
  logicalCpus,
  memoryTrafficMember,
  packageBusyTime,
  processCpuTime,
  processGpuTime,
  processPackageTime,
} from '../../src/model/usage-metrics.js';
import type { CgroupNode } from '../../src/usage/cgroup-node.js';
import type { CgroupCounter } from '../../src/usage/cgroups.js';
import { eventMetrics, type EventReader } from '../../src/usage/events.js';
import type { GpuTimeCounter } from '../../src/usage/gpu-usage.js';
import { trafficNames, type TrafficCounter } from '../../src/usage/memory-traffic.js';
import type { Package, PackageCounter } from '../../src/usage/packages.js';
import type { CpuTimeCounter } from '../../src/usage/workload.js';
import type { Workloads } from '../../src/usage/workloads.js';
import type { EnergyReader } from './containers.js';
import type { Domains } from './domains.js';
import type { Floor } from './floor.js';

/** A column of a table, and the receiver of its values. */
interface Column<Target> {
  readonly index: number;
  readonly target: Target;
}

/** The CPU times of workloads in tables: an object for each column would take 64 bytes more for each of many processes. */
class CpuTimeColumns {
  readonly #indices: readonly number[];
  readonly #counters: readonly CpuTimeCounter[];

  /** @param indices the columns of the counters */
  constructor(indices: readonly number[], counters: readonly CpuTimeCounter[]) {
    // Copies, since V8 keeps room for more in an array that grew.
    this.#indices = indices.slice();
    this.#counters = counters.slice();
  }

  /** @param from index of the first value of the row at this instant */
  readRow(values: Float64Array, from: number, at: number): void {
    for (let i = 0; i < this.#indices.length; i++) this.#counters[i].read(values[from + this.#indices[i]]);
    for (const { workload } of this.#counters) workload.finishRow(at);
  }
}

/** How the ledger uses the columns of a table, determined once per array of series. */
export interface Plan {
  readonly counters: readonly Column<EnergyReader>[];
  readonly floors: readonly Column<Floor>[];
  readonly cpuTimes: CpuTimeColumns | undefined;
  /** CPU time of workloads and cgroups by package. */
  readonly packageTimes: readonly Column<PackageCounter>[];
  readonly packages: readonly Column<{ readonly series: Series; readonly of: Package }>[];
  readonly cgroupTimes: readonly Column<CgroupCounter>[];
  /** Cgroups whose CPU time is in the table, without duplicates. */
  readonly cgroups: readonly CgroupNode[];
  /** Events of the machine and of workloads. */
  readonly events: readonly Column<EventReader>[];
  /** Memory traffic of groups of processes. */
  readonly traffic: readonly Column<TrafficCounter>[];
  readonly gpuTimes: readonly Column<GpuTimeCounter>[];
  /** Each of these ends a usage scan of its GPU. */
  readonly gpuScans: readonly Column<Series>[];
  readonly busy: Column<Series> | undefined;
  /** The part of the busy time that interrupts took. */
  readonly interrupts: Column<Series> | undefined;
  readonly cpuCount: Column<unknown> | undefined;
  readonly tick: Column<unknown> | undefined;
  /** Whether only its energy counters matter. */
  readonly isEnergyOnly: boolean;
  /** Whether it has only CPU time of workloads: nothing can be settled with it, that needs energy or a boundary. */
  readonly isUsageOnly: boolean;
}

/** Creates the receivers of the columns' values. */
export interface PlanTargets {
  readonly domains: Domains;
  readonly workloads: Workloads;
  gpuCounterOf(series: Series): GpuTimeCounter;
}

/** Whether a series is energy that the ledger attributes, of a domain or of a meter that contains domains. */
export function isMetered(series: Series): boolean {
  return meteredEnergyNames.has(series.metric.name) || isPlatform(series);
}

/** @returns undefined where no column is relevant to the ledger */
export function createPlan(series: readonly Series[], targets: PlanTargets): Plan | undefined {
  const { domains, workloads } = targets;
  const pickAll = <Target>(isOne: (one: Series) => boolean, targetOf: (one: Series) => Target) =>
    series.flatMap((one, index) => (isOne(one) ? [{ index, target: targetOf(one) }] : []));
  const pick = <Target>(name: string, targetOf: (one: Series) => Target) =>
    pickAll(({ metric }) => metric.name === name, targetOf);
  for (const one of series) if (one.metric.name === memoryTrafficMember.name) workloads.traffic.join(one);
  const cpuTimes = findCpuTimes(series, workloads);
  const cgroupTimes = pick(cgroupCpuTime.name, (one) => workloads.cgroups.counterOf(one));
  const plan = {
    counters: pickAll(isMetered, (one) => domains.counterOf(one)),
    floors: pick(floorPower.name, (one) => domains.floorOf(one)),
    cpuTimes,
    packageTimes: pickAll(
      ({ metric }) => packageTimeNames.has(metric.name),
      (one) => workloads.packages.counterOf(one),
    ),
    packages: pick(packageBusyTime.name, (one) => ({ series: one, of: workloads.packages.packageOf(one) })),
    cgroupTimes,
    cgroups: [...new Set(cgroupTimes.map(({ target }) => target.node))],
    events: pickAll(
      ({ metric }) => eventMetrics.has(metric.name),
      (one) => workloads.eventCountersOf(one),
    ).flatMap(({ index, target }) => target.map((one) => ({ index, target: one }))),
    traffic: pickAll(
      ({ metric }) => trafficNames.has(metric.name),
      (one) => workloads.traffic.counterOf(one),
    ),
    gpuTimes: pick(processGpuTime.name, (one) => targets.gpuCounterOf(one)),
    gpuScans: pick(gpuTime.name, (one) => {
      // A MIG instance comes before its GPU, which ends the scan.
      if (!isInstance(one)) domains.gpuOf(one).isScanned = true;
      return one;
    }),
    busy: pick(busyTime.name, (one) => one).at(0),
    interrupts: pick(interruptTime.name, (one) => one).at(0),
    cpuCount: pick(logicalCpus.name, (one) => one).at(0),
    tick: pick(cpuTick.name, (one) => one).at(0),
  };
  const given = Object.entries(plan).flatMap(([name, part]) => (isGiven(part) ? [name] : []));
  const isEnergyOnly = given.every((name) => name === 'counters');
  const isUsageOnly = given.every((name) => usageParts.has(name));
  return given.length > 0 ? { ...plan, isEnergyOnly, isUsageOnly } : undefined;
}

function findCpuTimes(series: readonly Series[], workloads: Workloads): CpuTimeColumns | undefined {
  const indices = series.flatMap((one, index) => (isCpuTime(one) ? [index] : []));
  const counters = series.filter(isCpuTime).map((one) => workloads.counterOf(one));
  return counters.length === 0 ? undefined : new CpuTimeColumns(indices, counters);
}

function isCpuTime({ metric }: Series): boolean {
  return metric.name === processCpuTime.name;
}

/** The metrics of CPU time by package. */
const packageTimeNames: ReadonlySet<string> = new Set([processPackageTime.name, cgroupPackageTime.name]);
/** All metrics of packages. */
export const packageNames: ReadonlySet<string> = new Set([...packageTimeNames, packageBusyTime.name]);
const usageParts: ReadonlySet<string> = new Set(['cpuTimes', 'packageTimes']);

/** Whether a part of a plan has any columns. */
function isGiven(part: readonly unknown[] | object | undefined): boolean {
  return Array.isArray(part) ? part.length > 0 : part !== undefined;
}

/** Whether GPU time is that of a MIG instance. */
export function isInstance({ attributes }: Series): boolean {
  return attributes[ATTR_HW_PARENT] !== undefined;
}
