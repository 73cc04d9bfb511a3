import { BusyTime } from '../../src/linux/busy-time.js';
import type { MachineCpuTimes } from '../../src/linux/procfs.js';
import type { PowerModel } from './power-model.js';

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
