import { CounterMeter, MeterRow, type Meter } from '../../src/energy/meter-row.js';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_SENSOR_LOCATION,
  ATTR_HW_STATE,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Resource } from '../../src/model/series.js';
import {
  hwCurrent,
  hwFanSpeed,
  hwFanSpeedRatio,
  hwPower,
  hwStatus,
  hwTemperature,
  hwVoltage,
  meterEnergy,
} from '../../src/model/shared-metrics.js';
import { systemController } from './bmc.js';
import { powerSupplyStates } from './sensor-reading.js';
import { powerSupplyEntity, type Quantity, type Sensor } from './sensor-record.js';

const metricsByQuantity: Readonly<Record<Quantity, Metric>> = {
  power: hwPower,
  energy: meterEnergy,
  voltage: hwVoltage,
  current: hwCurrent,
  temperature: hwTemperature,
  fan_speed: hwFanSpeed,
  fan_speed_ratio: hwFanSpeedRatio,
};

const typesByQuantity: Partial<Readonly<Record<Quantity, string>>> = {
  voltage: 'voltage',
  current: 'current',
  temperature: 'temperature',
  fan_speed: 'fan',
  fan_speed_ratio: 'fan',
};

/** Names of entities: IPMI 2.0, table 43-13. */
const entities: ReadonlyMap<number, readonly [location: string, type: string]> = new Map([
  [3, ['processor', 'cpu']],
  [7, ['system_board', 'enclosure']],
  [8, ['memory', 'memory']],
  [powerSupplyEntity, ['power_supply', 'power_supply']],
  [11, ['add_in_card', 'enclosure']],
  [19, ['power_unit', 'power_supply']],
  [21, ['power_unit', 'power_supply']],
  [23, ['chassis', 'enclosure']],
  [29, ['fan', 'fan']],
  [30, ['cooling_unit', 'fan']],
  [32, ['memory', 'memory']],
  [55, ['air_inlet', 'enclosure']],
  [64, ['air_inlet', 'enclosure']],
  [65, ['processor', 'cpu']],
  [66, ['system_board', 'enclosure']],
]);

/** Above the power of any machine: a counter that increases faster was reset. */
const maxWatts = 100_000;

/** Describes the origin of series of a BMC. */
export interface Origin {
  /** `ipmi0` */
  readonly bmc: string;
  readonly resource: Resource;
}

/** The series of a sensor, from its first reading on. */
export function createSensorRow(sensor: Sensor, { bmc, resource }: Origin, start: bigint): MeterRow {
  const { analog } = sensor;
  const attributes = analog ? describeSensor(sensor, analog.quantity, bmc) : describeSupply(sensor, bmc);
  const create = (metric: Metric, more: Attributes = {}) => {
    return { metric, resource, attributes: { ...attributes, ...more }, start };
  };
  if (analog === undefined) {
    const meters = powerSupplyStates.map((state, index) => {
      return createGauge(create(hwStatus, { [ATTR_HW_STATE]: state }), (now) => Number(now === index));
    });
    return new MeterRow(meters.map((meter) => ({ meter, source: 0 })));
  }
  return new MeterRow([{ meter: createMeter(analog.quantity, create), source: 0 }]);
}

type CreateSeries = (metric: Metric, more?: Attributes) => Meter['series'];

function createMeter(quantity: Quantity, create: CreateSeries): Meter {
  const metric = metricsByQuantity[quantity];
  if (quantity !== 'energy') return createGauge(create(metric));
  const more = { [ATTR_ENERGY_METHOD]: 'measured', [ATTR_ENERGY_INTERFACE]: 'ipmi' };
  const counter = new CounterMeter(
    create(metric, more),
    new WrappingCounter({ maxMicrojoules: Infinity, maxWatts }),
  );
  return {
    get series() {
      return counter.series;
    },
    take: (joules, at, atNs) => counter.take(Math.round(joules * 1e6), at, atNs),
  };
}

/** A gauge of a reading, or of a value derived from it; a gap stays a gap. */
export function createGauge(series: Meter['series'], convert = (value: number) => value): Meter {
  return { series, take: (value) => (Number.isNaN(value) ? NaN : convert(value)) };
}

function describeSensor(sensor: Sensor, quantity: Quantity, bmc: string): Attributes {
  const { entityId, entityInstance, name } = sensor;
  const [location, entityType] = entities.get(entityId) ?? [undefined, 'enclosure'];
  const isOfSupply = entityId === powerSupplyEntity;
  return {
    [ATTR_HW_TYPE]: typesByQuantity[quantity] ?? entityType,
    [ATTR_HW_ID]: `${bmc}/sensor-${describeNumber(sensor)}`,
    [ATTR_HW_NAME]: name,
    ...(isOfSupply && { [ATTR_HW_PARENT]: identifySupply(entityInstance, bmc) }),
    ...(location !== undefined && { [ATTR_HW_SENSOR_LOCATION]: `${location}-${entityInstance}` }),
  };
}

function describeSupply({ entityInstance, name }: Sensor, bmc: string): Attributes {
  return {
    [ATTR_HW_TYPE]: 'power_supply',
    [ATTR_HW_ID]: identifySupply(entityInstance, bmc),
    [ATTR_HW_NAME]: name,
  };
}

function identifySupply(instance: number, bmc: string): string {
  return `${bmc}/power_supply-${instance}`;
}

/** Sensor numbers are unique within a controller and logical unit. */
function describeNumber({ controller: { address, lun }, number }: Sensor): string {
  const places = [
    ...(address === systemController.address ? [] : [address]),
    ...(lun === 0 ? [] : [lun]),
    number,
  ];
  return places.map((place) => place.toString(16).padStart(2, '0')).join('-');
}
