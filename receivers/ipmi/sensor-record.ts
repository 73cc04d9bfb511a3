import { elementAt } from '../../src/element.js';
import type { Controller } from './bmc.js';
import { firstNonLinear, formatOf, parseFactors, type AnalogFormat, type Factors } from './conversion.js';

// Sensor data records: IPMI 2.0, section 43.

/** What an analog sensor measures, in a unit of the model. */
export type Quantity =
  'power' | 'energy' | 'voltage' | 'current' | 'temperature' | 'fan_speed' | 'fan_speed_ratio';

/** How readings are converted to values. */
export interface Analog {
  readonly quantity: Quantity;
  readonly format: AnalogFormat;
  readonly linearization: number;
  /** Undefined: they depend on the reading, and are requested from the controller. */
  readonly factors: Factors | undefined;
  /** Conversion from the unit of the sensor to that of the model: the offset is added before the factor is applied. */
  readonly offset: number;
  readonly scale: number;
}

/** A sensor that is read. */
export interface Sensor {
  readonly controller: Controller;
  readonly number: number;
  /** The entity that it belongs to: IPMI 2.0, table 43-13. 10: a power supply. */
  readonly entityId: number;
  readonly entityInstance: number;
  readonly name: string;
  /** Undefined: the status of a power supply. */
  readonly analog: Analog | undefined;
}

export const powerSupplyEntity = 10;

const fullRecord = 0x01;
const compactRecord = 0x02;
/** Offset of the type and length of the name. */
const nameAt: ReadonlyMap<number, number> = new Map([
  [fullRecord, 47],
  [compactRecord, 31],
]);
const fanType = 0x04;
const powerSupplyType = 0x08;
const sensorSpecific = 0x6f;
const firstOemInstance = 0x60;
/** In the id of the owner: it is software, which does not answer on the bus. */
const softwareOwner = 0x01;

/** The sensors of a record: a compact one may describe several, with consecutive numbers. */
export function listSensors(record: Uint8Array): readonly Sensor[] {
  const sensor = parseSensorRecord(record);
  if (sensor === undefined) return [];
  if (record[3] !== compactRecord) return [sensor];
  const [sharing, modifier] = [elementAt(record, 23), elementAt(record, 24)];
  const { number, entityInstance, name } = sensor;
  // Sensors of the same entity could not be told apart.
  const count = (modifier & 0x80) === 0 ? 1 : sharing & 0x0f;
  if (count < 2) return [sensor];
  const isAlphabetic = ((sharing >> 4) & 3) === 1;
  return Array.from({ length: count }, (_, i) => {
    const suffix = (modifier & 0x7f) + i;
    const own = `${name}${isAlphabetic ? String.fromCharCode(0x41 + suffix) : suffix}`;
    return { ...sensor, number: number + i, entityInstance: entityInstance + i, name: own };
  });
}

/** @returns undefined for other records, and for sensors of other quantities or without a controller */
export function parseSensorRecord(record: Uint8Array): Sensor | undefined {
  const type = record[3] ?? 0;
  const start = nameAt.get(type);
  if (start === undefined || record.length <= start) return undefined;
  if ((elementAt(record, 5) & softwareOwner) !== 0) return undefined;
  const analog = type === fullRecord ? parseAnalog(record) : undefined;
  const isStatus = elementAt(record, 12) === powerSupplyType && elementAt(record, 13) === sensorSpecific;
  if (analog === undefined && !isStatus) return undefined;
  return { ...parseKey(record), name: parseName(record, start), analog };
}

function parseKey(record: Uint8Array): Omit<Sensor, 'name' | 'analog'> {
  const lunAndChannel = elementAt(record, 6);
  const controller = {
    address: elementAt(record, 5) & 0xfe,
    channel: lunAndChannel >> 4,
    lun: lunAndChannel & 3,
  };
  const instance = elementAt(record, 9) & 0x7f;
  return {
    controller,
    number: elementAt(record, 7),
    entityId: elementAt(record, 8),
    // From this number on, instances are relative to each controller.
    entityInstance: instance >= firstOemInstance ? instance - firstOemInstance : instance,
  };
}

/** Base units and their units in the model: IPMI 2.0, table 43-15. */
const units: ReadonlyMap<number, readonly [Quantity, offset: number, scale: number]> = new Map([
  [1, ['temperature', 0, 1]],
  [2, ['temperature', -32, 5 / 9]],
  [3, ['temperature', -273.15, 1]],
  [4, ['voltage', 0, 1]],
  [5, ['current', 0, 1]],
  [6, ['power', 0, 1]],
  [7, ['energy', 0, 1]],
  [18, ['fan_speed', 0, 1]],
]);

const joules = 7;
/** Seconds by rate unit, from per microsecond to per day. */
const secondsOfRate = [0, 1e-6, 1e-3, 1, 60, 3600, 86_400];

function parseAnalog(record: Uint8Array): Analog | undefined {
  const units1 = elementAt(record, 20);
  const format = formatOf(units1);
  const unit = parseUnit(units1, elementAt(record, 21), elementAt(record, 12));
  if (format === undefined || unit === undefined) return undefined;
  const [quantity, offset, scale] = unit;
  const linearization = elementAt(record, 23) & 0x7f;
  const factors = linearization >= firstNonLinear ? undefined : parseFactors(record.subarray(24, 30));
  return { quantity, format, linearization, factors, offset, scale };
}

function parseUnit(
  units1: number,
  base: number,
  sensorType: number,
): readonly [Quantity, number, number] | undefined {
  const [isPercent, modifier, rate] = [(units1 & 1) === 1, (units1 >> 1) & 3, (units1 >> 3) & 7];
  if (modifier !== 0) return undefined;
  if (isPercent) return sensorType === fanType ? ['fan_speed_ratio', 0, 1 / 100] : undefined;
  if (rate === 0) return units.get(base);
  const seconds = secondsOfRate[rate];
  return base === joules && seconds !== undefined ? ['power', 0, 1 / seconds] : undefined;
}

const bcdPlus = '0123456789 -.:,_';

/** Parses a name with its type and length byte: IPMI 2.0, section 43.15. */
function parseName(record: Uint8Array, start: number): string {
  const code = elementAt(record, start);
  const bytes = record.subarray(start + 1, start + 1 + (code & 0x1f));
  const encoding = code >> 6;
  const text =
    encoding === 1
      ? decodeBcd(bytes)
      : encoding === 2
        ? decodeSixBit(bytes)
        : Buffer.from(bytes).toString('latin1');
  // Some controllers pad names with zeros or spaces.
  return text.replace(/\0.*$/su, '').trim();
}

function decodeBcd(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `${bcdPlus[byte >> 4]}${bcdPlus[byte & 15]}`).join('');
}

/** Four characters in three bytes, lowest bits first; code 0 is a space. */
function decodeSixBit(bytes: Uint8Array): string {
  let [text, bits, count] = ['', 0, 0];
  for (const byte of bytes) {
    bits |= byte << count;
    count += 8;
    for (; count >= 6; count -= 6, bits >>= 6) text += String.fromCharCode(0x20 + (bits & 0x3f));
  }
  return text;
}
