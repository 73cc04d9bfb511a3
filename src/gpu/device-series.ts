import { IntegratedPower, type GapLimit } from '../energy/integrated-power.js';
import {
  CounterMeter,
  IntegratedMeter,
  MeterRow,
  type Meter,
  type SourcedMeter,
} from '../energy/meter-row.js';
import { WrappingCounter } from '../energy/wrapping-counter.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_LIMIT_TYPE,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_SENSOR_LOCATION,
  ATTR_HW_STATE,
  ATTR_HW_TYPE,
  ATTR_HW_VENDOR,
} from '../model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { hwStatus, hwTemperatureLimit } from '../model/shared-metrics.js';
import { createRow, type Table } from '../model/table.js';
import { checkValue, describeColumn, type Column } from './columns.js';
import type { Device, DeviceRow } from './protocol.js';
import { ValueWatch } from './value-watch.js';

/** Exceeds the power of any GPU; used if the GPU does not report its limit. */
const defaultMaxWatts = 5_000;
/** The averaging time of an averaged power reading. */
const averageMs = 1_000;
/** The power limit holds on average: the power within a refresh of the counter may be far higher. */
const maxOverLimit = 10;

/** Options of the series of a device, besides its readings. */
export interface DeviceSeriesOptions {
  /** Unix time in nanoseconds of the first row. */
  readonly start: bigint;
  /** Maximum time without a reading over which power is integrated. */
  readonly maxGapMs: GapLimit;
  /** The metric of its energy. */
  readonly energyMetric: Metric;
}

/** The series of a device while it can be read. */
export class DeviceSeries {
  readonly #readings: MeterRow;
  readonly #profiles: MeterRow;
  readonly #watch: ValueWatch;

  constructor(device: Device, resource: Resource, { start, maxGapMs, energyMetric }: DeviceSeriesOptions) {
    const origin = { resource, start, energyMetric };
    const integrated = integratePower(device, { ...origin, maxGapMs });
    this.#readings = new MeterRow([...createMeters(device, device.columns, origin), ...integrated]);
    this.#profiles = new MeterRow(createMeters(device, device.profileColumns, origin));
    this.#watch = new ValueWatch(device);
  }

  /** Which values of the last row are gaps because they are implausible. */
  get problems(): readonly string[] {
    return this.#watch.problems;
  }

  get series(): readonly Series[] {
    return [...this.#readings.series, ...this.#profiles.series];
  }

  /**
   * @param at Unix time of the row in nanoseconds
   * @param atNs the same instant on a monotonic clock
   */
  *take(
    { values, profile }: Pick<DeviceRow, 'values' | 'profile'>,
    at: bigint,
    atNs: number,
  ): Iterable<Table> {
    if (values) this.#watch.take(values);
    if (values) yield this.#readings.take(values, at, atNs);
    if (profile) yield this.#profiles.take(profile, at, atNs);
  }
}

/** The series of a device that do not depend on whether it can be read. */
export class DeviceStatus {
  readonly series: readonly Series[];
  readonly #limits: readonly number[];

  constructor(device: Device, resource: Resource, start: bigint) {
    const own = { ...identify(device), ...describeProduct(device) };
    const states = ['ok', 'failed'].map((state) => {
      return { metric: hwStatus, resource, attributes: { ...own, [ATTR_HW_STATE]: state }, start };
    });
    const limits = device.temperatureLimits.map(({ sensor, type }) => {
      const place = identifyComponent(device, 'temperature', `temperature-${sensor}`);
      const attributes = { ...place, [ATTR_HW_SENSOR_LOCATION]: sensor, [ATTR_HW_LIMIT_TYPE]: type };
      return { metric: hwTemperatureLimit, resource, attributes, start };
    });
    this.series = [...states, ...limits];
    this.#limits = device.temperatureLimits.map(({ degrees }) => degrees);
  }

