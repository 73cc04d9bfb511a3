import {
  finiteNumberOf,
  isObject,
  objectOf,
  objectsOf,
  type JsonObject,
} from '../../src/recording/otlp-json.js';
import type { EnergyCount, MeterReading } from '../../src/scraping/meter-reading.js';
import type { MeterAnswer } from '../../src/scraping/meter-receiver.js';

/** Resolution of the energy of devices, in joules. */
const steps = {
  /** Meters of the first generation count watt-minutes. */
  wattMinute: 60,
  /** Energy meters of the first generation show watt-hours with one decimal. */
  tenthOfWattHour: 360,
  /** `aenergy.total`: watt-hours with three decimals. */
  milliwattHour: 3.6,
  /** `EMData` and `EM1Data`: watt-hours with two decimals. */
  hundredthOfWattHour: 36,
} as const;

/** The names set by users, by component: `switch:0`. */
export type ComponentNames = ReadonlyMap<string, string>;

/**
 * Parses the `/status` of a first-generation device. Its meters restart at 0 with the device; its energy meters
 * do not.
 * @param device its id: `shellyplug-s-a1b2c3`
 */
export function parseFirstGeneration(status: JsonObject, device: string, names: ComponentNames): MeterAnswer {
  const meters = objectsOf(status['meters']).map((meter, place) =>
    parseFirstMeter(meter, identify(device, `meter:${place}`, names)),
  );
  const emeters = objectsOf(status['emeters']).map((meter, place) =>
    parseFirstLine(meter, identify(device, `emeter:${place}`, names)),
  );
  return { readings: [...meters, ...emeters], uptime: finiteNumberOf(status['uptime']) };
}

function parseFirstMeter(meter: JsonObject, identity: Identity): MeterReading {
  const reading = { ...identity, type: 'outlet' };
  if (!isValid(meter)) return reading;
  return {
    ...reading,
    energy: countEnergy(meter['total'], steps.wattMinute, { perStep: 1, isVolatile: true }),
    watts: finiteNumberOf(meter['power']),
  };
}

function parseFirstLine(meter: JsonObject, identity: Identity): MeterReading {
  const reading = { ...identity, type: 'line' };
  if (!isValid(meter)) return reading;
  return {
    ...reading,
    energy: countEnergy(meter['total'], steps.tenthOfWattHour, { perStep: 10 }),
    watts: finiteNumberOf(meter['power']),
    volts: finiteNumberOf(meter['voltage']),
    amperes: finiteNumberOf(meter['current']),
  };
}

/** A device shows zeros until it has measured. */
function isValid(meter: JsonObject): boolean {
  return meter['is_valid'] !== false;
}

/**
 * Parses the `Shelly.GetStatus` of a later device: every component that measures power, and energy meters with
 * their phases.
 */
export function parseLaterGeneration(status: JsonObject, device: string, names: ComponentNames): MeterAnswer {
  const readings = Object.entries(status).flatMap(([component, value]) => {
    if (!isObject(value)) return [];
    const found = identify(device, component, names);
    const data = objectOf(status[component.replace(/^(em1?):/u, '$1data:')]);
    if (component.startsWith('em:')) return parseThreePhases(value, data, found);
    if (component.startsWith('em1:')) return [parseLine(value, data, found)];
    return value['apower'] === undefined ? [] : [parseSwitch(value, found)];
  });
  return { readings, uptime: finiteNumberOf(objectOf(status['sys'])['uptime']) };
}

type Identity = Pick<MeterReading, 'id' | 'name'>;

function identify(device: string, component: string, names: ComponentNames): Identity {
  return { id: `${device}/${component}`, name: names.get(component) };
}

function parseSwitch(value: JsonObject, identity: Identity): MeterReading {
  return {
    ...identity,
    type: 'outlet',
    energy: countConsumed(value),
    watts: finiteNumberOf(value['apower']),
    volts: finiteNumberOf(value['voltage']),
    amperes: finiteNumberOf(value['current']),
    celsius: finiteNumberOf(objectOf(value['temperature'])['tC']),
  };
}

/**
 * The consumed energy. `aenergy` counts energy in both directions; devices that measure both count the returned
 * energy again in `ret_aenergy`: shelly-api-docs.shelly.cloud, Gen2+, Switch and PM1.
 */
function countConsumed(value: JsonObject): EnergyCount | undefined {
  const total = finiteNumberOf(objectOf(value['aenergy'])['total']);
  const returned = finiteNumberOf(objectOf(value['ret_aenergy'])['total']);
  const step = { perStep: 1000 };
  if (total === undefined || returned === undefined) return countEnergy(total, steps.milliwattHour, step);
  const consumed = countEnergy(Math.max(0, total - returned), steps.milliwattHour, step);
  // Both are rounded.
  return consumed && { ...consumed, mayFall: 1 };
}

function parseLine(value: JsonObject, data: JsonObject, identity: Identity): MeterReading {
  return {
    ...identity,
    type: 'line',
    energy: countEnergy(data['total_act_energy'], steps.hundredthOfWattHour, { perStep: 100 }),
    watts: finiteNumberOf(value['act_power']),
    volts: finiteNumberOf(value['voltage']),
    amperes: finiteNumberOf(value['current']),
  };
}

function parseThreePhases(value: JsonObject, data: JsonObject, identity: Identity): readonly MeterReading[] {
  const whole = {
    ...identity,
    type: 'line',
    energy: countEnergy(data['total_act'], steps.hundredthOfWattHour, { perStep: 100 }),
    watts: finiteNumberOf(value['total_act_power']),
    amperes: finiteNumberOf(value['total_current']),
  };
  const phases = ['a', 'b', 'c'].map((phase) => ({
    id: `${identity.id}/${phase}`,
    type: 'phase',
    name: identity.name && `${identity.name} ${phase}`,
    parent: identity.id,
    energy: countEnergy(data[`${phase}_total_act_energy`], steps.hundredthOfWattHour, { perStep: 100 }),
    watts: finiteNumberOf(value[`${phase}_act_power`]),
    volts: finiteNumberOf(value[`${phase}_voltage`]),
    amperes: finiteNumberOf(value[`${phase}_current`]),
  }));
  return [whole, ...phases];
}

interface Step {
  /** Steps per unit shown by the device. */
  readonly perStep: number;
  readonly isVolatile?: boolean;
}

function countEnergy(
  total: unknown,
  joules: number,
  { perStep, isVolatile = false }: Step,
): EnergyCount | undefined {
  const shown = finiteNumberOf(total);
  if (shown === undefined || shown < 0) return undefined;
  return { count: Math.round(shown * perStep), joules, isVolatile };
}

/** The names of components in the configuration of a later device. */
export function parseNames(config: JsonObject): ComponentNames {
  const names = Object.entries(config).map(
    ([component, value]) => [component, objectOf(value)['name']] as const,
  );
  return new Map(
    names.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  );
}

/** The names of relays and meters in the settings of a first-generation device. */
export function parseFirstNames(settings: JsonObject): ComponentNames {
  const names = (key: string, component: string) =>
    objectsOf(settings[key]).map((one, place) => [`${component}:${place}`, one] as const);
  return parseNames(
    Object.fromEntries([
      ...names('relays', 'meter'),
      ...names('meters', 'meter'),
      ...names('emeters', 'emeter'),
    ]),
  );
}
