import { scaleModel, serverModels, type PowerModel } from '../../src/energy/power-models.js';
import { ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import type { Metric, Series } from '../../src/model/series.js';
import { hostEnergy, hwEnergy, meterEnergy } from '../../src/model/shared-metrics.js';
import type { Config } from './config.js';

/** Where estimated energy goes. */
export interface Place {
  readonly metric: Metric;
  /** The `hw.id` of the estimate that contains it. */
  readonly parent?: string;
}

/** The `hw.id` of the estimate of a whole machine. */
const hostId = 'host-estimate';

/** What of a machine is measured, and what the model of its CPUs depends on. */
export class Machine {
  readonly #config: Config['cpu'];
  readonly #ownerOf: (key: string) => string | undefined;
  /** What its tables hold the energy of, as keys of claims. */
  readonly #metered = new Set<string>();
  /** Watts that each part estimated of it uses at most. */
  readonly #parts = new Map<string, number>();
  #cpus = NaN;
  #frequency = NaN;
  #model: PowerModel | undefined;

  /** Whether the collector runs on it. */
  readonly isOwn: boolean;

  /** @param ownerOf the receiver that measures what belongs to a key; undefined: the collector runs on another machine */
  constructor(config: Config['cpu'], ownerOf: ((key: string) => string | undefined) | undefined) {
    this.#config = config;
    this.isOwn = ownerOf !== undefined;
    this.#ownerOf = ownerOf ?? (() => undefined);
  }

  /** Logical CPUs; NaN: not known yet. */
  get cpus(): number {
    return this.#cpus;
  }

  set cpus(cpus: number) {
    if (cpus === this.#cpus || !(cpus > 0)) return;
    this.#cpus = cpus;
    this.#model = undefined;
  }

  /** Sets the mean frequency of its CPUs, in hertz; NaN: not known. */
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

  /** A part of it uses so much at most. */
  setPart(key: string, maxWatts: number): void {
    if (this.#parts.get(key) === maxWatts) return;
    this.#parts.set(key, maxWatts);
    this.#model = undefined;
  }

  /** A part of it is gone. */
  removePart(key: string): void {
    if (this.#parts.delete(key)) this.#model = undefined;
  }

  /** @returns whether it was not known so far that something measures this */
  addMeter({ metric, attributes }: Series): boolean {
    const key = metric.name === hostEnergy.name ? 'host' : String(attributes[ATTR_HW_TYPE]);
    const before = this.#metered.size;
    this.#metered.add(key);
    return this.#metered.size > before;
  }

  /** Where the energy of its CPUs goes. */
  get cpuPlace(): Place {
    if (this.#isMetered('host') || this.#isMetered('cpu')) return { metric: meterEnergy };
    return { metric: this.isServer ? hostEnergy : hwEnergy };
  }

  /**
   * Where the energy of another part goes. Of one kind of hardware with a meter of some of it, nothing is in `hw.energy`.
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
   * The model of a whole server that has parts of its own estimates: it uses at least what they use together, at any
   * instant, and above that what it uses above idle.
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
