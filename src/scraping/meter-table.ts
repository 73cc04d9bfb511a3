import { elementAt } from '../element.js';
import { IntegratedPower } from '../energy/integrated-power.js';
import { IntegratedMeter } from '../energy/meter-row.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
} from '../model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../model/series.js';
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
import { Counters } from './counter-table.js';
import { Counts } from './counts.js';
import { healthStates, type EnergyCount, type MeterReading } from './meter-reading.js';

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

/** What a table is made for. */
export interface MeterTableOptions {
  readonly resource: Resource;
  /** `energy.interface`: how the meter is asked. */
  readonly interface: string;
  /**
   * The attributes of the whole host, where this meter is its: then the readings, without those whose parent is one of
   * them, add up to the energy of the host.
   */
  readonly host?: Attributes | undefined;
  /** For things without an energy counter: the longest time between two readings over which power is integrated. */
  readonly maxGapMs: number;
}

/** An instant by the clocks of this machine. */
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
    attributes: { 'hw.state': name },
    read: ({ state }: MeterReading) => (state === undefined ? undefined : Number(state === name)),
  })),
];

/** A series and its latest value. */
interface Cell {
  readonly series: Series;
  value: number;
}

/** Energy that is counted, in steps of the meter, from its first reading on. */
interface EnergyCell extends Cell {
  readonly counters: Counters;
  readonly joules: number;
  count: number;
}

/** Energy that is integrated from power. */
interface IntegratedCell {
  readonly meter: IntegratedMeter;
  series: Series;
  value: number;
}

/** One thing that a meter measures. */
interface Channel {
  readonly attributes: Attributes;
  energy: EnergyCell | undefined;
  integrated: IntegratedCell | undefined;
  readonly gauges: (Cell | undefined)[];
}

/**
 * The series of a meter: of each thing that it measures, and of the whole host where these are its supplies. Things may come
 * and go. A counter that falls, or that the meter has lost, begins a new series; a value that is missing is a gap.
 */
export class MeterTable {
  readonly #options: MeterTableOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #counts = new Counts(1);
  readonly #host: (Cell | undefined)[] = [];
  /** What the readings had counted when the energy of the host began. */
  #hostBase = 0;
  #series: readonly Series[] = [];
  #cells: readonly Cell[] = [];
  #ended: Series[] = [];
  #isChanged = false;
  /** Whether energy of a channel has begun or ended since the sum of the host. */
  #isEnergyChanged = false;
  #at = 0n;
  #nowNs = 0;
  #originNs: bigint | undefined;

  constructor(options: MeterTableOptions) {
    this.#options = options;
  }

