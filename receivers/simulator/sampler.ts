import type { OpenSampler, Sampler } from '../../src/component/sampling.js';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import { stampMonotonic, type Instant } from '../../src/linux/clocks.js';
import { parseCounter } from '../../src/linux/sysfs.js';
import { createSensors, type EnergySensor } from '../../src/simulation/energy-sensor.js';
import { createMachine, type Machine } from '../../src/simulation/machine.js';
import type { DomainKind, MachineSpec, SimulatedDomain } from '../../src/simulation/machine-spec.js';

/** Options of the sampler. Plain data. */
export interface SamplerOptions {
  readonly spec: MachineSpec;
  /** The instant of CLOCK_MONOTONIC at which simulated time is 0. */
  readonly start: Instant;
}

/** The sampler's description of its columns. Plain data. */
export interface Columns {
  readonly domains: readonly SimulatedDomain[];
  /** One per domain: how long before the first row of these columns its counter was 0, in milliseconds. */
  readonly agesMs: readonly number[];
}

/** More than any such domain draws. */
const maxWatts: Readonly<Record<DomainKind, number>> = {
  package: 2_000,
  dram: 1_000,
  core: 2_000,
  uncore: 1_000,
  psys: 20_000,
  gpu: 2_000,
};

/** Reads simulated sensors like real RAPL counters: as text, which is parsed with the same checks. */
export class SimulatorSampler implements Sampler {
  generation = 0;
  readonly width: number;
  columns: Columns;
  columnIds: readonly number[];
  readonly #nowUs: () => number;
  readonly #machine: Machine;
  readonly #sensors: readonly EnergySensor[];
  readonly #counters: readonly WrappingCounter[];
  // The longest text has twenty digits and a line end.
  readonly #text = new Uint8Array(32);
  #begun = 0;

  /** @param nowUs simulated time in whole microseconds, monotonic */
  constructor(spec: MachineSpec, nowUs: () => number) {
    this.#nowUs = nowUs;
    this.#machine = createMachine(spec);
    this.#sensors = createSensors(this.#machine);
    this.#counters = this.#sensors.map(
      ({ domain, maxMicrojoules }) =>
        new WrappingCounter({ maxMicrojoules, maxWatts: maxWatts[domain.kind] }),
    );
    this.width = this.#sensors.length;
    this.columns = { domains: this.#machine.domains, agesMs: this.#sensors.map(() => 0) };
    this.columnIds = this.#sensors.map(() => this.#begun++);
  }

  read(values: Float64Array, at: number): void {
    const us = this.#nowUs();
    this.#machine.advance(us);
    let agesMs: number[] | undefined;
    for (let i = 0; i < this.#sensors.length; i++) {
      const counter = this.#counters[i];
      const microjoules = parseCounter(this.#text, this.#sensors[i].read(this.#text, us));
      if (!counter.update(microjoules, us / 1000)) {
        agesMs ??= this.#sensors.map(() => 0);
        agesMs[i] = us / 1000 - counter.startedMs;
        this.columnIds = this.columnIds.with(i, this.#begun++);
      }
      values[at + i] = counter.joules;
    }
    if (agesMs !== undefined) this.#beginGeneration(agesMs);
  }

  close(): void {}

  /** The previous columns may not have been sent yet and must not be changed. */
  #beginGeneration(agesMs: readonly number[]): void {
    this.columns = { ...this.columns, agesMs };
    this.generation++;
  }
}

/** The receiver passes the machine and its start. */
export const openSampler: OpenSampler = (options) => {
  const { spec, start } = options as SamplerOptions;
  const ns = new Float64Array(1);
  return new SimulatorSampler(spec, () => {
    stampMonotonic(ns, 0, start);
    return Math.floor(ns[0] / 1000);
  });
};
