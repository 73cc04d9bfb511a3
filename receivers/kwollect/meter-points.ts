import { IntegratedPower } from '../../src/energy/integrated-power.js';
import { IntegratedMeter } from '../../src/energy/meter-row.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric, Resource, Series } from '../../src/model/series.js';
import {
  hostEnergy,
  hostPower,
  hwCurrent,
  hwPower,
  hwTemperature,
  hwVoltage,
  meterEnergy,
} from '../../src/model/shared-metrics.js';
import type { Table } from '../../src/model/table.js';
import { findQuantity, type Point } from './points.js';

export const metrics: readonly Metric[] = [
  meterEnergy,
  hostEnergy,
  hostPower,
  hwPower,
  hwVoltage,
  hwCurrent,
  hwTemperature,
];

const gauges = {
  power: hwPower,
  temperature: hwTemperature,
  voltage: hwVoltage,
  current: hwCurrent,
} as const;

/** How the points of a meter are published. */
export interface MeterOptions {
  readonly resource: Resource;
  /** Whether it is this host's meter. */
  readonly isHost: boolean;
  readonly maxGapMs: number;
}

/** The points of one meter: a gauge and, for power, energy by integration over the instants of the points. */
export class MeterPoints {
  readonly #gauge: Series;
  readonly #energy: IntegratedMeter | undefined;
  readonly #firstAt: bigint;
  #lastAt: bigint | undefined;
  #series: readonly Series[];

  /** @param first its first point, which is not yet added */
  constructor(first: Point, { resource, isHost, maxGapMs }: MeterOptions) {
    const quantity = findQuantity(first.metric) ?? 'power';
    const isSupply = isHost && quantity === 'power';
    const type = isSupply ? 'host' : quantity === 'temperature' ? 'temperature' : 'meter';
    const attributes = { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: first.id, [ATTR_HW_NAME]: first.node };
    const start = first.at;
    this.#firstAt = start;
    this.#gauge = { metric: isSupply ? hostPower : gauges[quantity], resource, attributes, start };
    this.#series = [this.#gauge];
    if (quantity !== 'power') return;
    const described = {
      ...attributes,
      [ATTR_ENERGY_METHOD]: 'measured',
      [ATTR_ENERGY_INTERFACE]: 'kwollect',
    };
    const energy = { metric: isSupply ? hostEnergy : meterEnergy, resource, attributes: described, start };
    this.#energy = new IntegratedMeter(energy, new IntegratedPower({ maxGapMs }));
    this.#series = [this.#gauge, energy];
  }

  get series(): readonly Series[] {
    return this.#series;
  }

  /** Whether it measures this host. */
  get isOfHost(): boolean {
    return this.#gauge.metric === hostPower;
  }

  /**
   * Takes points in time order; a point that is not after the last one is a duplicate, or too late.
   * @returns tables: another one after a gap, after which another energy series starts
   */
  *take(points: readonly Point[]): Generator<Table> {
    let rows = createRows();
    for (const { at, value } of points) {
      if (this.#lastAt !== undefined && at <= this.#lastAt) continue;
      this.#lastAt = at;
      // Reverse power is not counted.
      const joules = this.#energy?.take(Math.max(0, value) * 1e6, at, Number(at - this.#firstAt));
      const energy = this.#energy?.series;
      const [, before] = this.#series;
      if (energy !== undefined && before !== undefined && energy !== before) {
        yield* createTables(this.#series, rows);
        rows = createRows([before]);
        this.#series = [this.#gauge, energy];
      }
      if (rows.offsets.length === 0) rows.epoch = at;
      rows.offsets.push(Number(at - rows.epoch));
      rows.values.push(value);
      if (joules !== undefined) rows.values.push(joules);
    }
    yield* createTables(this.#series, rows);
  }
}

/** Rows of a table. */
interface Rows {
  epoch: bigint;
  readonly offsets: number[];
  readonly values: number[];
  /** Series that ended before them. */
  readonly ended: readonly Series[];
}

function createRows(ended: readonly Series[] = []): Rows {
  return { epoch: 0n, offsets: [], values: [], ended };
}

function createTables(series: readonly Series[], { epoch, offsets, values, ended }: Rows): readonly Table[] {
  if (offsets.length === 0) return [];
  const table = { series, epoch, offsets: Float64Array.from(offsets), values: Float64Array.from(values) };
  return [ended.length === 0 ? table : { ...table, ended }];
}
