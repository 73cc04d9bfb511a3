import { IntegratedPower, type GapLimit } from '../../src/energy/integrated-power.js';
import { IntegratedMeter, MeterRow, type SourcedMeter } from '../../src/energy/meter-row.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_POWER_WINDOW,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { hostEnergy, hostPower, hwPower } from '../../src/model/shared-metrics.js';
import { createRow, type Table } from '../../src/model/table.js';
import type { PowerReading } from './dcmi.js';
import { powerPeriod, powerStatistic } from './metrics.js';
import type { HostSource } from './protocol.js';
import { createGauge, type Origin } from './sensor-series.js';

const statistics = ['minimum', 'maximum', 'average'] as const;

/** How the power of the host is integrated to energy. */
export interface HostOptions {
  /** `hw.host.energy`, or `hw.meter.energy` if another receiver publishes that. */
  readonly energyMetric: Metric;
  /** Maximum time without a reading over which power is integrated. */
  readonly maxGapMs: GapLimit;
}

/** The series of the power of the whole host. */
export class HostSeries {
  readonly #attributes: Attributes;
  readonly #origin: Origin;
  readonly #row: MeterRow;
  readonly #averages = new Map<string, readonly Series[]>();
  /** Watts, microwatts, the statistics in watts and their period in seconds. */
  readonly #values = new Float64Array(6);

  constructor(source: Exclude<HostSource, undefined>, origin: Origin, start: bigint, options: HostOptions) {
    const isDcmi = source === 'dcmi';
    this.#origin = origin;
    this.#attributes = {
      [ATTR_HW_TYPE]: 'host',
      [ATTR_HW_ID]: origin.bmc,
      [ATTR_HW_NAME]: isDcmi ? 'DCMI' : source.name,
    };
    this.#row = new MeterRow(this.#createMeters(isDcmi, start, options));
  }

  get series(): readonly Series[] {
    return [...this.#row.series, ...[...this.#averages.values()].flat()];
  }

  /**
   * @param at Unix time in nanoseconds
   * @param atNs the same time on a monotonic clock
   */
  take({ watts, minWatts, maxWatts, averageWatts, periodMs }: PowerReading, at: bigint, atNs: number): Table {
    this.#values.set([watts, watts * 1e6, minWatts, maxWatts, averageWatts, periodMs / 1e3]);
    return this.#row.take(this.#values, at, atNs);
  }

  /** Takes the mean power over a window and the time at which it ends. */
  takeAverage(window: string, watts: number, at: bigint): Table {
    const series = this.#averages.get(window) ?? [
      this.#create(hwPower, at, { [ATTR_HW_POWER_WINDOW]: window }),
    ];
    this.#averages.set(window, series);
    return createRow(series, at, Float64Array.of(watts));
  }

  #createMeters(
    isDcmi: boolean,
    start: bigint,
    { energyMetric, maxGapMs }: HostOptions,
  ): readonly SourcedMeter[] {
    const powerMetric = energyMetric === hostEnergy ? hostPower : hwPower;
    const energy = this.#create(energyMetric, start, {
      [ATTR_ENERGY_METHOD]: 'measured',
      [ATTR_ENERGY_INTERFACE]: isDcmi ? 'ipmi_dcmi_power' : 'ipmi_power',
    });
    const own = [
      { meter: createGauge(this.#create(powerMetric, start)), source: 0 },
      { meter: new IntegratedMeter(energy, new IntegratedPower({ maxGapMs })), source: 1 },
    ];
    return isDcmi ? [...own, ...this.#createStatistics(start)] : own;
  }

  #createStatistics(start: bigint): readonly SourcedMeter[] {
    const gauges = statistics.map((name, i) => {
      const series = this.#create(powerStatistic, start, { 'ipmi.power.statistic': name });
      return { meter: createGauge(series), source: 2 + i };
    });
    return [...gauges, { meter: createGauge(this.#create(powerPeriod, start)), source: 5 }];
  }

  #create(metric: Metric, start: bigint, more: Attributes = {}): Series {
    return { metric, resource: this.#origin.resource, attributes: { ...this.#attributes, ...more }, start };
  }
}
