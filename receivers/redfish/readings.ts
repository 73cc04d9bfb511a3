import { finiteNumberOf, objectOf, objectsOf, type JsonObject } from '../../src/recording/otlp-json.js';
import type { EnergyCount, HealthState, MeterReading } from '../../src/scraping/meter-reading.js';

// Measurements in Redfish resources: DSP2046, the resource and schema guide. Each property may be null or
// missing.

/** Names and position of what a reading belongs to. */
export interface Place {
  /** `hw.id` of the chassis, the prefix of the other ids: `bmc-7/Chassis-1`. */
  readonly chassis: string;
}

type Quantities = Partial<
  Pick<MeterReading, 'watts' | 'volts' | 'amperes' | 'celsius' | 'rpm' | 'fanRatio' | 'energy' | 'state'>
>;

const joulesPerStep = 1e-3;
const joulesPerKwh = 3.6e6;

/** A number; some BMCs write it as text: the templates of github.com/doylehuang/BlueBug, for one. */
export function readNumber(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^-?\d+(?:\.\d+)?$/u.test(value);
  return finiteNumberOf(isText ? Number(value) : value);
}

/** Whether the resource is absent, like an empty bay. */
export function isAbsent(resource: JsonObject): boolean {
  return objectOf(resource['Status'])['State'] === 'Absent';
}

/** The value of an excerpt of a sensor. */
function readExcerpt(excerpt: unknown): number | undefined {
  return readNumber(objectOf(excerpt)['Reading']);
}

/**
 * Energy in joules, or else in kilowatt-hours. A counter of whole kilowatt-hours is ignored: a server needs
 * hours for one, and integrating its power is more precise.
 */
function readEnergy(metrics: JsonObject): EnergyCount | undefined {
  const joules = readExcerpt(metrics['EnergyJoules']);
  if (joules !== undefined) return countEnergy(joules);
  const kwh = readExcerpt(metrics['EnergykWh']);
  return kwh === undefined || Number.isInteger(kwh) ? undefined : countEnergy(kwh * joulesPerKwh);
}

function countEnergy(joules: number): EnergyCount {
  return { count: Math.round(joules / joulesPerStep), joules: joulesPerStep, hidesStep: true };
}

/** EnvironmentMetrics of a chassis. */
export function parseEnvironment(metrics: JsonObject): Quantities {
  return dropUndefined({
    watts: readExcerpt(metrics['PowerWatts']),
    celsius: readExcerpt(metrics['TemperatureCelsius']),
    energy: readEnergy(metrics),
  });
}

/** The resources that the excerpts of a resource come from. */
export function listSources(metrics: JsonObject): readonly string[] {
  return Object.values(metrics).flatMap((excerpts) =>
    (Array.isArray(excerpts) ? objectsOf(excerpts) : [objectOf(excerpts)]).flatMap(
      ({ DataSourceUri: source }) => (typeof source === 'string' ? [source] : []),
    ),
  );
}

/** PowerSupplyMetrics, with the output of the power supply as a reading of its own. */
export function parseSupplyMetrics(
  metrics: JsonObject,
  supply: JsonObject,
  { chassis }: Place,
): readonly MeterReading[] {
  const input = dropUndefined({
    watts: readExcerpt(metrics['InputPowerWatts']),
    volts: readExcerpt(metrics['InputVoltage']),
    amperes: readExcerpt(metrics['InputCurrentAmps']),
    celsius: readExcerpt(metrics['TemperatureCelsius']),
    energy: readEnergy(metrics),
  });
  return describeSupply(supply, chassis, input, readExcerpt(metrics['OutputPowerWatts']));
}

/** The fans in a power supply: FanSpeedsPercent of PowerSupplyMetrics, or the single fan of its first version. */
export function parseSupplyFans(
  metrics: JsonObject,
  supply: JsonObject,
  { chassis }: Place,
): readonly MeterReading[] {
  if (isAbsent(supply)) return [];
  const parent = `${chassis}/power_supply:${identify(supply)}`;
  const { FanSpeedsPercent: several, FanSpeedPercent: single } = metrics;
  const excerpts = Array.isArray(several) ? objectsOf(several) : [objectOf(single)];
  return excerpts.flatMap((excerpt, index) => {
    const quantities = parseFanSpeed(excerpt);
    const { DeviceName: name } = excerpt;
    const own = { id: `${parent}/fan:${index}`, type: 'fan', parent };
    return Object.keys(quantities).length === 0
      ? []
      : [{ ...own, name: typeof name === 'string' ? name : undefined, ...quantities }];
  });
}

