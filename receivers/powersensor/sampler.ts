import type { OpenSampler, Sampler } from '../../src/component/sampling.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import type { Config } from './config.js';
import {
  listPairs,
  parseSensor,
  SampleDecoder,
  sensorBytes,
  sensorCount,
  type Pair,
  type Sensor,
} from './protocol.js';
import { blockThread, Serial } from './serial.js';

/** A response takes several milliseconds; the firmware resets itself if the host is silent for 2 s. */
const answerMs = 1000;
const quietMs = 100;
/** If there are no samples for this time, the device is not streaming. */
const silenceMs = 1000;
/** Tolerance for the lag of the device's clock, due to buffering. */
const toleranceMs = 20;
const tolerance = 0.02;

/** Columns of each pair: energy, power, voltage, current. The last column of all is the number of rejected bytes. */
const columnsPerPair = 4;

/** What the sampler reports to the receiver. */
export interface Columns {
  readonly pairs: readonly Pair[];
  /** How often samples, and with them energy, were lost since the device was opened. */
  readonly losses: number;
}

/**
 * Reads what the device has sent since the last tick: energy from every sample, and means of power, voltage and
 * current.
 */
export const openSampler: OpenSampler<Config> = ({ device }) => {
  const serial = new Serial(device);
  try {
    return startSampler(serial, device);
  } catch (error) {
    serial.close();
    throw error;
  }
};

function startSampler(serial: Serial, device: string): Sampler {
  const sensors = readSensors(serial, device);
  const pairs = listPairs(sensors);
  if (pairs.length === 0) {
    throw new UnavailableError(
      `Cannot read ${device}: expected a pair of sensors in use, found none; set them up by psconfig`,
    );
  }
  const decoder = new SampleDecoder(sensors);
  serial.write('S');
  awaitSamples(serial, decoder, device);
  return new StreamSampler(serial, decoder, { device, pairs });
}

/** A device that sends no samples is not a PowerSensor3. */
function awaitSamples(serial: Serial, decoder: SampleDecoder, device: string): void {
  const bytes = new Uint8Array(4096);
  const endMs = performance.now() + answerMs;
  while (decoder.sets === 0) {
    const count = serial.read(bytes);
    decoder.push(bytes, count);
    if (count > 0) continue;
    if (performance.now() > endMs) {
      const found = `${decoder.rejectedBytes} bytes that are none`;
      throw new UnavailableError(
        `Cannot read ${device}: expected samples within ${answerMs} ms, found ${found}`,
      );
    }
    blockThread(1);
  }
}

/** Reads the stream of a device that has started to send. */
class StreamSampler implements Sampler {
  readonly width: number;
  generation = 0;
  readonly #serial: Serial;
  readonly #decoder: SampleDecoder;
  readonly #device: string;
  readonly #pairs: readonly Pair[];
  readonly #bytes = new Uint8Array(64 * 1024);
  /** Published energy. Noise around 0 A can make the measured energy decrease slightly. */
  readonly #published: Float64Array;
  /** Number of bytes that were rejected before the first row. */
  readonly #rejectedBefore: number;
  /** Energy counts from the next row on. */
  #isFirst = true;
  #readMs = performance.now();
  /** Minimum lag of the device's clock behind this machine's, since the last check and before it. */
  #lagMs = Infinity;
  #lagBeforeMs = NaN;
  #checkedMs = NaN;

  constructor(
    serial: Serial,
    decoder: SampleDecoder,
    { device, pairs }: { readonly device: string; readonly pairs: readonly Pair[] },
  ) {
    this.width = columnsPerPair * pairs.length + 1;
    this.#serial = serial;
    this.#decoder = decoder;
    this.#device = device;
    this.#pairs = pairs;
    this.#published = new Float64Array(pairs.length);
    this.#rejectedBefore = decoder.rejectedBytes;
  }

  get columns(): Columns {
    return { pairs: this.#pairs, losses: this.generation };
  }

  /** Only the energy series restart with a generation. */
  get columnIds(): readonly number[] {
    return Array.from({ length: this.width }, (_, column) =>
      column % columnsPerPair === 0 && column < this.width - 1
        ? column + this.width * (this.generation + 1)
        : column,
    );
  }

  read(values: Float64Array, at: number): void {
    this.#decoder.beginRow();
    this.#take();
    if (this.#isFirst) this.#decoder.joules.fill(0);
    if (this.#isFirst) this.#published.fill(0);
    this.#isFirst = false;
    this.#checkTime();
    for (let pair = 0; pair < this.#published.length; pair++)
      this.#write(pair, values, at + columnsPerPair * pair);
    values[at + this.width - 1] = this.#decoder.rejectedBytes - this.#rejectedBefore;
  }

  /**
   * Detects lost samples, whose energy is missing: the device's clock is only known from the timestamps of 10
   * bits in the samples, and lags permanently after a loss. Delayed samples are not lost.
   */
  maintain(): void {
    if (this.#lagMs === Infinity) return;
    const allowedMs = toleranceMs + tolerance * (this.#readMs - this.#checkedMs);
    const isLost = this.#lagMs - this.#lagBeforeMs > allowedMs;
    this.#checkedMs = this.#readMs;
    this.#lagBeforeMs = this.#lagMs;
    this.#lagMs = Infinity;
    if (!isLost) return;
    this.#isFirst = true;
    this.generation++;
  }

  close(): void {
    try {
      this.#serial.write('T');
    } finally {
      this.#serial.close();
    }
  }

  #take(): void {
    for (let count = this.#bytes.length; count === this.#bytes.length;) {
      count = this.#serial.read(this.#bytes);
      this.#decoder.push(this.#bytes, count);
    }
  }

  #checkTime(): void {
    const nowMs = performance.now();
    const { sets, micros } = this.#decoder;
    if (sets > 0) {
      this.#readMs = nowMs;
      this.#lagMs = Math.min(this.#lagMs, nowMs - micros / 1000);
    } else if (nowMs - this.#readMs > silenceMs)
      throw new Error(`Cannot read ${this.#device}: expected samples, found none for ${silenceMs} ms`);
  }

  #write(pair: number, values: Float64Array, at: number): void {
    const { joules, watts, volts, amperes, sets } = this.#decoder;
    this.#published[pair] = Math.max(this.#published[pair] ?? 0, joules[pair] ?? 0);
    values[at] = this.#published[pair] ?? NaN;
    values[at + 1] = (watts[pair] ?? NaN) / sets;
    values[at + 2] = (volts[pair] ?? NaN) / sets;
    values[at + 3] = (amperes[pair] ?? NaN) / sets;
  }
}

/**
 * Reads the configuration of the sensors from the device, which may still be streaming for a process that was
 * killed.
 */
function readSensors(serial: Serial, device: string): readonly Sensor[] {
  serial.write('T');
  serial.drain(quietMs, answerMs);
  serial.write('R');
  const sensors: Sensor[] = [];
  for (let i = 0; i < sensorCount; i++) {
    sensors.push(readSensor(serial, device));
    serial.write('s');
  }
  const end = serial.readExactly(1, answerMs).toString('latin1');
  if (end === 'D') return sensors;
  throw new UnavailableError(`Cannot read ${device}: expected "D" after the sensors, found "${end}"`);
}

function readSensor(serial: Serial, device: string): Sensor {
  const bytes = serial.readExactly(sensorBytes, answerMs);
  try {
    return parseSensor(bytes);
  } catch (error) {
    throw new UnavailableError(`Cannot read ${device}: ${describeError(error)}`, { cause: error });
  }
}
