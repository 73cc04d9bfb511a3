import { ATTR_ENERGY_METHOD } from './semantic-conventions.js';
import type { Metric, Series } from './series.js';

// Metrics of hardware and meters that more than one component uses: energy, power, sensors. Those of usage are
// in usage-metrics.ts. Consumers match by name, since tables may also come from files and other collectors.

/**
 * Energy of physical domains that do not overlap, so that they can be added. Attributes: `hw.type` (cpu,
 * memory, gpu), `hw.id`, `hw.name`, `energy.method` (measured, estimated), and `hw.parent` if known.
 */
export const hwEnergy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy used by a hardware domain; domains do not overlap',
  kind: 'counter',
  valueType: 'double',
};

/**
 * Energy of a whole host: required by the semantic conventions instead of `hw.energy`, since it overlaps with
 * the energy of the host's domains. Attributes: `hw.type` = host, `hw.id`, `hw.name`, `energy.method`.
 */
export const hostEnergy: Metric = {
  name: 'hw.host.energy',
  unit: 'J',
  description: 'Energy used by the whole host',
  kind: 'counter',
  valueType: 'double',
};

/** Whether this is measured energy of a whole host, which must not be added to that of the host's domains. */
export function isMeasuredHost({ metric, attributes }: Pick<Series, 'metric' | 'attributes'>): boolean {
  return metric.name === hostEnergy.name && attributes[ATTR_ENERGY_METHOD] !== 'estimated';
}

/**
 * The `hw.type` of what a host's meter shows beyond the domains that it contains: losses, fans, disks. It
 * appears in the ledger and in the energy of workloads, but not in any meter's energy.
 */
export const remainderType = 'remainder';

/** Power of a whole host. Attributes as for its energy. */
export const hostPower: Metric = {
  name: 'hw.host.power',
  unit: 'W',
  description: 'Power of the whole host',
  kind: 'gauge',
  valueType: 'double',
};

/**
 * Energy of a meter whose domain contains domains of `hw.energy`, overlaps with them or is measured by another
 * receiver, or of an unknown load. Attributes: `hw.type`, `hw.id`, `hw.name`, `energy.method`, and `hw.parent`
 * if known.
 */
export const meterEnergy: Metric = {
  name: 'hw.meter.energy',
  unit: 'J',
  description: 'Energy reported by a meter whose domain may contain or overlap others; never sum these',
  kind: 'counter',
  valueType: 'double',
};

/** The resolution of a meter's energy. Attributes: `hw.type`, `hw.id`, `hw.name`, and `hw.parent` if known. */
export const meterResolution: Metric = {
  name: 'hw.meter.resolution',
  unit: 'J',
  description: 'Smallest step of the energy of a meter',
  kind: 'gauge',
  valueType: 'double',
};

/**
 * Power read from a sensor. Attributes: `hw.type`, `hw.id`, `hw.name`, and if known `hw.parent` and
 * `hw.power.window`, the averaging time of a reading.
 */
export const hwPower: Metric = {
  name: 'hw.power',
  unit: 'W',
  description: 'Power reported by a sensor of a hardware component; domains may overlap',
  kind: 'gauge',
  valueType: 'double',
};

/** Voltage read from a sensor. Attributes: `hw.id`, `hw.name`, and if known `hw.parent` and `hw.sensor_location`. */
export const hwVoltage: Metric = {
  name: 'hw.voltage',
  unit: 'V',
  description: 'Voltage reported by a sensor of a hardware component',
  kind: 'gauge',
  valueType: 'double',
};

/** Current read from a sensor. Attributes as for `hw.voltage`. */
export const hwCurrent: Metric = {
  name: 'hw.current',
  unit: 'A',
  description: 'Current reported by a sensor of a hardware component',
  kind: 'gauge',
  valueType: 'double',
};

/** Temperature read from a sensor. Attributes as for `hw.voltage`. */
export const hwTemperature: Metric = {
  name: 'hw.temperature',
  unit: 'Cel',
  description: 'Temperature reported by a sensor of a hardware component',
  kind: 'gauge',
  valueType: 'double',
};

/** A temperature threshold. Attributes as for `hw.temperature`, and `hw.limit_type`. */
export const hwTemperatureLimit: Metric = {
  name: 'hw.temperature.limit',
  unit: 'Cel',
  description: 'Temperature at which a hardware component slows down or shuts down',
  kind: 'gauge',
  valueType: 'double',
};

/** Fan speed. Attributes as for `hw.voltage`. */
export const hwFanSpeed: Metric = {
  name: 'hw.fan.speed',
  unit: 'rpm',
  description: 'Speed of a fan',
  kind: 'gauge',
  valueType: 'int',
};

/** Fan speed as a ratio, if it is not known in revolutions. Attributes as for `hw.voltage`. */
export const hwFanSpeedRatio: Metric = {
  name: 'hw.fan.speed_ratio',
  unit: '1',
  description: 'Speed of a fan as a share of its maximum',
  kind: 'gauge',
  valueType: 'double',
};

/** One series per possible state of a component. Attributes: `hw.type`, `hw.id`, `hw.state`, and `hw.name` if known. */
export const hwStatus: Metric = {
  name: 'hw.status',
  unit: '1',
  description: '1 if a hardware component is in this state, otherwise 0',
  kind: 'updowncounter',
  valueType: 'double',
};

/** The counters that are attributed: those of domains, or of the whole host if no domain can be read. */
export const meteredEnergyNames: ReadonlySet<string> = new Set([hwEnergy.name, hostEnergy.name]);

/** Idle power of an estimated domain. Attributes as for its energy. */
export const floorPower: Metric = {
  name: 'energy.floor.power',
  unit: 'W',
  description:
    'Power that a domain uses when nothing runs, if the component that publishes the domain knows it',
  kind: 'gauge',
  valueType: 'double',
};

/** Published by the processor `carbon`. */
export const embodiedCarbon: Metric = {
  name: 'hw.host.carbon.embodied',
  unit: 'g',
  description: 'Greenhouse gas emissions of making the machine, spread over its lifetime, in CO2 equivalent',
  kind: 'counter',
  valueType: 'double',
};