/** A member of Fans of a ThermalSubsystem. */
export function parseFan(fan: JsonObject, { chassis }: Place): readonly MeterReading[] {
  const quantities = parseFanSpeed(objectOf(fan['SpeedPercent']));
  if (isAbsent(fan) || Object.keys(quantities).length === 0) return [];
  return [
    { id: `${chassis}/fan:${identify(fan)}`, type: 'fan', name: nameOf(fan), parent: chassis, ...quantities },
  ];
}

/** The excerpt of a fan's sensor: percent, and optionally revolutions. */
function parseFanSpeed(excerpt: JsonObject): Quantities {
  const percent = readExcerpt(excerpt);
  return dropUndefined({
    rpm: readNumber(excerpt['SpeedRPM']),
    fanRatio: percent === undefined ? undefined : percent / 100,
  });
}

/** A member of PowerSupplies of the older resource Power. */
function parseOldSupply(supply: JsonObject, place: Place): readonly MeterReading[] {
  const input = dropUndefined({
    watts: readOldInput(supply),
    volts: readNumber(supply['LineInputVoltage']),
  });
  return describeSupply(supply, place.chassis, input, readOldOutput(supply));
}

/**
 * Older iDRACs without a measurement report the rating of the input, which is above that of the output: 900 W of
 * a power supply of 750 W, in https://github.com/influxdata/telegraf/issues/9575.
 */
function readOldInput(supply: JsonObject): number | undefined {
  const watts = readNumber(supply['PowerInputWatts']);
  const [range = {}] = objectsOf(supply['InputRanges']);
  const capacity = readNumber(supply['PowerCapacityWatts']) ?? readNumber(range['OutputWattage']);
  const isRating = readOldOutput(supply) === undefined && (watts ?? 0) > (capacity ?? Infinity);
  return isRating ? undefined : watts;
}

/** Older iDRACs report the capacity of the power supply as its last output. */
function readOldOutput(supply: JsonObject): number | undefined {
  const last = readNumber(supply['LastPowerOutputWatts']);
  const isCapacity = last === readNumber(supply['PowerCapacityWatts']);
  return readNumber(supply['PowerOutputWatts']) ?? (isCapacity ? undefined : last);
}

function describeSupply(
  supply: JsonObject,
  chassis: string,
  input: Quantities,
  outputWatts: number | undefined,
): readonly MeterReading[] {
  if (isAbsent(supply)) return [];
  const id = `${chassis}/power_supply:${identify(supply)}`;
  const name = nameOf(supply);
  const state = stateOf(supply);
  const own = { id, type: 'power_supply', name, parent: chassis, ...input, ...(state && { state }) };
  const output = { id: `${id}/output`, type: 'power_supply', name: `${name ?? id} output`, parent: id };
  return outputWatts === undefined ? [own] : [own, { ...output, watts: outputWatts }];
}

/** The older resource Power: the chassis itself, if it is not measured otherwise, and its parts. */
export interface OldPower {
  readonly chassis: Quantities;
  readonly parts: readonly MeterReading[];
}

/** The first PowerControl is that of the chassis; others are parts of it, such as processors and memory. */
export function parseOldPower(power: JsonObject, place: Place, hasSensors: boolean): OldPower {
  const [whole, ...others] = objectsOf(power['PowerControl']);
  const parts = others.flatMap((control, index) => parseOldControl(control, index + 1, place));
  const supplies = objectsOf(power['PowerSupplies']).flatMap((supply, index) =>
    parseOldSupply({ MemberId: String(index), ...supply }, place),
  );
  const voltages = hasSensors
    ? parseOldSensors(power['Voltages'], 'voltage', place, (sensor) => ({
        volts: readNumber(sensor['ReadingVolts']),
      }))
    : [];
  const watts = readNumber(objectOf(whole)['PowerConsumedWatts']) ?? readFujitsuPower(power);
  const chassis = dropUndefined({ watts });
  return { chassis, parts: [...parts, ...supplies, ...voltages] };
}

/** An iRMC has no PowerControl: https://github.com/mrlhansen/idrac_exporter/issues/121. */
function readFujitsuPower(power: JsonObject): number | undefined {
  const own = objectOf(objectOf(power['Oem'])['ts_fujitsu']);
  return readNumber(objectOf(own['ChassisPowerConsumption'])['CurrentPowerConsumptionW']);
}

