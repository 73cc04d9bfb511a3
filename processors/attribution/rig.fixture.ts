import {
  createFakeContext,
  createTableCollector,
  type FakeContext,
  type LogCollector,
} from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { floorPower, hwEnergy } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import {
  busyTime,
  cgroupCpuTime,
  cgroupPackageTime,
  cpuTick,
  packageBusyTime,
  processCpuTime,
  processPackageTime,
} from '../../src/model/usage-metrics.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;
const host: Resource = { attributes: { 'host.name': 'rig' } };

/** Unix time in nanoseconds of a second of the rig's time. */
export function unixNs(seconds: number): bigint {
  return epoch + BigInt(Math.round(seconds * 1e9));
}

/** A process of the rig. Its CPU time counters are those that the last `restart` created. */
export class RigProcess {
  readonly resource: Resource;
  series: readonly [Series, Series];
  readonly #packages = new Map<number, Series>();
  #startS: number;

  constructor(attributes: Attributes, startS: number) {
    this.#startS = startS;
    this.resource = { attributes: { ...host.attributes, ...attributes } };
    this.series = this.#createSeries(startS);
  }

  /** Starts new counters. @returns the old ones */
  restart(startS: number): readonly Series[] {
    const old = [...this.series, ...this.#packages.values()];
    this.series = this.#createSeries(startS);
    this.#packages.clear();
    this.#startS = startS;
    return old;
  }

  /** All series of its counters so far. */
  get allSeries(): readonly Series[] {
    return [...this.series, ...this.#packages.values()];
  }

  /** Its counter on a package. */
  seriesOn(number: number): Series {
    const series = {
      ...this.series[0],
      metric: processPackageTime,
      attributes: { 'cpu.package': number },
      start: unixNs(this.#startS),
    };
    return findOrAdd(this.#packages, number, () => series);
  }

  #createSeries(startS: number): readonly [Series, Series] {
    const create = (mode: string): Series => ({
      metric: processCpuTime,
      resource: this.resource,
      attributes: { 'cpu.mode': mode },
      start: unixNs(startS),
    });
    return [create('user'), create('system')];
  }
}

/** A cgroup of the rig: the counter of its usage, descendants included. */
export function createCgroup(path: string, startS: number, attributes: Attributes = {}): Series {
  const resource = { attributes: { ...host.attributes, 'linux.cgroup.path': path, ...attributes } };
  return { metric: cgroupCpuTime, resource, attributes: {}, start: unixNs(startS) };
}

/** An attribution processor with receivers played by a test. Times are seconds. */
export class Rig {
  readonly out = createTableCollector();
  readonly context: FakeContext;
  /** For each replaced processor, the number of tables up to then. */
  readonly replacedAt: number[] = [];
  processor;
  readonly #config;
  #busy: readonly Series[] = [this.#createBusy(0)];
  #packages: readonly Series[] = createPackages(0);

  constructor(settings: object = {}, context = createFakeContext()) {
    this.context = context;
    this.#config = parseSettings(schema, {
      cpu_count: 2,
      views: ['process', 'program', 'cgroup'],
      ...settings,
    });
    this.processor = factory.create(this.#config, this.context, this.out);
    void this.processor.start();
  }

  /**
   * Replaces the processor, as a reload of the configuration does; the receivers continue. Without effect if it writes an
   * audit file, which it may not have finished.
   */
  replace(): void {
    if (this.#config.audit?.path) return;
    void this.processor.shutdown();
    this.replacedAt.push(this.out.tables.length);
    this.processor = factory.create(this.#config, this.context, this.out);
    void this.processor.start();
  }

  get logLines(): readonly string[] {
    return (this.context.log as LogCollector).lines;
  }

  consume(table: Table): void {
    this.processor.consume(table);
  }

  /** A meter: `hw.energy` of one domain. */
  createMeter(attributes: Attributes = {}, startS = 0): Series {
    const all = { 'hw.type': 'cpu', 'hw.id': 'package-0', 'energy.method': 'estimated', ...attributes };
    return { metric: hwEnergy, resource: host, attributes: all, start: unixNs(startS) };
  }

  /** One row of one meter. */
  energy(meter: Series, atS: number, joules: number): void {
    this.consume(createRow(this.#arrayOf(meter), unixNs(atS), Float64Array.of(joules)));
  }

  /** One row of the floor of a meter's domain. */
  modelFloor(meter: Series, atS: number, watts: number): void {
    const series = { ...meter, metric: floorPower };
    this.consume(createRow([series], unixNs(atS), Float64Array.of(watts)));
  }

  /** CPU seconds of some processes, all in user mode. */
  usage(atS: number, used: readonly (readonly [RigProcess, number])[]): void {
    const series = used.flatMap(([process]) => process.series);
    const values = used.flatMap(([, seconds]) => [seconds, 0]);
    this.consume(createRow(series, unixNs(atS), Float64Array.from(values)));
  }

  /** CPU seconds of some processes on each package; those without a package ran on unknown ones. */
  packageUsage(atS: number, used: readonly (readonly [RigProcess, number, readonly number[]])[]): void {
    const cells = used.flatMap(([process, seconds, byPackage]) => [
      [process.series[0], seconds] as const,
      ...byPackage.map((own, number) => [process.seriesOn(number), own] as const),
    ]);
    this.#row(atS, cells);
  }

  /** CPU seconds of some cgroups, descendants included. */
  cgroupUsage(atS: number, used: readonly (readonly [Series, number])[]): void {
    this.#row(atS, used);
  }

  /** CPU seconds of some cgroups on each package, descendants included. */
  cgroupPackageUsage(atS: number, used: readonly (readonly [Series, readonly number[]])[]): void {
    const cells = used.flatMap(([series, byPackage]) => {
      const seconds = byPackage.reduce((sum, own) => sum + own, 0);
      return [
        [series, seconds] as const,
        ...byPackage.map((own, i) => [this.#packageOf(series, i), own] as const),
      ];
    });
    this.#row(atS, cells);
  }

  #row(atS: number, cells: readonly (readonly [Series, number])[]): void {
    const series = cells.map(([one]) => one);
    const values = Float64Array.from(cells, ([, value]) => value);
    this.consume(createRow(series, unixNs(atS), values));
  }

  readonly #cgroupPackages = new Map<string, Series>();

  #packageOf(cgroup: Series, number: number): Series {
    const path = String(cgroup.resource.attributes['linux.cgroup.path']);
    const series = { ...cgroup, metric: cgroupPackageTime, attributes: { 'cpu.package': number } };
    return findOrAdd(this.#cgroupPackages, `${path} ${number} ${cgroup.start}`, () => series);
  }

  end(atS: number, ...series: readonly Series[]): void {
    this.consume(createEnding(series, unixNs(atS)));
  }

  /** Reports by how much the usage may lag behind, in seconds. */
  tick(atS: number, seconds: number): void {
    const series = { metric: cpuTick, resource: host, attributes: {}, start: unixNs(0) };
    this.consume(createRow([series], unixNs(atS), Float64Array.of(seconds)));
  }

  /** Closes a usage scan. @param byPackage busy seconds of each package, where there are several */
  boundary(atS: number, busySeconds: number, byPackage: readonly number[] = []): void {
    const series = [...this.#busy, ...this.#packages.slice(0, byPackage.length)];
    this.consume(createRow(series, unixNs(atS), Float64Array.of(busySeconds, ...byPackage)));
  }

  /** The CPUs of a package are offline, or it was removed. It must be the last one. */
  endPackage(atS: number, number: number): void {
    this.end(atS, ...this.#packages.slice(number));
  }

  /** Starts a new counter of busy time. @returns the old one */
  restartBusy(startS: number): readonly Series[] {
    const old = [...this.#busy, ...this.#packages];
    this.#busy = [this.#createBusy(startS)];
    this.#packages = createPackages(startS);
    return old;
  }

  /** The ledger's energy by part or reason, and by domain where there are several. */
  parts(domain = 'package-0'): Record<string, number> {
    const own = this.out.last('ledger.energy').filter(({ series }) => series.attributes['hw.id'] === domain);
    return Object.fromEntries(
      own.map(({ series: { attributes }, value }) => [
        String(attributes['ledger.reason'] ?? attributes['ledger.part']),
        value,
      ]),
    );
  }

  /** Joules of each process, by pid. */
  processes(): Record<string, number> {
    return this.#joules('process.energy', 'process.pid');
  }

  /** Joules of each cgroup, by path. */
  cgroups(): Record<string, number> {
    return this.#joules('linux.cgroup.energy', 'linux.cgroup.path');
  }

  #joules(metric: string, identity: string): Record<string, number> {
    const joules: Record<string, number> = {};
    for (const { series, value } of this.out.last(metric)) {
      const id = String(series.resource.attributes[identity]);
      joules[id] = (joules[id] ?? 0) + value;
    }
    return joules;
  }

  readonly #arrays = new Map<Series, readonly Series[]>();

  #arrayOf(series: Series): readonly Series[] {
    const known = this.#arrays.get(series) ?? [series];
    this.#arrays.set(series, known);
    return known;
  }

  #createBusy(startS: number): Series {
    return { metric: busyTime, resource: host, attributes: {}, start: unixNs(startS) };
  }
}

/** Busy time of up to four packages. */
function createPackages(startS: number): readonly Series[] {
  return [0, 1, 2, 3].map((number) => {
    const attributes = { 'cpu.package': number };
    return { metric: packageBusyTime, resource: host, attributes, start: unixNs(startS) };
  });
}

/** A rig with a meter of 10 W and one constantly busy process, played up to 1 s. */
export function playBusy(settings: object = {}, context = createFakeContext()) {
  const rig = new Rig(settings, context);
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '/a' }, 0);
  playSecond({ rig, meter, used: [[process, 0]] }, 0);
  playSecond({ rig, meter, used: [[process, 1]] }, 1);
  return { rig, meter, process };
}

export interface Scan {
  readonly rig: Rig;
  readonly meter: Series;
  readonly used: readonly (readonly [RigProcess, number])[];
}

/** A scan of a machine that uses 10 W and has one busy CPU, all at the same instant. */
export function playSecond({ rig, meter, used }: Scan, atS: number, busyS = atS): void {
  rig.energy(meter, atS, 10 * atS);
  rig.usage(atS, used);
  rig.boundary(atS, busyS);
}
