import { UnavailableError } from '../../src/component/errors.js';
import { describeProbe } from '../../src/component/probe.js';
import type { OpenSampler, Sampler } from '../../src/sampling/sampling.js';
import type { Config } from './config.js';
import { nameDomain } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import type { Columns, LeftOut, Note } from './metrics.js';
import { openReader, type Opening } from './open-reader.js';
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
  /** Counters whose next life begins with another zone, and not at a reset. */
  readonly #taken = new Set<number>();
  #hasCounted: readonly boolean[] = [];
  #events: readonly Note[] = [];
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
    this.#checkCopies();
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
    this.#hasCounted = opening.hasCounted;
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

  /** Where a counter stands still while its copy counts, the copy is read from now on. */
  #checkCopies(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const notes = reader.checkCopies();
    const taken = [...this.#known.keys()].filter((i) => reader.lives[i] !== this.#known[i]);
    for (const counter of taken) this.#taken.add(counter);
    this.#events = [...this.#events, ...notes];
    // The next reading begins the series of what was taken.
    if (taken.length === 0 && notes.length > 0) this.#renew({});
  }

  #takeResets(reader: EnergyReader): void {
    const nowMs = this.#nowMs();
    const anew: number[] = [];
    const reset: number[] = [];
    for (let counter = 0; counter < this.#known.length; counter++) {
      if (reader.lives[counter] === this.#known[counter]) continue;
      this.#known[counter] = reader.lives[counter];
      const isReset = !this.#taken.delete(counter);
      const limit = this.#limitsByCounter[counter];
      if (isReset) limit.count(nowMs);
      if (limit.isExceeded) continue;
      anew.push(counter);
      if (isReset) reset.push(counter);
    }
    if (anew.length > 0) this.#beginLives(reader, anew, reset);
  }

  #beginLives(reader: EnergyReader, anew: readonly number[], reset: readonly number[]): void {
    this.#resets += reset.length;
    this.#hasCounted = this.#hasCounted.map((hasCounted, i) => hasCounted || anew.includes(i));
    this.lives = this.#shown.map((counter, i) =>
      anew.includes(counter) ? reader.lives[counter] : this.lives[i],
    );
    this.#renew({
      sources: this.#shown.map((counter) => reader.sources[counter]),
      paths: this.#shown.map((counter) => reader.paths[counter]),
      hasCounted: this.#shown.map((counter) => this.#hasCounted[counter]),
      agesMs: this.#shown.map((counter) => (anew.includes(counter) ? reader.ageMs(counter) : 0)),
      resets: this.#resets,
      anew: reset.map((counter) => reader.domains[counter]),
    });
  }

  /** Another generation with columns that differ in what is given. */
  #renew(changes: Partial<Columns>): void {
    const [columns, reader, opening] = [this.columns, this.#reader, this.#opening];
    if (columns === undefined || reader === undefined || opening === undefined) return;
    const left = this.#listLeft(opening, reader);
    this.columns = { ...columns, anew: [], ...changes, left, events: this.#events };
    this.#events = [];
    this.generation++;
  }

  #listLeft({ left }: Opening, reader: EnergyReader): readonly LeftOut[] {
    const unusable = [...reader.domains.keys()].filter(
      (counter) => this.#limitsByCounter[counter].isExceeded,
    );
    return [...left, ...unusable.map((counter) => describeUnusable(reader, counter)), ...reader.copies];
  }

  /** Makes columns of the counters that are usable: another generation, unless they are the same lives as before. */
  #show(opening: Opening, reader: EnergyReader): void {
    const { notes, failures } = opening;
    const all = [...reader.domains.keys()];
    this.#known = [...reader.lives];
    const shown = all.filter((counter) => !this.#limitsByCounter[counter].isExceeded);
    const lives = shown.map((counter) => reader.lives[counter]);
    if (lives.length === this.lives.length && lives.every((life, i) => life === this.lives[i])) return;
    this.#shown = shown;
    this.lives = lives;
    this.columns = {
      interface: reader.interface,
      domains: shown.map((counter) => reader.domains[counter]),
      sources: shown.map((counter) => reader.sources[counter]),
      paths: shown.map((counter) => reader.paths[counter]),
      hasCounted: shown.map((counter) => this.#hasCounted[counter]),
      agesMs: shown.map(() => 0),
      left: this.#listLeft(opening, reader),
      notes: [...notes, ...failures.map(describeRefusal)],
      resets: this.#resets,
      anew: [],
      events: this.#events,
    };
    this.#events = [];
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

/** The receiver passes its settings. */
export const openSampler: OpenSampler<Config> = (config) => openRaplSampler(config);
