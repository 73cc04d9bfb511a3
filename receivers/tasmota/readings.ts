import { loginRemedy } from '../../src/http/http-meters.js';
import {
  finiteNumberOf,
  isObject,
  objectOf,
  parseObject,
  type JsonObject,
} from '../../src/recording/otlp-json.js';
import type { EnergyCount, MeterReading } from '../../src/scraping/meter-reading.js';

/** Joules in the kilowatt-hour in which devices count. */
const kilowattHour = 3_600_000;

/** What a device is. */
export interface DeviceIdentity {
  /** `tasmota-2462ab`: what its users call it may change. */
  readonly id: string;
  readonly name: string | undefined;
}

/**
 * The answer to `Status 0`.
 * @throws Error where it is none
 */
export function parseIdentity(text: string): DeviceIdentity {
  const answer = parseAnswer(text);
  const { Mac: mac } = objectOf(answer['StatusNET']);
  if (typeof mac !== 'string')
    throw new Error('expected a Tasmota device, found another answer to "Status 0"');
  const { DeviceName: name } = objectOf(answer['Status']);
  const isNamed = typeof name === 'string' && name !== '';
  return { id: `tasmota-${mac.replaceAll(':', '').toLowerCase()}`, name: isNamed ? name : undefined };
}

/**
 * The answer to `Status 10`, or `Status 8`: the energy meter, and its channels where it has several. The device's own clock,
 * and what it counts by it (`Today`, `Yesterday`), are not used.
 * @returns undefined where it is about something else
 * @throws Error where it is none
 */
export function parseEnergy(text: string, { id, name }: DeviceIdentity): readonly MeterReading[] | undefined {
  const answer = parseAnswer(text);
  const sensors = answer['StatusSNS'] ?? answer['StatusPWR'];
  if (!isObject(sensors)) return undefined;
  const energy = sensors['ENERGY'] ?? sensors;
  if (!isObject(energy) || energy['Power'] === undefined) return [];
  const joules = findResolution(text) * kilowattHour;
  const whole = { id, name, type: 'outlet' };
  if (Array.isArray(energy['Total'])) {
    return energy['Total'].map((total, channel) => {
      const reading = describeChannel(energy, channel, whole);
      return Object.assign(reading, { energy: countEnergy(total, joules) });
    });
  }
  const channels = Array.isArray(energy['Power']) ? energy['Power'] : [];
  return [
    { ...whole, energy: countEnergy(energy['Total'], joules), ...measure(energy, addUp) },
    ...channels.map((_, channel) => Object.assign(describeChannel(energy, channel, whole), { parent: id })),
  ];
}

/** @throws Error where the device refuses, or answers with something other than an object */
function parseAnswer(text: string): JsonObject {
  const answer = parseObject(text);
  // Before version 8.2.3 a device refused with status 200.
  const { WARNING: warning, Command: command } = answer;
  if (typeof warning === 'string') throw new Error(`expected an answer, found "${warning}"; ${loginRemedy}`);
  if (command === 'Unknown')
    throw new Error('expected a Tasmota device, found one that does not know "Status"');
  return answer;
}

/** The step of the counter in kilowatt-hours, by the decimals that the device shows (its setting `EnergyRes`). */
function findResolution(text: string): number {
  const [, totals = ''] = /"Total"\s*:\s*(\[[^\]]*\]|[^,}\s]+)/u.exec(text) ?? [];
  const decimals = [...totals.matchAll(/\.(\d+)/gu)].map(([, digits = '']) => digits.length);
  return 1 / 10 ** Math.max(0, ...decimals);
}

function countEnergy(total: unknown, joules: number): EnergyCount | undefined {
  const shown = finiteNumberOf(total);
  if (shown === undefined) return undefined;
  return { count: Math.round((shown * kilowattHour) / joules), joules };
}

type Channel = Pick<MeterReading, 'id' | 'name' | 'type'>;

function describeChannel(energy: JsonObject, channel: number, { id, name, type }: Channel): MeterReading {
  const number = channel + 1;
  return {
    id: `${id}/${number}`,
    name: name && `${name} ${number}`,
    type,
    ...measure(energy, (value) => finiteNumberOf(Array.isArray(value) ? value[channel] : value)),
  };
}

function measure(energy: JsonObject, read: (value: unknown) => number | undefined) {
  const { Power: power, Voltage: voltage, Current: current } = energy;
  const volts = Array.isArray(voltage) && read === addUp ? undefined : read(voltage);
  return { watts: read(power), volts, amperes: read(current) };
}

/** The sum of what the channels show. */
function addUp(value: unknown): number | undefined {
  if (!Array.isArray(value)) return finiteNumberOf(value);
  return value.reduce<number>((sum, one) => sum + (finiteNumberOf(one) ?? NaN), 0);
}
