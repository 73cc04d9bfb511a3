import { UnavailableError } from '../../src/component/errors.js';
import { describeProbe } from '../../src/component/probe.js';
import type { OpenSampler, Sampler } from '../../src/sampling/sampler.js';
import type { Config } from './config.js';
import { nameDomain } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import type { Columns, LeftOut } from './metrics.js';
import { openReader } from './open-reader.js';
import type { Opening } from './open-reader.js';
import type { Refusal } from './refusal.js';
import { ResetLimit } from './reset-limit.js';
import { identifySources } from './sources.js';

// CPUs that go offline move the reading of their package to another; modules come and go.
const checkMs = 5_000;
const silentMs = 10_000;

/** Reads the energy counters on a sampling thread, all that there are. */
class RaplSampler implements Sampler {
  columns: Columns | undefined;
  lives: readonly number[] = [];
  generation = 0;
  readonly #config: Config;
  readonly #nowMs: () => number;
  #opening: Opening | undefined;
  #reader: EnergyReader | undefined;
  readonly #limits = new Map<string, ResetLimit>();
  /** By counter of the reader. */
  #limitsByCounter: readonly ResetLimit[] = [];
  /** The latest reading of every counter, unusable ones included. */
  #latest = new Float64Array(0);
  /** By counter of the reader, its life as of the last reading. */
  #known: number[] = [];
  /** By column, which counter it shows. */
  #shown: readonly number[] = [];
  #resets = 0;
  #sources = '';
  #checkedMs = 0;
  #heardMs = 0;
  /** Whether a counter gave a reading since the last look. */
  #isHeard = false;

  constructor(config: Config, nowMs: () => number) {
    this.#config = config;
    this.#nowMs = nowMs;
    this.#open();
    this.generation = 0;
    this.#heardMs = nowMs();
  }

  get width(): number {
    return this.#shown.length;
  }

  read(values: Float64Array, at: number): void {
    const reader = this.#reader;
    if (reader === undefined) throw new Error('Cannot read energy: the counters are closed');
    if (!reader.read(this.#latest, 0)) this.#takeResets(reader);
    if (!reader.isSilent) this.#isHeard = true;
    const shown = this.#shown;
    for (let column = 0; column < shown.length; column++) {
      const counter = shown[column];
      const { isExceeded } = this.#limitsByCounter[counter];
      values[at + column] = isExceeded ? Number.NaN : this.#latest[counter];
    }
  }

  maintain(): void {
    const nowMs = this.#nowMs();
    if (this.#isHeard) this.#heardMs = nowMs;
    this.#isHeard = false;
    if (nowMs - this.#heardMs >= silentMs) {
      throw new Error(`Cannot read energy: no counter gave a reading for ${silentMs / 1000} s`);
    }
    this.#showUsable(nowMs);
    if (nowMs - this.#checkedMs < checkMs) return;
    this.#checkedMs = nowMs;
    if (this.#isChanged()) this.#open();
  }

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  /** Counters that are open already go on. */
  #open(): void {
    const previous = this.#reader;
    this.#sources = identifySources(this.#config);
    const opening = openReader(this.#config, { previous, nowMs: this.#nowMs });
    previous?.close();
    const { reader, notes, refusals } = opening;
    this.#reader = reader;
    this.#opening = opening;
    if (reader === undefined)
      throw new UnavailableError([...notes, ...refusals.map(({ reason }) => reason)].join('; '));
    this.#checkedMs = this.#nowMs();
    this.#latest = new Float64Array(reader.domains.length);
    this.#limitsByCounter = reader.domains.map((domain, i) =>
      this.#findLimit(`${reader.sources[i]} ${nameDomain(domain)}`),
    );
    this.#show(opening, reader);
  }

  #findLimit(name: string): ResetLimit {
    const limit = this.#limits.get(name) ?? new ResetLimit();
    this.#limits.set(name, limit);
    return limit;
  }

  /** A counter of which only some gave nothing may have gone and come again: its descriptor would stay dead. */
  #isChanged(): boolean {
    if (this.#reader?.hasGap === true || this.#opening?.canReadMore() === true) return true;
    return identifySources(this.#config) !== this.#sources;
  }

  /** Leaves out counters that are reset all the time, and takes them in when they are not any longer. */
  #showUsable(nowMs: number): void {
    const [opening, reader] = [this.#opening, this.#reader];
    if (opening === undefined || reader === undefined) return;
    for (const [counter, limit] of this.#limitsByCounter.entries()) {
      if (limit.isExceeded && limit.recover(nowMs)) reader.restart(counter);
    }
    this.#show(opening, reader);
  }

  #takeResets(reader: EnergyReader): void {
    const nowMs = this.#nowMs();
    let anew: number[] | undefined;
    for (let counter = 0; counter < this.#known.length; counter++) {
      if (reader.lives[counter] === this.#known[counter]) continue;
      this.#known[counter] = reader.lives[counter];
      const limit = this.#limitsByCounter[counter];
      limit.count(nowMs);
      if (!limit.isExceeded) anew = [...(anew ?? []), this.#shown.indexOf(counter)];
    }
    if (anew !== undefined) this.#beginLives(reader, anew);
  }

  #beginLives(reader: EnergyReader, anew: readonly number[]): void {
    const columns = this.columns;
    if (columns === undefined) return;
    this.#resets += anew.length;
    const isAnew = (column: number) => anew.includes(column);
    this.lives = this.lives.map((life, i) => (isAnew(i) ? reader.lives[this.#shown[i]] : life));
    this.columns = {
      ...columns,
      agesMs: this.#shown.map((counter, i) => (isAnew(i) ? reader.ageMs(counter) : 0)),
      resets: this.#resets,
      anew: anew.map((column) => columns.domains[column]),
    };
    this.generation++;
  }

  /** Makes columns of the counters that are usable: another generation, unless they are the same lives as before. */
  #show({ hasCounted, left, notes, failures }: Opening, reader: EnergyReader): void {
    const all = [...reader.domains.keys()];
    this.#known = [...reader.lives];
    const shown = all.filter((counter) => !this.#limitsByCounter[counter].isExceeded);
    const lives = shown.map((counter) => reader.lives[counter]);
    if (lives.length === this.lives.length && lives.every((life, i) => life === this.lives[i])) return;
    this.#shown = shown;
    this.lives = lives;
    const unusable = all.filter((counter) => !shown.includes(counter));
    this.columns = {
      interface: reader.interface,
      domains: shown.map((counter) => reader.domains[counter]),
      sources: shown.map((counter) => reader.sources[counter]),
      paths: shown.map((counter) => reader.paths[counter]),
      hasCounted: shown.map((counter) => hasCounted[counter]),
      agesMs: shown.map(() => 0),
      left: [...left, ...unusable.map((counter) => describeUnusable(reader, counter))],
      notes: [...notes, ...failures.map(describeRefusal)],
      resets: this.#resets,
      anew: [],
    };
    this.generation++;
  }
}

function describeRefusal({ reason, remedies }: Refusal): string {
  return describeProbe({ found: reason, remedies });
}

function describeUnusable({ domains, sources }: EnergyReader, counter: number): LeftOut {
  return { domain: domains[counter], source: sources[counter], state: 'unusable' };
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
