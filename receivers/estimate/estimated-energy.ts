import { ModelledEnergy } from '../../src/energy/modelled-energy.js';
import { scaleModel, serverModels, type SourcedModel } from '../../src/energy/power-models.js';
import { BusyTime } from '../../src/linux/busy-time.js';
import type { MachineCpuTimes } from '../../src/linux/procfs.js';
import type { Config } from './config.js';

/**
 * The model of a machine with this many logical CPUs online.
 * @param config both powers, or none, as `checkPowers` makes sure
 */
export function createPowerModel(
  {
    idle_power: idleWatts,
    max_power: maxWatts,
    processor,
  }: Pick<Config, 'idle_power' | 'max_power' | 'processor'>,
  cpus: number,
): SourcedModel {
  if (idleWatts !== null && maxWatts !== null) return { idleWatts, maxWatts, source: 'as configured' };
  const { source, ...perCpu } = serverModels[processor];
  return { ...scaleModel(perCpu, cpus), source };
}

/** Energy of a machine by the time that its CPUs were busy. */
export class EstimatedEnergy {
  readonly #createModel: (cpus: number) => SourcedModel;
  readonly #busyTime = new BusyTime();
  readonly #energy = new ModelledEnergy();
  #model: SourcedModel | undefined;
  #cpus = 0;
  #startedNs: bigint | undefined;

  constructor(createModel: (cpus: number) => SourcedModel) {
    this.#createModel = createModel;
  }

  /**
   * Takes a reading of `/proc/stat` and the CLOCK_MONOTONIC instant at which it was taken. When CPUs came or went between
   * two readings, the new number holds for all of that time.
   * @returns joules since the first reading, never less than the last time, and watts of the machine when idle
   */
  update(
    times: MachineCpuTimes,
    monotonicNs: bigint,
  ): { readonly joules: number; readonly idleWatts: number } {
    const busyNs = this.#busyTime.update(times, monotonicNs);
    const { idleWatts } = this.#holdModel(times.byCpu.size);
    this.#startedNs ??= monotonicNs;
    return { joules: this.#energy.update(busyNs, Number(monotonicNs - this.#startedNs)), idleWatts };
  }

  #holdModel(cpus: number): SourcedModel {
    if (this.#model === undefined || cpus !== this.#cpus) this.#model = this.#createModel(cpus);
    this.#cpus = cpus;
    this.#energy.hold(this.#model, cpus);
    return this.#model;
  }
}
