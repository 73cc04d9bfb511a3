import { UnavailableError } from '../../src/component/errors.js';
import type { OpenSampler, Sampler } from '../../src/sampling/sampler.js';
import type { Config } from './config.js';
import type { EnergyReader } from './energy-reader.js';
import type { Columns } from './metrics.js';
import { openReader } from './open-reader.js';
import { findSources } from './sources.js';

// CPUs that go offline move the reading of their package to another; modules come and go.
const checkMs = 10_000;

/** Reads the energy counters on a sampling thread. */
class RaplSampler implements Sampler {
  width = 0;
  columns: Columns | undefined;
  generation = 0;
  readonly #config: Config;
  readonly #nowMs: () => number;
  #reader: EnergyReader | undefined;
  #sources = '';
  #checkedMs = 0;
  #heardMs = 0;

  constructor(config: Config, nowMs: () => number) {
    this.#config = config;
    this.#nowMs = nowMs;
    this.#open();
  }

  read(values: Float64Array, at: number): void {
    const reader = this.#reader;
    if (reader === undefined) throw new Error('Cannot read energy: the counters are closed');
    if (reader.read(values, at)) return;
    this.generation++;
    reader.restart();
    reader.read(values, at);
  }

  maintain(): void {
    const nowMs = this.#nowMs();
    if (this.#reader?.isSilent !== true) this.#heardMs = nowMs;
    if (nowMs - this.#heardMs >= checkMs) {
      throw new Error(`Cannot read energy: no counter gave a reading for ${checkMs / 1000} s`);
    }
    if (nowMs - this.#checkedMs < checkMs) return;
    this.#checkedMs = nowMs;
    if (this.#describeSources() !== this.#sources) this.#openAgain();
  }

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #open(): void {
    const { reader, notes, refusals } = openReader(this.#config);
    if (reader === undefined)
      throw new UnavailableError([...notes, ...refusals.map(({ reason }) => reason)].join('; '));
    this.#reader = reader;
    this.#sources = this.#describeSources();
    this.#checkedMs = this.#heardMs = this.#nowMs();
    this.width = reader.domains.length;
    this.columns = { interface: reader.interface, domains: reader.domains, notes };
  }

  #openAgain(): void {
    this.close();
    this.#open();
    this.generation++;
  }

  #describeSources(): string {
    return JSON.stringify(findSources(this.#config));
  }
}

/**
 * Opens the counters that the settings ask for.
 * @param nowMs a clock that never runs backwards
 * @throws UnavailableError when no interface can be read
 */
export function openRaplSampler(config: Config, nowMs: () => number = () => performance.now()): Sampler {
  return new RaplSampler(config, nowMs);
}

/** The receiver hands over its settings. */
export const openSampler: OpenSampler = (options) => openRaplSampler(options as Config);
