import { scaleModel, serverModels, type PowerModel } from '../../src/energy/power-models.js';
import { ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import type { Metric, Series } from '../../src/model/series.js';
import { hostEnergy, hwEnergy, meterEnergy } from '../../src/model/shared-metrics.js';
import type { Config } from './config.js';

/** The destination of estimated energy. */
export interface Place {
  readonly metric: Metric;
  /** The `hw.id` of the estimate that includes it. */
  readonly parent?: string;
}

/** The `hw.id` of the estimate of a whole machine. */
const hostId = 'host-estimate';

/** Which hardware of a machine has meters, and what its CPU model depends on. */
export class Machine {
  readonly #config: Config['cpu'];
  readonly #ownerOf: (key: string) => string | undefined;
  /** Claim keys of the energy in its tables. */
  readonly #metered = new Set<string>();
  /** Maximum watts of each of its parts with an estimate. */
  readonly #parts = new Map<string, number>();
  #cpus = NaN;
  #frequency = NaN;
  #model: PowerModel | undefined;

  /** Whether the collector runs on it. */
  readonly isOwn: boolean;

  /**
   * @param ownerOf the receiver that measures what a key stands for; undefined: the collector runs on another
   * machine
   */
  constructor(config: Config['cpu'], ownerOf: ((key: string) => string | undefined) | undefined) {
    this.#config = config;
    this.isOwn = ownerOf !== undefined;
    this.#ownerOf = ownerOf ?? (() => undefined);
  }

  /** Logical CPUs; NaN: unknown so far. */
  get cpus(): number {
    return this.#cpus;
  }

  set cpus(cpus: number) {
    if (cpus === this.#cpus || !(cpus > 0)) return;
    this.#cpus = cpus;
    this.#model = undefined;
  }

  /** Sets the mean frequency of its CPUs, in hertz; NaN: unknown. */
  set frequency(hertz: number) {
    if (hertz === this.#frequency || Number.isNaN(hertz) || this.#config.max_frequency === null) return;
    this.#frequency = hertz;
    this.#model = undefined;
  }

  /** Of all CPUs, or of the whole machine; the same object until it changes. */
  get cpuModel(): PowerModel {
    this.#model ??= this.#contain(this.#slowDown(createCpuModel(this.#config, this.#cpus)));
    return this.#model;
  }

  /** Whether the model of the CPUs is that of a whole server. */
  get isServer(): boolean {
    return this.#config.tdp === null && this.#config.max_power === null;
  }

  /** Sets the maximum power of one of its parts. */
  setPart(key: string, maxWatts: number): void {
    if (this.#parts.get(key) === maxWatts) return;
    this.#parts.set(key, maxWatts);
    this.#model = undefined;
  }

  /** One of its parts was removed. */
  removePart(key: string): void {
    if (this.#parts.delete(key)) this.#model = undefined;
  }

  /** @returns whether this is the first series of a meter for that hardware */
  addMeter({ metric, attributes }: Series): boolean {
    const key = metric.name === hostEnergy.name ? 'host' : String(attributes[ATTR_HW_TYPE]);
    const before = this.#metered.size;
    this.#metered.add(key);
    return this.#metered.size > before;
  }

  /** The destination of its CPUs' energy. */
  get cpuPlace(): Place {
    if (this.#isMetered('host') || this.#isMetered('cpu')) return { metric: meterEnergy };
    return { metric: this.isServer ? hostEnergy : hwEnergy };
  }

  /**
   * The destination of another part's energy. For a kind of hardware that has some meters, estimates are not in
   * `hw.energy`.
   * @param type its `hw.type`
   */
  placeOf(type: string): Place {
    if (this.cpuPlace.metric === hostEnergy) return { metric: meterEnergy, parent: hostId };
    if (this.#isMetered('host') || this.#isMetered(type)) return { metric: meterEnergy };
    return { metric: hwEnergy };
  }

  #isMetered(key: string): boolean {
    return this.#metered.has(key) || this.#ownerOf(`energy/${key}`) !== undefined;
  }

  /**
   * The model of a whole server with separately estimated parts: its idle power is at least the sum of their maximum
   * power, and its power above idle is unchanged.
   */
  #contain(model: PowerModel): PowerModel {
    if (!this.isServer) return model;
    let partWatts = 0;
    for (const watts of this.#parts.values()) partWatts += watts;
    const { idleWatts, maxWatts } = model;
    if (partWatts <= idleWatts) return model;
    return { idleWatts: partWatts, maxWatts: partWatts + maxWatts - idleWatts };
  }

  #slowDown(model: PowerModel): PowerModel {
    const { max_frequency: max, frequency_exponent: exponent } = this.#config;
    if (max === null || Number.isNaN(this.#frequency)) return model;
    const { idleWatts, maxWatts } = model;
    const share = Math.min(1, this.#frequency / max) ** exponent;
    return { idleWatts, maxWatts: idleWatts + (maxWatts - idleWatts) * share };
  }
}

function createCpuModel(config: Config['cpu'], cpus: number): PowerModel {
  const { tdp, idle_power: idleWatts, max_power: maxWatts } = config;
  if (tdp !== null) return { idleWatts: 0, maxWatts: tdp * (cpus / (config.tdp_cpus ?? cpus)) };
  if (idleWatts !== null && maxWatts !== null) return { idleWatts, maxWatts };
  return scaleModel(serverModels[config.processor], cpus);
}