function parseOldControl(control: JsonObject, index: number, { chassis }: Place): readonly MeterReading[] {
  const watts = readNumber(control['PowerConsumedWatts']);
  if (watts === undefined || isAbsent(control)) return [];
  const id = `${chassis}/power_control:${index}`;
  return [{ id, type: 'enclosure', name: nameOf(control), parent: chassis, watts }];
}

/** The older resource Thermal: temperatures and fans. */
export function parseOldThermal(thermal: JsonObject, place: Place): readonly MeterReading[] {
  const temperatures = parseOldSensors(thermal['Temperatures'], 'temperature', place, (sensor) => ({
    celsius: readNumber(sensor['ReadingCelsius']),
  }));
  return [...temperatures, ...parseOldSensors(thermal['Fans'], 'fan', place, parseOldFan)];
}

function parseOldFan(fan: JsonObject): Quantities {
  const reading = readNumber(fan['Reading']) ?? readNumber(fan['ReadingRPM']);
  return fan['ReadingUnits'] === 'Percent'
    ? { fanRatio: reading === undefined ? undefined : reading / 100 }
    : { rpm: reading };
}

function parseOldSensors(
  sensors: unknown,
  type: string,
  { chassis }: Place,
  read: (sensor: JsonObject) => Quantities,
): readonly MeterReading[] {
  return objectsOf(sensors).flatMap((sensor, index) => {
    const quantities = dropUndefined(read(sensor));
    if (isAbsent(sensor) || Object.keys(quantities).length === 0) return [];
    // Ids of members repeat in some BMCs; their index does not.
    const id = `${chassis}/${type}:${index}`;
    return [{ id, type, name: nameOf(sensor), parent: chassis, ...quantities }];
  });
}

/** By ReadingType, the quantity of a sensor and the conversion of its reading. */
const readingTypes: Readonly<Record<string, readonly [type: string, of: (reading: number) => Quantities]>> = {
  Power: ['enclosure', (watts) => ({ watts })],
  Voltage: ['voltage', (volts) => ({ volts })],
  Current: ['current', (amperes) => ({ amperes })],
  Temperature: ['temperature', (celsius) => ({ celsius })],
  Rotational: ['fan', (rpm) => ({ rpm })],
  EnergyJoules: ['enclosure', (joules) => ({ energy: countEnergy(joules) })],
  EnergykWh: ['enclosure', (kwh) => ({ energy: readEnergy({ EnergykWh: { Reading: kwh } }) })],
};

/** Whether a member of Sensors measures power or energy. */
export function isPowerSensor({ ReadingType: type }: JsonObject): boolean {
  return type === 'Power' || type === 'EnergyJoules' || type === 'EnergykWh';
}

/**
 * Whether a member of Sensors measures the whole chassis: the names of OpenBMC, with the prefix of the type since
 * 2022, from which it also has `PowerConsumedWatts`.
 */
export function isTotalPower({ ReadingType: type, Id: id }: JsonObject): boolean {
  return type === 'Power' && typeof id === 'string' && /^(?:power_)?total_?power$/iu.test(id);
}

/** A member of Sensors. */
export function parseSensor(sensor: JsonObject, { chassis }: Place): readonly MeterReading[] {
  const [type, read] = readingTypes[String(sensor['ReadingType'])] ?? [];
  const reading = readNumber(sensor['Reading']);
  if (type === undefined || read === undefined || reading === undefined || isAbsent(sensor)) return [];
  const quantities = dropUndefined(read(reading));
  if (Object.keys(quantities).length === 0) return [];
  const id = `${chassis}/sensor:${identify(sensor)}`;
  return [{ id, type, name: nameOf(sensor), parent: chassis, ...quantities }];
}

function identify(resource: JsonObject): string {
  const { Id: id, MemberId: member } = resource;
  if (typeof id === 'string') return id;
  return typeof member === 'string' || typeof member === 'number' ? String(member) : 'unknown';
}

function nameOf({ Name: name }: JsonObject): string | undefined {
  return typeof name === 'string' && name !== '' ? name : undefined;
}

const states: Readonly<Record<string, HealthState>> = { OK: 'ok', Warning: 'degraded', Critical: 'failed' };

function stateOf(resource: JsonObject): HealthState | undefined {
  return states[String(objectOf(resource['Status'])['Health'])];
}

/** A missing value does not override an existing one. */
function dropUndefined(quantities: Quantities): Quantities {
  return Object.fromEntries(Object.entries(quantities).filter(([, value]) => value !== undefined));
}
