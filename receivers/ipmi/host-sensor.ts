import { powerSupplyEntity, type Sensor } from './sensor-record.js';

/**
 * Names of the sensor for the power of the whole host in BMCs without DCMI, by precedence, ignoring case,
 * spaces and punctuation: Dell, Dell before the 12th generation, HPE, Lenovo and IBM, Inspur and OpenBMC,
 * Cisco, others.
 */
const hostNames = [
  'Pwr Consumption',
  'System Level',
  'Power Meter',
  'Sys Power',
  'Total Power',
  'POWER_USAGE',
  'System Power',
].map(simplify);

/** Finds the sensor of the power of the whole host: the first listed name that is not part of a power supply. */
export function findHostSensor(sensors: readonly Sensor[]): Sensor | undefined {
  const candidates = sensors.filter(
    ({ analog, entityId }) => analog?.quantity === 'power' && entityId !== powerSupplyEntity,
  );
  return hostNames
    .map((name) => candidates.find((sensor) => simplify(sensor.name) === name))
    .find((sensor) => sensor !== undefined);
}

/** Finds the power sensor with exactly this name. */
export function findNamedSensor(sensors: readonly Sensor[], name: string): Sensor | undefined {
  return sensors.find((sensor) => sensor.name === name && sensor.analog?.quantity === 'power');
}

function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/gu, '');
}
