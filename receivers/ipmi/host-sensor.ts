import { powerSupplyEntity, type Sensor } from './sensor-record.js';

/**
 * Names under which BMCs without DCMI have the power of the whole host, in this order, without regard to case, spaces and
 * punctuation: Dell, Dell before the 12th generation, HPE, Lenovo and IBM, Inspur and OpenBMC, Cisco, others.
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

/** The sensor of the power of the whole host: one with a name of the list that is not part of a power supply. */
export function findHostSensor(sensors: readonly Sensor[]): Sensor | undefined {
  const candidates = sensors.filter(
    ({ analog, entityId }) => analog?.quantity === 'power' && entityId !== powerSupplyEntity,
  );
  return hostNames
    .map((name) => candidates.find((sensor) => simplify(sensor.name) === name))
    .find((sensor) => sensor !== undefined);
}

/** The sensor of power with exactly this name. */
export function findNamedSensor(sensors: readonly Sensor[], name: string): Sensor | undefined {
  return sensors.find((sensor) => sensor.name === name && sensor.analog?.quantity === 'power');
}

function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/gu, '');
}
