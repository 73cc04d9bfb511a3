import {
  ATTR_HW_BATTERY_STATE,
  ATTR_HW_ID,
  ATTR_HW_LIMIT_TYPE,
  ATTR_HW_NAME,
  ATTR_HW_STATE,
  ATTR_HW_TYPE,
  ATTR_HW_VENDOR,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, MetricKind } from '../../src/model/series.js';
import {
  hostEnergy,
  hostPower,
  hwCurrent,
  hwPower,
  hwStatus,
  hwTemperature,
  hwVoltage,
  meterEnergy,
} from '../../src/model/shared-metrics.js';
import type { GaugeColumn } from '../../src/scraping/gauge-table.js';
import { isBattery, readCurrent, readNumber, readPower, readStatus, type Supply } from './supply.js';

function define(name: string, unit: string, description: string, kind: MetricKind = 'gauge'): Metric {
  return { name, unit, description, kind, valueType: unit === '{cycle}' ? 'int' : 'double' };
}

const charge = define('hw.battery.charge', '1', 'Charge of a battery as a share of its capacity');
const energy = define('hw.battery.energy', 'J', 'Energy stored in a battery');
const energyLimit = define('hw.battery.energy.limit', 'J', 'Energy that a battery can hold');
const electricCharge = define('hw.battery.electric_charge', 'C', 'Electric charge stored in a battery');
const electricChargeLimit = define(
  'hw.battery.electric_charge.limit',
  'C',
  'Electric charge that a battery can hold',
);
const cycles = define('hw.battery.cycle.count', '{cycle}', 'Charge cycles of a battery', 'updowncounter');
const timeLeft = define(
  'hw.battery.time_left',
  's',
  'Time until a battery is empty or full, by its own estimate',
);
const online = define('hw.power_supply.online', '1', '1 if a power supply delivers power, otherwise 0');

export const metrics: readonly Metric[] = [
  hostEnergy,
  meterEnergy,
  hostPower,
  hwPower,
  hwVoltage,
  hwCurrent,
  hwTemperature,
  hwStatus,
  charge,
  energy,
  energyLimit,
  electricCharge,
  electricChargeLimit,
  cycles,
  timeLeft,
  online,
];

/** The states of a battery, by the kernel's names; every other text is `unknown`. */
const states = ['charging', 'discharging', 'full', 'not_charging', 'unknown'] as const;

/** A value of a supply: its property and its metric. */
interface Reading {
  readonly metric: Metric;
  readonly attributes: Attributes;
  read(supply: Supply): number;
}

const microwattHours = (value: number) => (value * 3600) / 1e6;
const micro = (value: number) => value / 1e6;

/** A smart battery reports 65,535 minutes while it is not discharging, or not charging. */
const checkTimeLeft = (seconds: number) => (seconds < 65_535 * 60 ? seconds : NaN);

/** Properties and their valid ranges. If there is no `_NOW`, drivers may have the mean of a few seconds, `_AVG`. */
const properties: Readonly<Record<string, readonly [Metric, scale: (value: number) => number, Attributes?]>> =
  {
    CAPACITY: [charge, (percent) => (percent >= 0 && percent <= 100 ? percent / 100 : NaN)],
    ENERGY_NOW: [energy, microwattHours],
    ENERGY_FULL: [energyLimit, microwattHours, { [ATTR_HW_LIMIT_TYPE]: 'full' }],
    ENERGY_FULL_DESIGN: [energyLimit, microwattHours, { [ATTR_HW_LIMIT_TYPE]: 'design' }],
    CHARGE_NOW: [electricCharge, microwattHours],
    CHARGE_FULL: [electricChargeLimit, microwattHours, { [ATTR_HW_LIMIT_TYPE]: 'full' }],
    CHARGE_FULL_DESIGN: [electricChargeLimit, microwattHours, { [ATTR_HW_LIMIT_TYPE]: 'design' }],
    VOLTAGE_NOW: [hwVoltage, micro],
    TEMP: [hwTemperature, (tenths) => tenths / 10],
    CYCLE_COUNT: [cycles, (count) => count],
    TIME_TO_EMPTY_NOW: [timeLeft, checkTimeLeft, { [ATTR_HW_BATTERY_STATE]: 'discharging' }],
    TIME_TO_FULL_NOW: [timeLeft, checkTimeLeft, { [ATTR_HW_BATTERY_STATE]: 'charging' }],
    ONLINE: [online, (state) => (state > 0 ? 1 : state)],
  };

const maxValue = 1e12;

/** What is published about a supply, by its properties. */
export function describeReadings(supply: Supply): readonly (Reading & GaugeColumn)[] {
  const place = describeSupply(supply);
  const read = ([name, [metric, scale, attributes = {}]]: [
    string,
    (typeof properties)[string],
  ]): Reading[] => {
    const key = [name, name.replace(/_NOW$/u, '_AVG')].find((one) => supply.properties.has(one));
    if (key === undefined) return [];
    return [{ metric, attributes: { ...place, ...attributes }, read: (one) => readScaled(one, key, scale) }];
  };
  const flows: readonly (readonly [Metric, boolean, Reading['read']])[] = [
    [hwCurrent, hasAny(supply, ['CURRENT_NOW', 'CURRENT_AVG']), (one) => micro(readCurrent(one))],
    [hwPower, hasPower(supply), (one) => micro(readPower(one))],
  ];
  const flowing = flows.flatMap(([metric, isHere, readFlow]) =>
    isHere ? [{ metric, attributes: place, read: readFlow }] : [],
  );
  return [...Object.entries(properties).flatMap(read), ...flowing, ...describeStates(supply, place)];
}

function describeStates(supply: Supply, place: Attributes): readonly Reading[] {
  if (!isBattery(supply)) return [];
  return states.map((state) => ({
    metric: hwStatus,
    attributes: { ...place, [ATTR_HW_STATE]: state },
    read: (one) => Number(findState(one) === state),
  }));
}

function findState(supply: Supply): string {
  const status = readStatus(supply);
  return states.find((one) => one === status) ?? 'unknown';
}

function readScaled(supply: Supply, key: string, scale: (value: number) => number): number {
  const value = readNumber(supply, key);
  return value >= 0 || key === 'TEMP' ? (value <= maxValue ? scale(value) : NaN) : NaN;
}

function hasPower(supply: Supply): boolean {
  const hasProduct = ['CURRENT', 'VOLTAGE'].every((one) => hasAny(supply, [`${one}_NOW`, `${one}_AVG`]));
  return hasProduct || hasAny(supply, ['POWER_NOW', 'POWER_AVG']);
}

function hasAny({ properties: own }: Supply, keys: readonly string[]): boolean {
  return keys.some((key) => own.has(key));
}

function describeSupply(supply: Supply): Attributes {
  const { name, properties: own } = supply;
  const model = own.get('MODEL_NAME') ?? '';
  const vendor = own.get('MANUFACTURER') ?? '';
  const technology = own.get('TECHNOLOGY') ?? 'Unknown';
  return {
    [ATTR_HW_TYPE]: isBattery(supply) ? 'battery' : 'power_supply',
    [ATTR_HW_ID]: `power_supply/${name}`,
    [ATTR_HW_NAME]: name,
    ...(model !== '' && { 'hw.model': model }),
    ...(vendor !== '' && { [ATTR_HW_VENDOR]: vendor }),
    ...(technology !== 'Unknown' && { 'hw.battery.chemistry': technology }),
  };
}
