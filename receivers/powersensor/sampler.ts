import type { OpenSampler } from '../../src/component/sampling.js';
import { UnavailableError } from '../../src/errors.js';
import type { Config } from './config.js';
import { listPairs, parseSensor, SampleDecoder, sensorBytes, sensorCount, type Sensor } from './protocol.js';
import { Serial } from './serial.js';

/** An answer takes some milliseconds; the firmware resets itself when the host is silent for 2 s. */
const answerMs = 1000;
const quietMs = 100;
/** Without samples for longer than this, the device does not stream. */
const silenceMs = 1000;
/** By how much the device's clock may be behind this machine's over a flush. */
const toleranceMs = 20;
const tolerance = 0.02;

/** Columns of each pair: energy, power, voltage, current. */
export const columnsPerPair = 4;

/** Reads what the device has sent since the last tick: energy of every sample, and means of power, voltage and current. */
export const openSampler: OpenSampler<Config> = ({ device }) => {
  const serial = new Serial(device);
  try {
    return startSampler(serial, device);
  } catch (error) {
    serial.close();
    throw error;
  }
};

function startSampler(serial: Serial, device: string): ReturnType<OpenSampler> {
  const sensors = readSensors(serial, device);
  const pairs = listPairs(sensors);
  if (pairs.length === 0) {
    throw new UnavailableError(
      `Cannot read ${device}: expected a pair of sensors in use, found none; set them up by psconfig`,
    );
  }
  const decoder = new SampleDecoder(sensors);
  const bytes = new Uint8Array(64 * 1024);
  /** What has been published: noise around 0 A may make energy fall by a little. */
  const published = new Float64Array(pairs.length);
  let generation = 0;
  /** Energy counts from the next row on. */
  let isFirst = true;
  let readMs = performance.now();
  let checkedMs = NaN;
  let checkedMicros = 0;
  serial.write('S');
  return {
    width: columnsPerPair * pairs.length,
    columns: pairs,
    get generation() {
      return generation;
    },
    read(values, at) {
      decoder.beginRow();
      for (let count = bytes.length; count === bytes.length;) {
        count = serial.read(bytes);
        decoder.push(bytes, count);
      }
      if (isFirst) decoder.joules.fill(0);
      if (isFirst) published.fill(0);
      isFirst = false;
      const nowMs = performance.now();
      if (decoder.sets > 0) readMs = nowMs;
      else if (nowMs - readMs > silenceMs) {
        throw new Error(`Cannot read ${device}: expected samples, found none for ${silenceMs} ms`);
      }
      for (let pair = 0; pair < published.length; pair++) {
        const from = at + columnsPerPair * pair;
        published[pair] = Math.max(published[pair] ?? 0, decoder.joules[pair] ?? 0);
        values[from] = published[pair] ?? NaN;
        values[from + 1] = (decoder.watts[pair] ?? NaN) / decoder.sets;
        values[from + 2] = (decoder.volts[pair] ?? NaN) / decoder.sets;
        values[from + 3] = (decoder.amperes[pair] ?? NaN) / decoder.sets;
      }
    },
    maintain() {
      const [hostMs, deviceMs] = [readMs - checkedMs, (decoder.micros - checkedMicros) / 1000];
      [checkedMs, checkedMicros] = [readMs, decoder.micros];
      // Samples that were lost took energy with them: the clock of the device, of which each has 10 bits, is behind.
      if (!(hostMs - deviceMs > toleranceMs + tolerance * hostMs)) return;
      isFirst = true;
      generation++;
    },
    close() {
      try {
        serial.write('T');
      } finally {
        serial.close();
      }
    },
  };
}

/** The configuration of the sensors, which the device keeps. It may still stream to a process that was killed. */
function readSensors(serial: Serial, device: string): readonly Sensor[] {
  serial.write('T');
  serial.drain(quietMs);
  serial.write('R');
  const sensors: Sensor[] = [];
  for (let i = 0; i < sensorCount; i++) {
    sensors.push(parseSensor(serial.readExactly(sensorBytes, answerMs)));
    serial.write('s');
  }
  const end = serial.readExactly(1, answerMs).toString('latin1');
  if (end === 'D') return sensors;
  throw new UnavailableError(`Cannot read ${device}: expected "D" after the sensors, found "${end}"`);
}
