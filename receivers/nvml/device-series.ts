import { elementAt } from '../../src/element.js';
import { IntegratedPower } from '../../src/energy/integrated-power.js';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_SENSOR_LOCATION,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { hwEnergy, hwTemperature } from '../../src/model/shared-metrics.js';
import { createRow, type Table } from '../../src/model/table.js';
import { describeColumn, type Column } from './columns.js';
import * as metrics from './metrics.js';
import type { Device, DeviceRow } from './protocol.js';

/** More than a GPU can draw, where it does not say how much that is. */
const defaultMaxWatts = 5_000;
/** The time that an averaged reading of power is the mean of. */
const averageMs = 1_000;
/** Its limit is held on average: what is drawn within a refresh of the counter may be far more. */
const maxOverLimit = 10;
const minDegrees = -100;

/** Makes values of one column into those of its series. */
interface Meter {
  readonly series: Series;
  /** @param atMs a clock that never runs backwards */
  take(value: number, at: bigint, atMs: number): number;
}

/** A row of series, each of which one value makes. */
class MeterRow {
  series: readonly Series[];
  readonly #meters: readonly Meter[];
  /** Of each meter, the value that it takes. */
  readonly #sources: readonly number[];

  constructor(meters: readonly SourcedMeter[]) {
    this.#meters = meters.map(({ meter }) => meter);
    this.#sources = meters.map(({ source }) => source);
    this.series = this.#meters.map(({ series }) => series);
  }

