import { EnergyTotal } from '../../src/energy/energy-total.js';
import type { AnySeries, Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import type { WindowedSource } from '../../src/windows/windowed-source.js';
import type { WorkloadConfig } from './config.js';
import { Division } from './division.js';
import {
  ATTR_WORK_ENERGY_METRIC,
  ATTR_WORK_METHOD,
  ATTR_WORK_UNIT,
  carbonPerUnit,
  energyPerUnit,
  workEnergy,
  workResidual,
} from './metrics.js';
import { Parts, type Part } from './parts.js';
import { UnitCarbon } from './unit-carbon.js';
import { listUnits, type Role } from './units.js';

/** The role of a series in a workload. */
export interface Membership {
  readonly workload: Workload;
  readonly role: Role;
  readonly source: WindowedSource;
  readonly part: Part | undefined;
}

export interface WorkloadOptions {
  readonly windowNs: number;
  readonly halfLifeNs: number;
  readonly maxResidual: number;
  /** Embodied emissions of machines, which every workload shares. */
  readonly embodied: ReadonlySet<WindowedSource>;
  /** Whether another entry of the configuration may use other energy of the same resource. */
  readonly isNamed: boolean;
}

/** The owner of the energy. */
interface Identity {
  readonly resource: Resource;
  readonly attributes: Attributes;
}

/** One workload: the energy of some series, divided among units of work in each window. */
export class Workload {
  /** Whether series were added or ended since the last call. */
  isChanged = false;
  readonly #config: WorkloadConfig;
  readonly #options: WorkloadOptions;
  readonly #units: readonly string[];
  readonly #division: Division;
  readonly #carbon: UnitCarbon | undefined;
  /** For each series of energy, the whole nanojoules taken so far; NaN: nothing yet. */
  readonly #meters = new Map<WindowedSource, number>();
  readonly #parts: Parts;
  /** Growth of each unit and of the background. */
  readonly #unitGrowth: Float64Array;
  readonly #unitNj: Float64Array;
  #members = 0;
  #energyNj = 0;
  /**
   * Whether the energy of a window is completely known, so that it can be used for learning, and whether all
   * counters are.
   */
  #isExact = false;
  #isCounted = false;
  #isLive = false;
  #identity: Identity = { resource: { attributes: {} }, attributes: {} };
  #gauges: readonly Series[] = [];
  #ended: Series[] = [];

  constructor(config: WorkloadConfig, options: WorkloadOptions) {
    this.#config = config;
    this.#options = options;
    this.#units = listUnits(config).map(({ name }) => name);
    const width = this.#units.length + Number(config.background);
    const retention = 2 ** -(options.windowNs / options.halfLifeNs);
    this.#division = new Division({ width, retention, maxResidual: options.maxResidual });
    this.#unitGrowth = new Float64Array(width);
    this.#unitNj = new Float64Array(width);
    if (config.carbon) {
      const embodiedShare = config.carbon.embodied_share;
      this.#carbon = new UnitCarbon({ width, retention, embodiedShare, embodied: options.embodied });
    }
    this.#parts = new Parts(this.#units, config, () => (this.isChanged = true));
  }

  /** Whether there is anything that could be divided. */
  get isEmpty(): boolean {
    return this.#members === 0 && this.#meters.size === 0;
  }

  join(role: Role, series: AnySeries, source: WindowedSource): Membership {
    const part = role.unit < 0 ? undefined : this.#parts.findOrAdd(role.unit, series);
    if (part) {
      part[role.kind === 'minus' ? 'minus' : 'plus'].add(source);
      this.#members += 1;
    } else if (role.kind === 'energy') {
      if (this.#meters.size === 0) this.#identity = identify(series, this.#config, this.#options);
      this.#meters.set(source, NaN);
    } else this.#carbon?.add(source);
    return { workload: this, role, source, part };
  }

  leave({ role, source, part }: Membership): void {
    if (part) {
      this.#members -= 1;
      part[role.kind === 'minus' ? 'minus' : 'plus'].delete(source);
      if (part.plus.size + part.minus.size === 0) this.#remove(part);
    } else if (role.kind === 'energy') this.#meters.delete(source);
    else this.#carbon?.delete(source);
    if (this.#isLive && (this.#members === 0 || this.#meters.size === 0)) this.#end();
  }

  /** Divides the energy of a window. @param startAt its start, Unix time in nanoseconds */
  settle(window: number, startAt: bigint): void {
    if (this.#members === 0 || this.#meters.size === 0) {
      this.#takeEnergy(window);
      return;
    }
    if (!this.#isLive || this.isChanged) this.#begin(startAt);
    this.#isExact = true;
    this.#takeEnergy(window);
    this.#count(window);
    if (this.#isExact && this.#isCounted) this.#division.learn(this.#unitGrowth, this.#energyNj);
    this.#divide();
    this.#carbon?.take(window, {
      unitNj: this.#unitNj,
      units: this.#unitGrowth,
      energyNj: this.#energyNj,
      isDivided: this.#isDivided(),
    });
  }

  /** The columns; none before something could be divided. */
  listSeries(): readonly Series[] {
    if (!this.#isLive) return [];
    const parts = [...this.#parts.all(), this.#parts.undivided].flatMap(({ series }) => series ?? []);
    return [...parts, ...this.#gauges];
  }

  /** Adds the values of the columns after a window. */
  writeValues(values: number[]): void {
    if (!this.#isLive) return;
    for (const { total } of this.#parts.all()) values.push(total.joules);
    values.push(this.#parts.undivided.total.joules);
    for (let unit = 0; unit < this.#units.length; unit++) {
      values.push(this.#division.coefficientOf(unit), this.#ratioOf(unit));
      if (this.#carbon) values.push(this.#carbon.perUnit(unit));
    }
    values.push(this.#division.residual);
  }

  /** The series that have ended since the last call. */
  takeEnded(): readonly Series[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  #takeEnergy(window: number): void {
    this.#energyNj = 0;
    for (const [source, takenNj] of this.#meters) {
      const nowNj = Math.round(source.take(window, 'value') * 1e9);
      const fromNj = Number.isNaN(takenNj) ? Math.round(source.take(window - 1, 'value') * 1e9) : takenNj;
      if (Number.isNaN(nowNj) || source.isPartial(window)) this.#isExact = false;
      if (Number.isNaN(nowNj)) continue;
      this.#meters.set(source, nowNj);
      if (!Number.isNaN(fromNj)) this.#energyNj += nowNj - fromNj;
    }
  }

  /** Computes the growth of the counters of each part and each unit. */
  #count(window: number): void {
    this.#isCounted = true;
    this.#unitGrowth.fill(0);
    let number = 0;
    for (const { unit, plus, minus } of this.#parts.all()) {
      const growth =
        unit === this.#units.length
          ? this.#options.windowNs / 1e9
          : Math.max(0, this.#sum(plus, window) - this.#sum(minus, window));
      this.#parts.growth[number++] = growth;
      this.#unitGrowth[unit] += growth;
    }
  }

  #sum(sources: ReadonlySet<WindowedSource>, window: number): number {
    let sum = 0;
    for (const source of sources) {
      const growth = source.take(window, 'growth');
      const isPartial = source.isPartial(window);
      if (isPartial) this.#isExact = false;
      if (!Number.isNaN(growth)) sum += growth;
      else if (!isPartial) this.#isCounted = false;
    }
    return sum;
  }

  #divide(): void {
    this.#unitNj.fill(0);
    if (!this.#isCounted) {
      this.#parts.undivided.total.add(this.#energyNj);
      return;
    }
    const sharesNj = this.#division.divide(this.#energyNj, this.#parts.growth, this.#parts.units);
    let number = 0;
    for (const { unit, total } of this.#parts.all()) {
      this.#unitNj[unit] += sharesNj[number];
      total.add(sharesNj[number++]);
    }
    this.#parts.undivided.total.add(sharesNj[number]);
  }

  /** Whether the energy of the last window was divided among units; without energy, whether it would have been. */
  #isDivided(): boolean {
    if (!this.#isCounted || !this.#division.isTrusted) return false;
    return (this.#energyNj > 0 ? this.#unitNj : this.#unitGrowth).some((amount) => amount > 0);
  }

  /** The total energy of the last window per unit of growth. */
  #ratioOf(unit: number): number {
    const growth = this.#unitGrowth[unit];
    return this.#isCounted && growth > 0 ? this.#energyNj / 1e9 / growth : NaN;
  }

  #remove(part: Part): void {
    this.#parts.remove(part);
    if (part.series) this.#ended.push(part.series);
  }

  /** Creates series for parts that have none yet. */
  #begin(startAt: bigint): void {
    this.isChanged = true;
    const describe = (metric: Metric, attributes: Attributes): Series => ({
      metric,
      resource: this.#identity.resource,
      attributes: { ...this.#identity.attributes, ...attributes },
      start: startAt,
    });
    for (const part of [...this.#parts.all(), this.#parts.undivided]) {
      part.series ??= describe(workEnergy, part.attributes);
    }
    if (this.#isLive) return;
    this.#isLive = true;
    this.#gauges = [
      ...this.#units.flatMap((unit) => [
        describe(energyPerUnit, { [ATTR_WORK_UNIT]: unit, [ATTR_WORK_METHOD]: 'regression' }),
        describe(energyPerUnit, { [ATTR_WORK_UNIT]: unit, [ATTR_WORK_METHOD]: 'ratio' }),
        ...(this.#carbon ? [describe(carbonPerUnit, { [ATTR_WORK_UNIT]: unit })] : []),
      ]),
      describe(workResidual, {}),
    ];
  }

  /** Ends the series when there is nothing left to divide, or no counter to divide by. Later totals start from 0. */
  #end(): void {
    const all = [...this.#parts.all(), this.#parts.undivided];
    this.#ended.push(...all.flatMap(({ series }) => series ?? []), ...this.#gauges);
    for (const part of all) {
      part.series = undefined;
      part.total = new EnergyTotal();
    }
    this.#isLive = false;
    this.isChanged = true;
  }
}

/** Two workloads may use the energy of one resource, such as that of its CPUs and that of its GPUs. */
function identify(
  { metric, resource, attributes: own }: AnySeries,
  { match, attributes }: WorkloadConfig,
  { isNamed }: WorkloadOptions,
): Identity {
  const names = [...match, ...Object.keys(attributes)].filter((name) => name in own);
  const found = Object.fromEntries(names.map((name) => [name, own[name]]));
  return { resource, attributes: isNamed ? { ...found, [ATTR_WORK_ENERGY_METRIC]: metric.name } : found };
}
