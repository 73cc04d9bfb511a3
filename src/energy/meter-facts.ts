import {
  ATTR_ENERGY_INTERFACE,
  ATTR_HW_GPU_POWER_WINDOW,
  ATTR_HW_POWER_WINDOW,
} from '../model/semantic-conventions.js';
import type { Series } from '../model/series.js';
import { leastRefreshNs } from './refresh-bound.js';

/** What is known of a meter besides its readings. */
export interface MeterFacts {
  /**
   * Minimum age of the energy that it shows, in nanoseconds; readings that are farther apart do not reveal it. For
   * power, the time over which a reading is a mean. Undefined: not known; for a counter, a bound is learned from the
   * readings.
   */
  readonly refreshNs?: number;
  /** Whether its energy is computed from the power at the instants of its readings: power between them is not seen. */
  readonly isSampled: boolean;
}

/** Refresh intervals of counters, by `energy.interface`, in nanoseconds. */
const refreshNs: Readonly<Record<string, number>> = {
  // About a millisecond: Intel SDM, volume 3, RAPL interfaces.
  powercap: leastRefreshNs,
  perf_event: leastRefreshNs,
  // Ten times per second on an H100; other users report 20 to 100 ms on their GPUs.
  nvml: 100e6,
};

/** Energy that is computed from readings of power, by its `energy.interface`. */
const integrated = /_power$|_voltage_current$|^power_supply$|^kwollect$|^ipmi$/u;

/** @param series energy of a domain */
export function findMeterFacts({ attributes }: Pick<Series, 'attributes'>): MeterFacts {
  const energyInterface = String(attributes[ATTR_ENERGY_INTERFACE] ?? '');
  const known = refreshNs[energyInterface];
  if (!integrated.test(energyInterface)) {
    return { isSampled: false, ...(known !== undefined && { refreshNs: known }) };
  }
  const window = attributes[ATTR_HW_POWER_WINDOW] ?? attributes[ATTR_HW_GPU_POWER_WINDOW];
  // A mean covers all the time before its instant, however far apart readings are. Other power is that of an instant:
  // the spread of its readings shows how it changed, not how old it is.
  if (window === 'average') return { isSampled: true };
  const seconds = /^(\d+(?:\.\d+)?)s$/u.exec(String(window))?.[1];
  return { isSampled: true, refreshNs: seconds === undefined ? leastRefreshNs : Number(seconds) * 1e9 };
}
