import { ATTR_ENERGY_METHOD, ATTR_HW_ID, ATTR_HW_NAME, ATTR_HW_TYPE } from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';

/** Power that is linear in use: P = idle + (max - idle) x use, where a use of 1 is full use. */
export interface PowerModel {
  readonly idleWatts: number;
  readonly maxWatts: number;
}

/** Published figures with their source and date. */
export interface SourcedModel extends PowerModel {
  readonly source: string;
}

const specPower = 'Cloud Carbon Footprint 2022, from SPECpower_ssj2008';

/**
 * Power of whole servers with their memory, fans and power supplies, per logical CPU, by the micro-architecture of
 * their processors. Source: https://github.com/cloud-carbon-footprint/cloud-carbon-coefficients, output/
 * coefficients-aws-use.csv, the third generation of EPYC from coefficients-azure-use.csv, of March 2022; the average is
 * that of https://www.cloudcarbonfootprint.org/docs/methodology for the processors of AWS.
 */
export const serverModels = {
  average: { idleWatts: 0.74, maxWatts: 3.5, source: 'averages of Cloud Carbon Footprint for AWS' },
  sandy_bridge: { idleWatts: 2.17, maxWatts: 8.58, source: specPower },
  ivy_bridge: { idleWatts: 3.04, maxWatts: 8.25, source: specPower },
  haswell: { idleWatts: 1.9, maxWatts: 6.01, source: specPower },
  broadwell: { idleWatts: 0.71, maxWatts: 3.69, source: specPower },
  skylake: { idleWatts: 0.64, maxWatts: 4.19, source: specPower },
  cascade_lake: { idleWatts: 0.64, maxWatts: 3.97, source: specPower },
  coffee_lake: { idleWatts: 1.14, maxWatts: 5.42, source: specPower },
  epyc_1: { idleWatts: 0.82, maxWatts: 2.55, source: specPower },
  epyc_2: { idleWatts: 0.47, maxWatts: 1.69, source: specPower },
  epyc_3: { idleWatts: 0.45, maxWatts: 2.02, source: specPower },
} as const satisfies Readonly<Record<string, SourcedModel>>;

export type ServerName = keyof typeof serverModels;

export const serverNames = Object.keys(serverModels) as readonly ServerName[];

/**
 * Watts per gigabyte of DDR4, independent of load: the mean of the figures of Crucial (0.375) and Micron
 * (0.4083), by Cloud Carbon Footprint, Methodology, Memory (2021).
 */
export const memoryWattsPerGb = 0.392;

const diskSource = 'U.S. Data Center Energy Usage Report 2016, for 2020';

/** Power of a drive, independent of size and load. */
export const diskModels = {
  hdd: { idleWatts: 6.5, maxWatts: 6.5, source: diskSource },
  ssd: { idleWatts: 6, maxWatts: 6, source: diskSource },
} as const satisfies Readonly<Record<string, SourcedModel>>;

/**
 * Power of a 10 Gbit/s port. The manufacturer states typical and maximum power; the typical one is used as idle
 * power.
 */
export const networkModel: SourcedModel = {
  idleWatts: 3.47,
  maxWatts: 4.84,
  source: 'Mellanox ConnectX-3 Ethernet User Manual 2012, MCX311A with passive cable',
};

/** Validates two settings that must be set together. */
export function checkPowers(
  {
    idle_power: idle,
    max_power: max,
  }: { readonly idle_power: number | null; readonly max_power: number | null },
  path = '',
): readonly string[] {
  if (idle === null && max === null) return [];
  if (idle === null)
    return [`${path}idle_power: expected a power because ${path}max_power is set, found none`];
  if (max === null)
    return [`${path}max_power: expected a power because ${path}idle_power is set, found none`];
  return max < idle ? [`${path}max_power: expected at least idle_power, ${idle} W, found ${max} W`] : [];
}

/** Scales a model of one logical CPU to several. */
export function scaleModel({ idleWatts, maxWatts }: PowerModel, cpus: number): PowerModel {
  return { idleWatts: idleWatts * cpus, maxWatts: maxWatts * cpus };
}

/** The attributes of estimated energy. The id is `host-estimate`, `sda-estimate`. */
export function describeEstimate(type: string, device: string, name: string): Attributes {
  return {
    [ATTR_HW_TYPE]: type,
    [ATTR_HW_ID]: `${device}-estimate`,
    [ATTR_HW_NAME]: `${name}, estimated`,
    [ATTR_ENERGY_METHOD]: 'estimated',
    'energy.model': 'linear',
  };
}
