import {
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_POWER_WINDOW,
  ATTR_HW_STATE,
  ATTR_HW_TYPE,
} from '../model/semantic-conventions.js';
import type { Attributes, Metric, Series } from '../model/series.js';
import {
  hostEnergy,
  hostPower,
  hwCurrent,
  hwFanSpeed,
  hwFanSpeedRatio,
  hwPower,
  hwStatus,
  hwTemperature,
  hwVoltage,
  meterEnergy,
  meterResolution,
} from '../model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { describeEnergy, MeterEnergy, type MeterEnergyOptions, type ReadingTime } from './meter-energy.js';
import { healthStates, type MeterReading } from './meter-reading.js';

/** The metrics of a `MeterTable`. */
export const meterMetrics: readonly Metric[] = [
  meterEnergy,
  meterResolution,
  hostEnergy,
  hostPower,
  hwPower,
  hwVoltage,
  hwCurrent,
  hwTemperature,
];

/** Options of a table. */
export interface MeterTableOptions extends MeterEnergyOptions {
  /**
   * The attributes of the whole host, if this meter measures it: then the top-level readings add up to the
   * energy of the host.
   */
  readonly host?: Attributes | undefined;
}

/** An instant on the clocks of this machine. */
export interface Instant {
  /** Unix time in nanoseconds. */
  readonly at: bigint;
  readonly monotonicNs: bigint;
}

interface Gauge {
  readonly metric: Metric;
  readonly attributes?: Attributes;
  read(reading: MeterReading): number | undefined;
}

const gauges: readonly Gauge[] = [
  {
    metric: meterResolution,
    read: ({ energy }) => (energy?.hidesStep === true ? undefined : energy?.joules),
  },
  { metric: hwPower, read: ({ watts }) => watts },
  { metric: hwVoltage, read: ({ volts }) => volts },
  { metric: hwCurrent, read: ({ amperes }) => amperes },
  { metric: hwTemperature, read: ({ celsius }) => celsius },
  { metric: hwFanSpeed, read: ({ rpm }) => rpm },
  { metric: hwFanSpeedRatio, read: ({ fanRatio }) => fanRatio },
  ...healthStates.map((name) => ({
    metric: hwStatus,
    attributes: { [ATTR_HW_STATE]: name },
    read: ({ state }: MeterReading) => (state === undefined ? undefined : Number(state === name)),
  })),
];

/** A series and its latest value. */
interface Cell {
  readonly series: Series;
  value: number;
}

/** One thing that a meter measures. */
interface Channel {
  readonly attributes: Attributes;
  readonly energy: MeterEnergy;
  readonly gauges: (Cell | undefined)[];
}

/**
 * The series of a meter: of each thing that it measures, and of the whole host if these are its supplies.
 * Things may come and go; a missing value is a gap.
 */
export class MeterTable {
  readonly #options: MeterTableOptions;
  readonly #channels = new Map<string, Channel>();
  #hostEnergy: Cell | undefined;
  #hostPower: Cell | undefined;
  /** Total of the supplies when the energy of the host started. */
  #hostBase = 0;
  #series: readonly Series[] = [];
  #cells: readonly Cell[] = [];
  #ended: Series[] = [];
  #isChanged = false;
  /** Whether the energy of a channel has started or ended since the host's sum was started. */
  #isEnergyChanged = false;
  #at = 0n;
  #originNs: bigint | undefined;

  constructor(options: MeterTableOptions) {
    this.#options = options;
  }

