import { netFn, type Bmc } from './bmc.js';
import { convertReading, parseFactors, type Factors } from './conversion.js';
import type { Analog, Sensor } from './sensor-record.js';

// Readings of sensors: IPMI 2.0, sections 35.5 and 35.14.

const getReading = 0x2d;
const getFactors = 0x23;
const scanningEnabled = 0x40;
const unavailable = 0x20;

/** The states of a power supply, as values of `hw.status`: IPMI 2.0, table 42-3, sensor type 8. */
export const powerSupplyStates = ['ok', 'degraded', 'failed', 'predicted_failure'] as const;

const present = 0x01;
const failed = 0x02;
const predictedFailure = 0x04;
/** Input lost or out of range, or a configuration error. */
const degraded = 0x78;

/**
 * Reads a sensor.
 * @returns the value in the unit of the model, or the index of the state for a power supply; NaN if there is no
 * reading: scanning is disabled, the reading is unavailable, or the power supply is absent
 * @throws AnswerError, also if the sensor is not present
 */
export function readSensor(bmc: Bmc, { controller, number, name, analog }: Sensor): number {
  const request = { netFn: netFn.sensor, command: getReading, bytes: [number] };
  const answer = bmc.askController(controller, `read sensor "${name}"`, request, 2);
  const [raw = 0, flags = 0, states = 0] = answer;
  if ((flags & scanningEnabled) === 0 || (flags & unavailable) !== 0) return NaN;
  if (analog === undefined) return answer.length > 2 ? stateOf(states) : NaN;
  const value = convertReading(
    raw,
    analog.format,
    factorsOf(bmc, raw, { controller, number, name, analog }),
    analog.linearization,
  );
  return (value + analog.offset) * analog.scale;
}

function factorsOf(
  bmc: Bmc,
  raw: number,
  {
    controller,
    number,
    name,
    analog,
  }: Pick<Sensor, 'controller' | 'number' | 'name'> & { readonly analog: Analog },
): Factors {
  if (analog.factors !== undefined) return analog.factors;
  const request = { netFn: netFn.sensor, command: getFactors, bytes: [number, raw] };
  return parseFactors(
    bmc.askController(controller, `read the factors of sensor "${name}"`, request, 7).subarray(1),
  );
}

function stateOf(states: number): number {
  if ((states & present) === 0) return NaN;
  const state =
    (states & failed) !== 0
      ? 'failed'
      : (states & predictedFailure) !== 0
        ? 'predicted_failure'
        : (states & degraded) !== 0
          ? 'degraded'
          : 'ok';
  return powerSupplyStates.indexOf(state);
}
