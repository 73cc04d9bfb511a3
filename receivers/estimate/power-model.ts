import type { Config } from './config.js';

/** Power that is linear in CPU use: P = idle + (max - idle) x busy CPU time / (CPUs x time). */
export interface PowerModel {
  readonly idleWatts: number;
  readonly maxWatts: number;
  /** Where the two figures come from, for people. */
  readonly source: string;
}

// Cloud Carbon Footprint, Methodology, averages over the processors of AWS, per vCPU, from SPECpower_ssj2008:
// https://www.cloudcarbonfootprint.org/docs/methodology
const idleWattsPerCpu = 0.74;
const maxWattsPerCpu = 3.5;

/**
 * The model of a machine with this many logical CPUs online.
 * @param config both powers, or none, as `checkPowers` makes sure
 */
export function createPowerModel(
  { idle_power: idleWatts, max_power: maxWatts }: Pick<Config, 'idle_power' | 'max_power'>,
  cpus: number,
): PowerModel {
  if (idleWatts !== null && maxWatts !== null) return { idleWatts, maxWatts, source: 'as configured' };
  return {
    idleWatts: idleWattsPerCpu * cpus,
    maxWatts: maxWattsPerCpu * cpus,
    source: 'averages of Cloud Carbon Footprint for AWS',
  };
}

/** What is wrong with the two powers taken together. */
export function checkPowers({ idle_power: idle, max_power: max }: Config): readonly string[] {
  if (idle === null && max === null) return [];
  if (idle === null) return ['idle_power: expected a power because max_power is set, found none'];
  if (max === null) return ['max_power: expected a power because idle_power is set, found none'];
  return max < idle ? [`max_power: expected at least idle_power, ${idle} W, found ${max} W`] : [];
}