  /**
   * The row of one answer of the meter.
   * @param isRestarted whether the meter has restarted since the row before
   */
  row({ at, monotonicNs }: Instant, readings: readonly MeterReading[], isRestarted = false): Table {
    this.#at = at;
    this.#originNs ??= monotonicNs;
    this.#nowNs = Number(monotonicNs - this.#originNs);
    this.#endMissing(readings);
    for (const reading of readings) this.#take(reading, isRestarted);
    if (this.#options.host !== undefined) this.#sumUp(this.#options.host, readings);
    if (this.#isChanged) this.#listCells();
    const values = Float64Array.from(this.#cells, ({ value }) => value);
    const row = createRow(this.#series, at, values);
    const ended = this.#ended;
    this.#ended = [];
    return ended.length === 0 ? row : { ...row, ended };
  }

  /** Ends every series: what is read from now on belongs to new ones. */
  restart(at: bigint): readonly Table[] {
    const ended = this.#series;
    this.#channels.clear();
    this.#host.length = 0;
    this.#listCells();
    return ended.length === 0 ? [] : [createEnding(ended, at)];
  }

  #take(reading: MeterReading, isRestarted: boolean): void {
    const channel = this.#channels.get(reading.id) ?? this.#add(reading);
    this.#count(channel, reading.energy, isRestarted);
    if (channel.energy === undefined) this.#integrate(channel, reading.watts ?? NaN);
    gauges.forEach(({ metric, attributes: more, read }, place) => {
      const attributes = more ? { ...channel.attributes, ...more } : channel.attributes;
      this.#set(channel.gauges, place, { metric, attributes, value: read(reading) });
    });
  }

  #add({ id, type, name, parent }: MeterReading): Channel {
    const attributes = {
      [ATTR_HW_TYPE]: type,
      [ATTR_HW_ID]: id,
      ...(name !== undefined && { [ATTR_HW_NAME]: name }),
      ...(parent !== undefined && { [ATTR_HW_PARENT]: parent }),
    };
    const channel = { attributes, energy: undefined, integrated: undefined, gauges: [] };
    this.#channels.set(id, channel);
    return channel;
  }

  #count(channel: Channel, energy: EnergyCount | undefined, isRestarted: boolean): void {
    const { energy: cell } = channel;
    if (energy === undefined || !Number.isFinite(energy.count)) {
      if (cell !== undefined) cell.value = NaN;
      return;
    }
    this.#counts.set(0, energy.count);
    if (cell === undefined || this.#wasReset(cell, energy, isRestarted)) {
      const replaced = cell ?? channel.integrated;
      if (replaced !== undefined) this.#ended.push(replaced.series);
      channel.integrated = undefined;
      channel.energy = this.#beginEnergy(channel.attributes, energy);
    } else {
      cell.counters.update(this.#counts);
      cell.value = elementAt(cell.counters.values, 0) * cell.joules;
      cell.count = energy.count;
    }
  }

  #wasReset(cell: EnergyCell, { count, joules, isVolatile }: EnergyCount, isRestarted: boolean): boolean {
    if (joules !== cell.joules) return true;
    const isLost = isRestarted && (isVolatile === true || count < cell.count);
    return isLost || cell.counters.wasReset(this.#counts);
  }

  #beginEnergy(attributes: Attributes, { count, joules, wraps = false }: EnergyCount): EnergyCell {
    this.#noteEnergy();
    const { resource } = this.#options;
    const described = this.#describeEnergy(attributes);
    const column = { metric: meterEnergy, attributes: described, perUnit: 1, wraps };
    const counters = new Counters([column], { resource, start: this.#at, counts: this.#counts });
    return { series: elementAt(counters.series, 0), value: 0, counters, joules, count };
  }

  /** Power that flows back is not counted. After a gap that is too long, another series begins. */
  #integrate(channel: Channel, watts: number): void {
    if (channel.integrated === undefined && Number.isNaN(watts)) return;
    const cell = (channel.integrated ??= this.#beginIntegral(channel.attributes));
    cell.value = cell.meter.take(Math.max(0, watts) * 1e6, this.#at, this.#nowNs);
    if (cell.series === cell.meter.series) return;
    this.#ended.push(cell.series);
    cell.series = cell.meter.series;
    this.#noteEnergy();
  }

  #beginIntegral(attributes: Attributes): IntegratedCell {
    const { maxGapMs, resource } = this.#options;
    const described = this.#describeEnergy(attributes, '_power');
    const series = { metric: meterEnergy, attributes: described, resource, start: this.#at };
    this.#noteEnergy();
    return { series, value: NaN, meter: new IntegratedMeter(series, new IntegratedPower({ maxGapMs })) };
  }

  /** Energy has begun or ended. */
  #noteEnergy(): void {
    this.#isChanged = true;
    this.#isEnergyChanged = true;
  }

  #describeEnergy(attributes: Attributes, suffix = ''): Attributes {
    const name = `${this.#options.interface}${suffix}`;
    return { ...attributes, [ATTR_ENERGY_METHOD]: 'measured', [ATTR_ENERGY_INTERFACE]: name };
  }

  /** Sets a value of some cells; the series begins with the first one that is known. */
  #set(cells: (Cell | undefined)[], place: number, { value = NaN, metric, attributes }: Reading): void {
    const cell = cells[place];
    if (cell !== undefined) cell.value = value;
    else if (!Number.isNaN(value)) {
      cells[place] = {
        series: { metric, attributes, resource: this.#options.resource, start: this.#at },
        value,
      };
      this.#isChanged = true;
    }
  }

  /** Adds up what supplies the host. Once one of these begins or ends, another sum begins. */
  #sumUp(host: Attributes, readings: readonly MeterReading[]): void {
    const supplies = readings.filter(({ id, parent }) => {
      const channel = this.#channels.get(id);
      // What has had energy once is a supply, also where it shows none now: then the sum is a gap.
      const hasEnergy = (channel?.energy ?? channel?.integrated) !== undefined;
      return hasEnergy && (parent === undefined || !this.#channels.has(parent));
    });
    const channels = supplies.map(({ id }) => this.#channels.get(id));
    const joules = channels.reduce((sum, channel) => sum + readEnergy(channel), 0);
    const watts = supplies.reduce((sum, reading) => sum + (reading.watts ?? NaN), 0);
    if (this.#isEnergyChanged && this.#host[0] !== undefined) {
      this.#ended.push(this.#host[0].series);
      this.#host[0] = undefined;
    }
    if (this.#host[0] === undefined) this.#hostBase = joules;
    this.#isEnergyChanged = false;
    const attributes = this.#describeEnergy(host);
    this.#set(this.#host, 0, { metric: hostEnergy, attributes, value: joules - this.#hostBase });
    this.#set(this.#host, 1, { metric: hostPower, attributes: host, value: watts });
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
    const cells = [...[...this.#channels.values()].flatMap(cellsOf), ...this.#host];
    this.#cells = cells.filter((cell) => cell !== undefined);
    this.#series = this.#cells.map(({ series }) => series);
    this.#isChanged = false;
  }
}

interface Reading {
  readonly metric: Metric;
  readonly attributes: Attributes;
  readonly value: number | undefined;
}

/** NaN where there is none. */
function readEnergy(channel: Channel | undefined): number {
  return (channel?.energy ?? channel?.integrated)?.value ?? NaN;
}

function cellsOf({ energy, integrated, gauges: cells }: Channel): readonly Cell[] {
  return [energy, integrated, ...cells].filter((cell) => cell !== undefined);
}
