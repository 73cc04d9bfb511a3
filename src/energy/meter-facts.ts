import { ATTR_ENERGY_INTERFACE, ATTR_HW_POWER_WINDOW } from '../model/semantic-conventions.js';
import type { Series } from '../model/series.js';

/** What is known of a meter besides its readings. */
export interface MeterFacts {
  /**
   * How old at least the energy is that it shows, in nanoseconds, which readings do not show that are farther apart than that.
   * Undefined: not known; it is taken to be as fast as RAPL, unless its readings show more.
   */
  readonly refreshNs?: number;
  /** Whether its energy is made of the power at the instants of its readings: what is between them is not seen. */
  readonly isSampled: boolean;
}

/** Refresh intervals of counters that are longer than that of RAPL, by `energy.interface`, in nanoseconds. */
const refreshNs: Readonly<Record<string, number>> = {
  // Ten times a second on an H100; 20 to 100 ms on GPUs of other users.
  nvml: 100e6,
};

/** Energy that is made of readings of power, by its `energy.interface`. */
const integrated = /_power$|_voltage_current$|^power_supply$|^kwollect$|^ipmi$/u;

/** @param series the energy of a domain */
export function findFacts({ attributes }: Pick<Series, 'attributes'>): MeterFacts {
  const energyInterface = String(attributes[ATTR_ENERGY_INTERFACE] ?? '');
  const known = refreshNs[energyInterface];
  if (!integrated.test(energyInterface)) {
    return { isSampled: false, ...(known !== undefined && { refreshNs: known }) };
  }
  const window = attributes[ATTR_HW_POWER_WINDOW] ?? attributes['hw.gpu.power.window'];
  const seconds = /^(\d+(?:\.\d+)?)s$/u.exec(String(window))?.[1];
  // A mean shows what was used before its instant, however long before the reading that is.
  return { isSampled: true, ...(seconds !== undefined && { refreshNs: Number(seconds) * 1e9 }) };
}