  /** @returns a row, before which counters that were reset have ended and others begin */
  take(values: Float64Array, at: bigint, atMs: number): Table {
    const row = Float64Array.from(this.#meters, (meter, i) =>
      meter.take(elementAt(values, elementAt(this.#sources, i)), at, atMs),
    );
    const before = this.series;
    if (this.#meters.every(({ series }, i) => series === before[i])) return createRow(before, at, row);
    this.series = this.#meters.map(({ series }) => series);
    return { ...createRow(this.series, at, row), ended: before.filter((one, i) => one !== this.series[i]) };
  }
}

/** What is published of a device while it can be read. */
export class DeviceSeries {
  readonly #readings: MeterRow;
  readonly #profiles: MeterRow;

  /**
   * @param start Unix time in nanoseconds of the first row
   * @param maxGapMs power is integrated over no longer time without a reading
   */
  constructor(
    device: Device,
    resource: Resource,
    { start, maxGapMs }: { readonly start: bigint; readonly maxGapMs: number },
  ) {
    const origin = { resource, start };
    const integrated = integratePower(device, { ...origin, maxGapMs });
    this.#readings = new MeterRow([...createMeters(device, device.columns, origin), ...integrated]);
    this.#profiles = new MeterRow(createMeters(device, device.profileColumns, origin));
  }

  get series(): readonly Series[] {
    return [...this.#readings.series, ...this.#profiles.series];
  }

  /**
   * @param at Unix time of the row in nanoseconds
   * @param atMs the same instant by a clock that never runs backwards
   */
  *take(
    { values, profile }: Pick<DeviceRow, 'values' | 'profile'>,
    at: bigint,
    atMs: number,
  ): Iterable<Table> {
    if (values) yield this.#readings.take(values, at, atMs);
    if (profile) yield this.#profiles.take(profile, at, atMs);
  }
}

/** What is published of a device whether it can be read or not. */
export class DeviceStatus {
  readonly series: readonly Series[];
  readonly #limits: readonly number[];

  constructor(device: Device, resource: Resource, start: bigint) {
    const own = { ...identify(device), ...describeProduct(device) };
    const states = ['ok', 'failed'].map((state) => {
      return { metric: metrics.status, resource, attributes: { ...own, 'hw.state': state }, start };
    });
    const sensor = identifyComponent(device, 'temperature', 'temperature-gpu');
    const limits = Object.keys(device.temperatureLimits).map((type) => {
      const attributes = { ...sensor, [ATTR_HW_SENSOR_LOCATION]: 'gpu', 'hw.limit_type': type };
      return { metric: metrics.temperatureLimit, resource, attributes, start };
    });
    this.series = [...states, ...limits];
    this.#limits = Object.values(device.temperatureLimits);
  }

  createRow(isLost: boolean, at: bigint): Table {
    const limits = isLost ? this.#limits.map(() => NaN) : this.#limits;
    return createRow(this.series, at, Float64Array.of(isLost ? 0 : 1, isLost ? 1 : 0, ...limits));
  }
}

interface SourcedMeter {
  readonly meter: Meter;
  /** Index of its column. */
  readonly source: number;
}

interface Origin {
  readonly resource: Resource;
  readonly start: bigint;
}

function createMeters(device: Device, columns: readonly string[], origin: Origin): readonly SourcedMeter[] {
  return columns.flatMap((id, source) => {
    const meter = createMeter(device, id, origin);
    return meter ? [{ meter, source }] : [];
  });
}

function createMeter(device: Device, id: string, { resource, start }: Origin): Meter | undefined {
  if (id === 'energy') return new EnergyMeter(device, describeEnergy(device, resource, start));
  const column = describeColumn(id);
  if (column === undefined) return undefined;
  const place = column.component ? identifyComponent(device, ...column.component) : identify(device);
  const series = { metric: column.metric, resource, attributes: { ...place, ...column.attributes }, start };
  switch (column.kind) {
    case 'gauge':
      return { series, take: (value) => checkValue(value, column) };
    case 'count':
      return new CountMeter(series, column);
    case 'growth':
      return new SumMeter(series, (value) => checkValue(value, column));
    case 'rate':
      return new SumMeter(series, createIntegral(column, 60_000));
  }
}

/** Where there is no energy counter, but power: the integral over its readings. */
function integratePower(
  device: Device,
  { resource, start, maxGapMs }: Origin & { readonly maxGapMs: number },
): readonly SourcedMeter[] {
  if (device.columns.includes('energy')) return [];
  const id = ['power.instant', 'power.average'].find((one) => device.columns.includes(one));
  const column = id === undefined ? undefined : describeColumn(id);
  if (id === undefined || column === undefined) return [];
  const series = describeEnergy(device, resource, start);
  const attributes = { ...series.attributes, ...column.attributes, [ATTR_ENERGY_INTERFACE]: 'nvml_power' };
  const windowMs = id === 'power.average' ? averageMs : 0;
  const power = new IntegratedPower({ maxGapMs, windowMs });
  const meter = new IntegratedMeter({ ...series, attributes }, power, (value) => checkValue(value, column));
  return [{ meter, source: device.columns.indexOf(id) }];
}

function describeEnergy(device: Device, resource: Resource, start: bigint): Series {
  const attributes = {
    ...identify(device),
    [ATTR_ENERGY_METHOD]: 'measured',
    [ATTR_ENERGY_INTERFACE]: 'nvml',
  };
  return { metric: hwEnergy, resource, attributes, start };
}

/** The energy counter: it begins again when the driver is loaded or the GPU reset. */
class EnergyMeter implements Meter {
  readonly #counter: WrappingCounter;
  #series: Series;

  constructor({ maxWatts: limitWatts }: Device, series: Series) {
    const maxWatts = Number.isNaN(limitWatts) ? defaultMaxWatts : maxOverLimit * limitWatts;
    this.#counter = new WrappingCounter({ maxMicrojoules: Infinity, maxWatts });
    this.#series = series;
  }

  get series(): Series {
    return this.#series;
  }

  take(microjoules: number, at: bigint, atMs: number): number {
    if (!this.#counter.update(microjoules, atMs)) {
      const ageMs = atMs - this.#counter.startedMs;
      this.#series = { ...this.#series, start: at - BigInt(Math.round(ageMs * 1e6)) };
    }
    return this.#counter.joules;
  }
}

/** Energy by integration. What was used over a gap is not known: it begins again after that. */
class IntegratedMeter implements Meter {
  readonly #power: IntegratedPower;
  readonly #check: (watts: number) => number;
  #series: Series;
  #startedNs = NaN;

  constructor(series: Series, power: IntegratedPower, check: (watts: number) => number) {
    this.#series = series;
    this.#power = power;
    this.#check = check;
  }

  get series(): Series {
    return this.#series;
  }

  take(watts: number, at: bigint, atMs: number): number {
    const joules = this.#power.take(this.#check(watts) * 1e6, Math.round(atMs * 1e6));
    const { startedNs } = this.#power;
    if (!Number.isNaN(this.#startedNs) && startedNs !== this.#startedNs)
      this.#series = { ...this.#series, start: at };
    this.#startedNs = startedNs;
    return joules;
  }
}

/** A count that began before the first reading, from which on it is published. */
class CountMeter implements Meter {
  readonly #column: Column;
  #series: Series;
  #base = NaN;
  #last = NaN;

  constructor(series: Series, column: Column) {
    this.#series = series;
    this.#column = column;
  }

  get series(): Series {
    return this.#series;
  }

  take(raw: number, at: bigint): number {
    const value = checkValue(raw, this.#column);
    if (Number.isNaN(value)) return value;
    if (value < this.#last) this.#series = { ...this.#series, start: at };
    if (Number.isNaN(this.#base) || value < this.#last) this.#base = value;
    this.#last = value;
    return value - this.#base;
  }
}

/** A sum of growths. What grew before the first row is not known to be all. */
class SumMeter implements Meter {
  readonly series: Series;
  readonly #growth: (value: number, atMs: number) => number;
  #sum = NaN;

  /** @param growth NaN: unknown */
  constructor(series: Series, growth: (value: number, atMs: number) => number) {
    this.series = series;
    this.#growth = growth;
  }

  take(value: number, _at: bigint, atMs: number): number {
    const growth = this.#growth(value, atMs);
    if (Number.isNaN(this.#sum)) this.#sum = 0;
    else if (Number.isNaN(growth)) return growth;
    else this.#sum += growth;
    return this.#sum;
  }
}

/** The growth of the integral of a rate from reading to reading, by the trapezoidal rule. */
function createIntegral(column: Column, maxGapMs: number): (value: number, atMs: number) => number {
  let last = NaN;
  let lastMs = NaN;
  return (raw, atMs) => {
    const value = checkValue(raw, column);
    if (Number.isNaN(value)) return value;
    const ms = atMs - lastMs;
    const growth = ms <= maxGapMs ? (((last + value) / 2) * ms) / 1e3 : 0;
    last = value;
    lastMs = atMs;
    return growth;
  };
}

/** NaN for what no device can have: drivers give all bits set for what they do not know. */
function checkValue(value: number, { max, metric }: Column): number {
  const min = metric === hwTemperature ? minDegrees : 0;
  return value >= min && value <= max ? value : NaN;
}

function identify({ id, name, parent }: Device): Attributes {
  return {
    [ATTR_HW_TYPE]: 'gpu',
    [ATTR_HW_ID]: id,
    [ATTR_HW_NAME]: name,
    ...(parent !== undefined && { [ATTR_HW_PARENT]: parent }),
  };
}

function identifyComponent({ id }: Device, type: string, suffix: string): Attributes {
  return { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: `${id}/${suffix}`, [ATTR_HW_PARENT]: id };
}

function describeProduct({ serialNumber, firmwareVersion, driverVersion }: Device): Attributes {
  return {
    'hw.vendor': 'NVIDIA',
    'hw.driver_version': driverVersion,
    ...(serialNumber !== undefined && { 'hw.serial_number': serialNumber }),
    ...(firmwareVersion !== undefined && { 'hw.firmware_version': firmwareVersion }),
  };
}
