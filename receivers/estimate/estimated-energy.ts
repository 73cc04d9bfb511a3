import { BusyTime } from '../../src/linux/busy-time.js';
import type { MachineCpuTimes } from '../../src/linux/procfs.js';
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

/** A stretch of time with the same CPUs online, and so the same power model. */
interface Stretch {
  readonly cpus: number;
  readonly model: PowerModel;
  /** What was counted at its beginning. */
  readonly joules: number;
  readonly busyNs: number;
  readonly monotonicNs: bigint;
}

/**
 * Energy by a power model and the CPU time used, from the first reading on. Computed from the totals of a stretch
 * rather than summed up reading by reading, so that rounding does not pile up.
 */
export class EstimatedEnergy {
  readonly #createModel: (cpus: number) => PowerModel;
  readonly #busyTime = new BusyTime();
  #stretch: Stretch | undefined;
  #joules = 0;
  #busyNs = 0;
  #monotonicNs = 0n;

  constructor(createModel: (cpus: number) => PowerModel) {
    this.#createModel = createModel;
  }

  /**
   * Takes a reading of `/proc/stat` and the CLOCK_MONOTONIC instant at which it was taken.
   * @returns joules since the first reading, never less than the last time, and watts of the machine when idle
   */
  update(
    times: MachineCpuTimes,
    monotonicNs: bigint,
  ): { readonly joules: number; readonly idleWatts: number } {
    const busyNs = this.#busyTime.update(times, monotonicNs);
    const stretch = this.#findStretch(times.byCpu.size, monotonicNs);
    this.#joules = countJoules(stretch, busyNs, monotonicNs);
    this.#busyNs = busyNs;
    this.#monotonicNs = monotonicNs;
    return { joules: this.#joules, idleWatts: stretch.model.idleWatts };
  }

  #findStretch(cpus: number, monotonicNs: bigint): Stretch {
    if (this.#stretch?.cpus === cpus) return this.#stretch;
    this.#stretch = {
      cpus,
      model: this.#createModel(cpus),
      joules: this.#joules,
      busyNs: this.#busyNs,
      // When CPUs came or went between two readings, the new number holds for all of that time.
      monotonicNs: this.#stretch ? this.#monotonicNs : monotonicNs,
    };
    return this.#stretch;
  }
}

function countJoules({ cpus, model, ...begin }: Stretch, busyNs: number, monotonicNs: bigint): number {
  const elapsedNs = Number(monotonicNs - begin.monotonicNs);
  // Busy time is rounded to ticks and may run ahead of what the CPUs could have done.
  const usedNs = Math.min(busyNs - begin.busyNs, cpus * elapsedNs);
  const dynamicWatts = model.maxWatts - model.idleWatts;
  return begin.joules + (model.idleWatts * elapsedNs + (dynamicWatts * usedNs) / cpus) / 1e9;
}
