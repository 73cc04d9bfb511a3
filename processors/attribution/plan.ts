import { busyTime, cpuTick, meteredEnergyNames, processCpuTime } from '../../src/model/shared-metrics.js';
import type { Series } from '../../src/model/series.js';
import type { Consumer, UsageSource } from './consumer.js';
import type { EnergyMeter } from './energy-meter.js';
import type { DomainFloor } from './domain-floor.js';
import type { CpuCount } from './cpu-count.js';
import type { UsageTick } from './usage-tick.js';
import { cpuCountName, modelFloorName } from './metrics.js';

/** A column of a table, and who takes its values. */
interface Column<Taker> {
  readonly index: number;
  readonly taker: Taker;
}

/** What the columns of a table are to the ledger, decided once per array of series. */
export interface Plan {
  readonly meters: readonly Column<EnergyMeter>[];
  readonly floors: readonly Column<DomainFloor>[];
  readonly sources: readonly Column<UsageSource>[];
  /** Those that the sources belong to, each once. */
  readonly consumers: readonly Consumer[];
  readonly busy: Column<Series> | undefined;
  readonly cpus: Column<CpuCount> | undefined;
  readonly tick: Column<UsageTick> | undefined;
}

/** Finds who takes the values of a series. */
export interface Takers {
  meterOf(energy: Series): EnergyMeter;
  floorOf(modelFloor: Series): DomainFloor;
  sourceOf(cpuTime: Series): UsageSource;
  readonly cpuCount: CpuCount;
  readonly tick: UsageTick;
}

/** @returns undefined where no column is anything to the ledger */
export function createPlan(series: readonly Series[], takers: Takers): Plan | undefined {
  const pickAll = <Taker>(names: ReadonlySet<string>, takerOf: (one: Series) => Taker): Column<Taker>[] =>
    series.flatMap((one, index) => (names.has(one.metric.name) ? [{ index, taker: takerOf(one) }] : []));
  const pick = <Taker>(name: string, takerOf: (one: Series) => Taker) => pickAll(new Set([name]), takerOf);
  const sources = pick(processCpuTime.name, (one) => takers.sourceOf(one));
  const plan = {
    meters: pickAll(meteredEnergyNames, (one) => takers.meterOf(one)),
    floors: pick(modelFloorName, (one) => takers.floorOf(one)),
    sources,
    consumers: [...new Set(sources.map(({ taker }) => taker.consumer))],
    busy: pick(busyTime.name, (one) => one).at(0),
    cpus: pick(cpuCountName, () => takers.cpuCount).at(0),
    tick: pick(cpuTick.name, () => takers.tick).at(0),
  };
  const isNothing =
    plan.meters.length + plan.floors.length + sources.length === 0 && !plan.busy && !plan.cpus && !plan.tick;
  return isNothing ? undefined : plan;
}
