import { elementAt } from '../../src/element.js';

// The protocol of the firmware, version 1.6 (device/PowerSensor/PowerSensor.ino of PowerSensor3).

export const sensorCount = 8;
/** A sensor in the device's memory: type and name of 16 bytes each, reference and sensitivity, and whether it is used. */
export const sensorBytes = 41;

/** A sensor: those with even numbers measure current, those that follow them the voltage of the same pair. */
export interface Sensor {
  readonly name: string;
  /** Volts at 0 A, or 0 V. */
  readonly reference: number;
  /** Volts in an ampere, or a volt. */
  readonly sensitivity: number;
  readonly isUsed: boolean;
}

/** A sensor as the device answers it. */
export function parseSensor(bytes: Buffer): Sensor {
  const name = bytes.toString('latin1', 16, 32).replace(/\0.*$/su, '');
  const used = bytes.readUInt8(40) !== 0;
  return { name, reference: bytes.readFloatLE(32), sensitivity: bytes.readFloatLE(36), isUsed: used };
}

/** A pair of sensors that are both in use. */
export interface Pair {
  /** 0 to 3. */
  readonly number: number;
  readonly name: string;
}

/** The pairs that can be read: a sensitivity of 0 belongs to a sensor that was never set up. */
export function listPairs(sensors: readonly Sensor[]): readonly Pair[] {
  return [0, 1, 2, 3].flatMap((number) => {
    const both = sensors.slice(2 * number, 2 * number + 2);
    const isUsable =
      both.length === 2 && both.every(({ isUsed, sensitivity }) => isUsed && sensitivity !== 0);
    return isUsable ? [{ number, name: elementAt(both, 0).name }] : [];
  });
}

const supplyVolts = 3.3;
const maxLevel = 1023;
const allSensors = 0xff;
const timestampMask = 0x3ff;

/**
 * Takes the stream apart: 2 bytes each, `1iiiLLLL 0mllllll`, of a sensor and its level of 10 bits; before the eight of a
 * set, one of sensor 7 with the marker set, whose level is the lower 10 bits of the device's clock in microseconds.
 * Energy is the power of each set over the time since the set before. Allocates nothing.
 */
export class SampleDecoder {
  /** Of each pair. */
  readonly joules: Float64Array;
  /** Of each pair: sums over the sets since the last `beginRow`. */
  readonly watts: Float64Array;
  readonly volts: Float64Array;
  readonly amperes: Float64Array;
  /** Sets since the last `beginRow`. */
  sets = 0;
  /** Time by the device's clock since it was first read. */
  micros = 0;
  readonly #numbers: Uint8Array;
  readonly #references: Float64Array;
  readonly #sensitivities: Float64Array;
  readonly #levels = new Float64Array(sensorCount);
  #first = 0;
  #seen = 0;
  #timestamp = -1;
  #last = -1;

  constructor(sensors: readonly Sensor[]) {
    const pairs = listPairs(sensors);
    this.#numbers = Uint8Array.from(pairs, ({ number }) => number);
    this.#references = Float64Array.from(sensors, ({ reference }) => reference);
    this.#sensitivities = Float64Array.from(sensors, ({ sensitivity }) => sensitivity);
    this.joules = new Float64Array(pairs.length);
    this.watts = new Float64Array(pairs.length);
    this.volts = new Float64Array(pairs.length);
    this.amperes = new Float64Array(pairs.length);
  }

  /** Takes bytes as they come; what is no packet is skipped. */
  push(bytes: Uint8Array, length: number): void {
    for (let at = 0; at < length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x80) this.#first = byte;
      else if (this.#first !== 0) {
        this.#take(this.#first, byte);
        this.#first = 0;
      }
    }
  }

  beginRow(): void {
    this.sets = 0;
    this.watts.fill(0);
    this.volts.fill(0);
    this.amperes.fill(0);
  }

  #take(first: number, second: number): void {
    const sensor = (first >> 4) & 7;
    const level = ((first & 0xf) << 6) | (second & 0x3f);
    const isMarked = (second & 0x40) !== 0;
    if (isMarked && sensor === sensorCount - 1) {
      this.#timestamp = level;
      this.#seen = 0;
      return;
    }
    this.#levels[sensor] = level;
    this.#seen |= 1 << sensor;
    if (this.#seen !== allSensors || this.#timestamp < 0) return;
    this.#seen = 0;
    this.#finishSet();
  }

  #finishSet(): void {
    const micros = this.#last < 0 ? 0 : (this.#timestamp - this.#last) & timestampMask;
    this.#last = this.#timestamp;
    this.micros += micros;
    this.sets++;
    for (let i = 0; i < this.#numbers.length; i++) {
      const current = 2 * (this.#numbers[i] ?? 0);
      const amperes = this.#measure(current);
      const volts = this.#measure(current + 1);
      const watts = amperes * volts;
      this.joules[i] = (this.joules[i] ?? 0) + (watts * micros) / 1e6;
      this.watts[i] = (this.watts[i] ?? 0) + watts;
      this.volts[i] = (this.volts[i] ?? 0) + volts;
      this.amperes[i] = (this.amperes[i] ?? 0) + amperes;
    }
  }

  #measure(sensor: number): number {
    const volts = (supplyVolts * (this.#levels[sensor] ?? 0)) / maxLevel;
    return (volts - (this.#references[sensor] ?? 0)) / (this.#sensitivities[sensor] ?? 1);
  }
}
