import { ModelledEnergy } from '../../src/energy/modelled-energy.js';
import { scaleModel, serverModels, type SourcedModel } from '../../src/energy/power-models.js';
import { BusyTime } from '../../src/linux/busy-time.js';
import type { MachineCpuTimes } from '../../src/linux/procfs.js';
import type { Config } from './config.js';

/**
 * The model of a machine with this number of online logical CPUs.
 * @param config both powers or none, as ensured by `checkPowers`
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

/** The energy of a machine, computed from the busy time of its CPUs. */
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
   * Takes a reading of `/proc/stat` and the CLOCK_MONOTONIC instant at which it was taken. If the number of
   * CPUs changed between two readings, the new number is used for that time.
   * @returns joules since the first reading, never decreasing, and the idle power of the machine in watts
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
