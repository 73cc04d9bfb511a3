import { ATTR_ENERGY_METHOD } from './semantic-conventions.js';
import type { Metric, Series } from './series.js';

// Metrics of hardware and meters that more than one component uses: energy, power, sensors. Those of usage are in
// usage-metrics.ts. Readers match by name, since tables may also come from files and other collectors.

/**
 * Energy of physical domains that do not overlap, so that a plain sum over it is right. Attributes: `hw.type`
 * (cpu, memory, gpu), `hw.id`, `hw.name`, `energy.method` (measured, estimated), where known `hw.parent`.
 */
export const hwEnergy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy used by a hardware domain; domains do not overlap',
  kind: 'counter',
  valueType: 'double',
};

/**
 * Energy of a whole host: what the semantic conventions want in place of `hw.energy`, since it overlaps with the energy
 * of the host's domains. Attributes: `hw.type` = host, `hw.id`, `hw.name`, `energy.method`.
 */
export const hostEnergy: Metric = {
  name: 'hw.host.energy',
  unit: 'J',
  description: 'Energy used by the whole host',
  kind: 'counter',
  valueType: 'double',
};

/** Whether a meter measured this, and it contains the energy of the host's domains: it is never added to these. */
export function isMeasuredHost({ metric, attributes }: Pick<Series, 'metric' | 'attributes'>): boolean {
  return metric.name === hostEnergy.name && attributes[ATTR_ENERGY_METHOD] !== 'estimated';
}

/**
 * The `hw.type` of what a host's meter shows beyond the domains that it contains: losses, fans, disks. It is in the ledger
 * and in what workloads get, and in no meter's energy.
 */
export const remainderType = 'remainder';

/** Power of a whole host. Attributes as its energy. */
export const hostPower: Metric = {
  name: 'hw.host.power',
  unit: 'W',
  description: 'Power of the whole host',
  kind: 'gauge',
  valueType: 'double',
};

/**
 * Energy of a meter whose domain contains domains of `hw.energy`, overlaps with them or is measured by another receiver,
 * and of loads that are not known. Attributes: `hw.type`, `hw.id`, `hw.name`, `energy.method`, where known `hw.parent`.
 */
export const meterEnergy: Metric = {
  name: 'hw.meter.energy',
  unit: 'J',
  description: 'Energy reported by a meter that contains or overlaps other domains; never sum these',
  kind: 'counter',
  valueType: 'double',
};

/** The smallest step of the energy that a meter shows. Attributes: `hw.type`, `hw.id`, `hw.name`, where known `hw.parent`. */
export const meterResolution: Metric = {
  name: 'hw.meter.resolution',
  unit: 'J',
  description: 'Smallest step of the energy of a meter',
  kind: 'gauge',
  valueType: 'double',
};

/**
 * Power by a sensor. Attributes: `hw.type`, `hw.id`, `hw.name`, where known `hw.parent` and `hw.power.window`, the time
 * that a reading is the mean of.
 */
export const hwPower: Metric = {
  name: 'hw.power',
  unit: 'W',
  description: 'Power reported by a sensor of a hardware component; domains may overlap',
  kind: 'gauge',
  valueType: 'double',
};

/** Voltage by a sensor. Attributes: `hw.id`, `hw.name`, where known `hw.parent`, `hw.sensor_location`. */
export const hwVoltage: Metric = {
  name: 'hw.voltage',
  unit: 'V',
  description: 'Voltage reported by a sensor of a hardware component',
  kind: 'gauge',
  valueType: 'double',
};

/** Current by a sensor. Attributes as those of `hw.voltage`. */
export const hwCurrent: Metric = {
  name: 'hw.current',
  unit: 'A',
  description: 'Current reported by a sensor of a hardware component',
  kind: 'gauge',
  valueType: 'double',
};

/** Temperature by a sensor. Attributes as those of `hw.voltage`. */
export const hwTemperature: Metric = {
  name: 'hw.temperature',
  unit: 'Cel',
  description: 'Temperature reported by a sensor of a hardware component',
  kind: 'gauge',
  valueType: 'double',
};

/** A temperature at which something happens. Attributes as those of `hw.temperature`, and `hw.limit_type`. */
export const hwTemperatureLimit: Metric = {
  name: 'hw.temperature.limit',
  unit: 'Cel',
  description: 'Temperature at which a hardware component slows down or shuts down',
  kind: 'gauge',
  valueType: 'double',
};

/** Speed of a fan. Attributes as those of `hw.voltage`. */
export const hwFanSpeed: Metric = {
  name: 'hw.fan.speed',
  unit: 'rpm',
  description: 'Speed of a fan',
  kind: 'gauge',
  valueType: 'int',
};

/** Speed of a fan where it is not known in revolutions. Attributes as those of `hw.voltage`. */
export const hwFanSpeedRatio: Metric = {
  name: 'hw.fan.speed_ratio',
  unit: '1',
  description: 'Speed of a fan as a share of its maximum',
  kind: 'gauge',
  valueType: 'double',
};

/** One series for each state that a component can have. Attributes: `hw.type`, `hw.id`, `hw.state`, where known `hw.name`. */
export const hwStatus: Metric = {
  name: 'hw.status',
  unit: '1',
  description: '1 if a hardware component is in this state, otherwise 0',
  kind: 'updowncounter',
  valueType: 'double',
};

/** The counters that are attributed: of domains, or of the whole host where none of these can be read. */
export const meteredEnergyNames: ReadonlySet<string> = new Set([hwEnergy.name, hostEnergy.name]);

/** Power that an estimated domain has when idle. Attributes as its energy. */
export const floorPower: Metric = {
  name: 'energy.floor.power',
  unit: 'W',
  description: 'Power that a domain uses when nothing runs, if its receiver knows it',
  kind: 'gauge',
  valueType: 'double',
};