  createRow(isLost: boolean, at: bigint): Table {
    const limits = isLost ? this.#limits.map(() => NaN) : this.#limits;
    return createRow(this.series, at, Float64Array.of(isLost ? 0 : 1, isLost ? 1 : 0, ...limits));
  }
}

interface Origin extends Pick<DeviceSeriesOptions, 'start' | 'energyMetric'> {
  readonly resource: Resource;
}

function createMeters(device: Device, columns: readonly string[], origin: Origin): readonly SourcedMeter[] {
  return columns.flatMap((id, source) => {
    const meter = createMeter(device, id, origin);
    return meter ? [{ meter, source }] : [];
  });
}

function createMeter(device: Device, id: string, origin: Origin): Meter | undefined {
  if (id === 'energy') return countEnergy(device, describeEnergy(device, origin));
  const { resource, start } = origin;
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

/** Without an energy counter, but with power: the integral of its readings. */
function integratePower(
  device: Device,
  { maxGapMs, ...origin }: Origin & { readonly maxGapMs: GapLimit },
): readonly SourcedMeter[] {
  if (device.columns.includes('energy')) return [];
  const id = ['power.instant', 'power.average', 'power.averaged'].find((one) => device.columns.includes(one));
  const column = id === undefined ? undefined : describeColumn(id);
  if (id === undefined || column === undefined) return [];
  const series = describeEnergy(device, origin);
  const attributes = {
    ...series.attributes,
    ...column.attributes,
    [ATTR_ENERGY_INTERFACE]: device.interfaces.power,
  };
  const windowMs = id === 'power.average' ? averageMs : 0;
  const power = new IntegratedPower({ maxGapMs, windowMs });
  const meter = new IntegratedMeter({ ...series, attributes }, power);
  const take: Meter['take'] = (value, at, atNs) => meter.take(checkValue(value, column) * 1e6, at, atNs);
  const watts = {
    get series() {
      return meter.series;
    },
    take,
  };
  return [{ meter: watts, source: device.columns.indexOf(id) }];
}

function describeEnergy(device: Device, { resource, start, energyMetric }: Origin): Series {
  const attributes = {
    ...identify(device),
    [ATTR_ENERGY_METHOD]: 'measured',
    [ATTR_ENERGY_INTERFACE]: device.interfaces.energy,
  };
  return { metric: energyMetric, resource, attributes, start };
}

/** The energy counter: it is reset when the driver is loaded or the GPU is reset. */
function countEnergy({ maxWatts: limitWatts }: Device, series: Series): Meter {
  const maxWatts = Number.isNaN(limitWatts) ? defaultMaxWatts : maxOverLimit * limitWatts;
  return new CounterMeter(series, new WrappingCounter({ maxMicrojoules: Infinity, maxWatts }));
}

/** A count that started before the first reading, and is published from then on. */
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

/** A sum of growths. The growth before the first row may be incomplete and is not counted. */
class SumMeter implements Meter {
  readonly series: Series;
  readonly #growth: (value: number, atNs: number) => number;
  #sum = NaN;

  /** @param growth NaN: unknown */
  constructor(series: Series, growth: (value: number, atNs: number) => number) {
    this.series = series;
    this.#growth = growth;
  }

  take(value: number, _at: bigint, atNs: number): number {
    const growth = this.#growth(value, atNs);
    if (Number.isNaN(this.#sum)) this.#sum = 0;
    else if (Number.isNaN(growth)) return growth;
    else this.#sum += growth;
    return this.#sum;
  }
}

/** The growth of the integral of a rate from reading to reading, by the trapezoidal rule. */
function createIntegral(column: Column, maxGapMs: number): (value: number, atNs: number) => number {
  let last = NaN;
  let lastNs = NaN;
  return (raw, atNs) => {
    const value = checkValue(raw, column);
    if (Number.isNaN(value)) return value;
    const ms = (atNs - lastNs) / 1e6;
    const growth = ms <= maxGapMs ? (((last + value) / 2) * ms) / 1e3 : 0;
    last = value;
    lastNs = atNs;
    return growth;
  };
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

function describeProduct({ vendor, serialNumber, firmwareVersion, driverVersion }: Device): Attributes {
  return {
    [ATTR_HW_VENDOR]: vendor,
    'hw.driver_version': driverVersion,
    ...(serialNumber !== undefined && { 'hw.serial_number': serialNumber }),
    ...(firmwareVersion !== undefined && { 'hw.firmware_version': firmwareVersion }),
  };
}