  /**
   * The row of one answer of the meter.
   * @param isRestarted whether the meter has restarted since the previous row
   */
  row({ at, monotonicNs }: Instant, readings: readonly MeterReading[], isRestarted = false): Table {
    this.#at = at;
    this.#originNs ??= monotonicNs;
    const time = { at, atNs: Number(monotonicNs - this.#originNs), isRestarted };
    this.#endMissing(readings);
    for (const reading of readings) this.#take(reading, time);
    if (this.#options.host !== undefined) this.#sumUp(this.#options.host, readings);
    if (this.#isChanged) this.#listCells();
    const values = Float64Array.from(this.#cells, ({ value }) => value);
    const row = createRow(this.#series, at, values);
    const ended = this.#ended;
    this.#ended = [];
    return ended.length === 0 ? row : { ...row, ended };
  }

  /** Ends every series: later readings belong to new ones. */
  restart(at: bigint): readonly Table[] {
    const ended = this.#series;
    this.#channels.clear();
    this.#hostEnergy = undefined;
    this.#hostPower = undefined;
    this.#listCells();
    return ended.length === 0 ? [] : [createEnding(ended, at)];
  }

  #take(reading: MeterReading, time: ReadingTime): void {
    const channel = this.#channels.get(reading.id) ?? this.#add(reading);
    const { energy } = channel;
    const before = energy.series;
    energy.take(reading, time);
    if (energy.series !== before) {
      if (before !== undefined) this.#ended.push(before);
      this.#noteEnergy();
    }
    gauges.forEach((gauge, place) => this.#takeGauge(channel, place, gauge, reading));
  }

  #add({ id, type, name, parent, windowMs }: MeterReading): Channel {
    const attributes = {
      [ATTR_HW_TYPE]: type,
      [ATTR_HW_ID]: id,
      ...(name !== undefined && { [ATTR_HW_NAME]: name }),
      ...(parent !== undefined && { [ATTR_HW_PARENT]: parent }),
      ...(windowMs !== undefined && { [ATTR_HW_POWER_WINDOW]: `${windowMs / 1e3}s` }),
    };
    const channel = { attributes, energy: new MeterEnergy(attributes, this.#options), gauges: [] };
    this.#channels.set(id, channel);
    return channel;
  }

  /** Energy has started or ended. */
  #noteEnergy(): void {
    this.#isChanged = true;
    this.#isEnergyChanged = true;
  }

  /** The series of a gauge starts with its first known value. */
  #takeGauge(
    { attributes, gauges: cells }: Channel,
    place: number,
    gauge: Gauge,
    reading: MeterReading,
  ): void {
    const value = gauge.read(reading) ?? NaN;
    const cell = cells[place];
    if (cell !== undefined) cell.value = value;
    else if (!Number.isNaN(value))
      cells[place] = this.#begin(gauge.metric, { ...attributes, ...gauge.attributes }, value);
  }

  #begin(metric: Metric, attributes: Attributes, value: number): Cell {
    this.#isChanged = true;
    return { series: { metric, attributes, resource: this.#options.resource, start: this.#at }, value };
  }

  /** Adds up the supplies of the host. Once a supply starts or ends, a new sum is started. */
  #sumUp(host: Attributes, readings: readonly MeterReading[]): void {
    const supplies = readings.filter((reading) => this.#isSupply(reading));
    // Without supplies, the energy of the host is unknown, not 0.
    const none = supplies.length === 0 ? NaN : 0;
    const joules = supplies.reduce(
      (sum, { id }) => sum + (this.#channels.get(id)?.energy.value ?? NaN),
      none,
    );
    const watts = supplies.reduce((sum, reading) => sum + (reading.watts ?? NaN), none);
    this.#showHostEnergy(host, joules);
    if (this.#hostPower !== undefined) this.#hostPower.value = watts;
    else if (!Number.isNaN(watts)) this.#hostPower = this.#begin(hostPower, host, watts);
  }

  /**
   * Whether it is not part of another reading, and has had energy once, even if it has none now: then the sum
   * is a gap.
   */
  #isSupply({ id, parent }: MeterReading): boolean {
    if (this.#channels.get(id)?.energy.series === undefined) return false;
    return parent === undefined || !this.#channels.has(parent);
  }

  #showHostEnergy(host: Attributes, joules: number): void {
    if (this.#isEnergyChanged && this.#hostEnergy !== undefined) {
      this.#ended.push(this.#hostEnergy.series);
      this.#hostEnergy = undefined;
    }
    this.#isEnergyChanged = false;
    if (this.#hostEnergy !== undefined) this.#hostEnergy.value = joules - this.#hostBase;
    else if (!Number.isNaN(joules)) {
      this.#hostBase = joules;
      this.#hostEnergy = this.#begin(hostEnergy, describeEnergy(host, this.#options.interface), 0);
    }
  }

  #endMissing(readings: readonly MeterReading[]): void {
    const ids = new Set(readings.map(({ id }) => id));
    for (const [id, channel] of this.#channels) {
      if (ids.has(id)) continue;
      this.#channels.delete(id);
      this.#ended.push(...cellsOf(channel).map(({ series }) => series));
      this.#noteEnergy();
    }
  }

  #listCells(): void {
    const host = [this.#hostEnergy, this.#hostPower].filter((cell) => cell !== undefined);
    this.#cells = [...[...this.#channels.values()].flatMap(cellsOf), ...host];
    this.#series = this.#cells.map(({ series }) => series);
    this.#isChanged = false;
  }
}

function cellsOf({ energy, gauges: cells }: Channel): readonly Cell[] {
  return [energy, ...cells].filter((cell): cell is Cell => cell?.series !== undefined);
}
