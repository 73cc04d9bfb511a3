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

/**
 * A sensor as the device answers it.
 * @throws Error when it is used and what is there cannot be a sensor
 */
export function parseSensor(bytes: Buffer): Sensor {
  const name = bytes.toString('latin1', 16, 32).replace(/\0.*$/su, '');
  const [reference, sensitivity] = [bytes.readFloatLE(32), bytes.readFloatLE(36)];
  const used = bytes.readUInt8(40);
  const isKnown = used === 0 || (Number.isFinite(reference) && Number.isFinite(sensitivity));
  if (used <= 1 && isKnown) return { name, reference, sensitivity, isUsed: used === 1 };
  const found = `${reference} V at 0, ${sensitivity} V for 1, used: ${used}`;
  throw new Error(`expected a sensor as psconfig writes it, found "${found}"`);
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
/** Of a timestamp: the device's clock modulo this, in microseconds. */
const clockRange = 1024;
const setBytes = 2 * (sensorCount + 1);
/** A set is sent every 50 us: with a longer time from one to the next, sets were lost, or the timestamp was damaged. */
const maxStepMicros = 200;

/**
 * Takes the stream apart: 2 bytes each, `1iiiLLLL 0mllllll`, of a sensor and its level of 10 bits; before the eight of a
 * set, one of sensor 7 with the marker set, whose level is the lower 10 bits of the device's clock in microseconds. A
 * marker that a user has asked for is at sensor 0. Energy is the power of each set over the time since the set before.
 *
 * A set counts when all of it has come, in this order, and its timestamp follows that of the set before; where it does not,
 * the next set decides which of the two is right. What is not of such a set is skipped and counted. Allocates nothing.
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
  /** Bytes that are not of a set that counts. */
  rejectedBytes = 0;
  readonly #numbers: Uint8Array;
  readonly #references: Float64Array;
  readonly #sensitivities: Float64Array;
  readonly #levels = new Float64Array(sensorCount);
  /** The first byte of a packet; 0: none has come. */
  #first = 0;
  /** The sensor that is to come; -1: none, until a timestamp has come. */
  #next = -1;
  #timestamp = 0;
  /** Of the last set that counts; -1: there was none. */
  #last = -1;
  /** Of a set that does not follow the last one, but may be right; -1: there is none. */
  #doubtful = -1;

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

  /** Takes bytes as they come. */
  push(bytes: Uint8Array, length: number): void {
    for (let at = 0; at < length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x80) {
        if (this.#first !== 0) this.#reject(1);
        this.#first = byte;
      } else if (this.#first === 0) this.#reject(1);
      else {
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

  /** Leaves the set out that is coming, and what came instead of the rest of it. */
  #reject(bytes: number): void {
    this.rejectedBytes += bytes + (this.#next < 0 ? 0 : 2 * (this.#next + 1));
    this.#next = -1;
  }

  #take(first: number, second: number): void {
    const sensor = (first >> 4) & 7;
    const level = ((first & 0xf) << 6) | (second & 0x3f);
    const isMarked = (second & 0x40) !== 0;
    if (isMarked && sensor === sensorCount - 1) {
      this.#reject(0);
      this.#timestamp = level;
      this.#next = 0;
      return;
    }
    if (sensor !== this.#next || (isMarked && sensor !== 0)) {
      this.#reject(2);
      return;
    }
    this.#levels[sensor] = level;
    this.#next++;
    if (this.#next < sensorCount) return;
    this.#next = -1;
    this.#finishSet();
  }

  #finishSet(): void {
    const follows = countMicros(this.#last, this.#timestamp);
    const isRight = isStep(follows) || isStep(countMicros(this.#doubtful, this.#timestamp));
    this.#doubtful = isRight ? -1 : this.#timestamp;
    if (this.#last < 0 || isRight) this.#addSet(this.#last < 0 ? 0 : follows);
    else this.rejectedBytes += setBytes;
  }

  /** @param micros since the set before; less than 0 where the timestamp of that was too late */
  #addSet(micros: number): void {
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

/** From one timestamp to another one, -512 to 511; NaN: there is no first one. */
function countMicros(from: number, to: number): number {
  if (from < 0) return NaN;
  return ((to - from + 1.5 * clockRange) % clockRange) - clockRange / 2;
}

/** Whether a set may come so long after another one. */
function isStep(micros: number): boolean {
  return micros >= 0 && micros <= maxStepMicros;
}
