import { elementAt } from '../../src/element.js';

// The protocol of firmware version 1.6 (device/PowerSensor/PowerSensor.ino of PowerSensor3).

export const sensorCount = 8;
/**
 * Size of a sensor in the device's memory: type and name of 16 bytes each, reference, sensitivity, and whether
 * it is used.
 */
export const sensorBytes = 41;

/** A sensor. Those with even numbers measure current; the next odd number measures the voltage of the same pair. */
export interface Sensor {
  readonly name: string;
  /** Volts at 0 A or 0 V. */
  readonly reference: number;
  /** Volts per ampere or per volt. */
  readonly sensitivity: number;
  readonly isUsed: boolean;
}

/**
 * Parses a sensor as sent by the device.
 * @throws Error if it is used and its configuration is invalid
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

/** The pairs that can be read. A sensor with sensitivity 0 was never configured. */
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
/** Modulus of timestamps in microseconds. */
const clockRange = 1024;
const setBytes = 2 * (sensorCount + 1);
/** A set is sent every 50 us. After a longer time between two sets, sets were lost or the timestamp is damaged. */
const maxStepMicros = 200;

/**
 * Decodes the stream, which consists of packets of 2 bytes, `1iiiLLLL 0mllllll`: a sensor number and a level of
 * 10 bits. The eight packets of a set follow a timestamp: a packet for sensor 7 with the marker bit, whose
 * level is the lower 10 bits of the device's clock in microseconds. Markers requested by a user are set for
 * sensor 0. Energy is the power of each set multiplied by the time since the previous set.
 *
 * A set is accepted if it is complete, in order, and its timestamp follows that of the previous set. If the
 * timestamp does not follow, the next set decides which of the two is correct. All other bytes are skipped and
 * counted. Allocates nothing.
 */
export class SampleDecoder {
  /** By pair. */
  readonly joules: Float64Array;
  /** By pair: sums over the sets since the last `beginRow`. */
  readonly watts: Float64Array;
  readonly volts: Float64Array;
  readonly amperes: Float64Array;
  /** Number of sets since the last `beginRow`. */
  sets = 0;
  /** Time on the device's clock since the first set. */
  micros = 0;
  /** Number of bytes outside accepted sets. */
  rejectedBytes = 0;
  readonly #numbers: Uint8Array;
  readonly #references: Float64Array;
  readonly #sensitivities: Float64Array;
  readonly #levels = new Float64Array(sensorCount);
  /** The first byte of an incomplete packet; 0: none. */
  #first = 0;
  /** The next expected sensor; -1: a timestamp is expected. */
  #next = -1;
  #timestamp = 0;
  /** Timestamp of the last accepted set; -1: none. */
  #last = -1;
  /** Timestamp of the last rejected set, which may have been correct; -1: none. */
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

  /** Decodes received bytes. */
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

  /** Rejects the current set, and the bytes that interrupted it. */
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

  /** @param micros since the previous set; negative if the timestamp of that was too late */
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

/** Difference between two timestamps, -512 to 511; NaN: there is no first one. */
function countMicros(from: number, to: number): number {
  if (from < 0) return NaN;
  return ((to - from + 1.5 * clockRange) % clockRange) - clockRange / 2;
}

/** Whether this is a valid time between two sets. */
function isStep(micros: number): boolean {
  return micros >= 0 && micros <= maxStepMicros;
}
