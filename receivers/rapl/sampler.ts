import { UnavailableError } from '../../src/component/errors.js';
import type { OpenSampler, Sampler } from '../../src/sampling/sampler.js';
import type { Config } from './config.js';
import type { EnergyReader } from './energy-reader.js';
import { findZones } from './find-powercap.js';
import { Liveness } from './liveness.js';
import type { Columns } from './metrics.js';
import { openReader } from './open-reader.js';
import { identifySources } from './sources.js';
import { mergeAliases } from './zone-aliases.js';

// CPUs that go offline move the reading of their package to another; modules come and go.
const checkMs = 5_000;
const silentMs = 10_000;

/** Reads the energy counters on a sampling thread. */
class RaplSampler implements Sampler {
  columns: Columns | undefined;
  lives: readonly number[] = [];
  generation = 0;
  readonly #config: Config;
  readonly #nowMs: () => number;
  #reader: EnergyReader | undefined;
  #liveness: Liveness;
  #notes: readonly string[] = [];
  /** The latest reading of every counter, dead ones included. */
  #latest = new Float64Array(0);
  /** By column, which counter it shows. */
  #shown: readonly number[] = [];
  #resets = 0;
  #sources = '';
  #zones = 0;
  #checkedMs = 0;
  #heardMs = 0;
  /** Whether a counter gave a reading since the last look. */
  #isHeard = false;

  constructor(config: Config, nowMs: () => number) {
    this.#config = config;
    this.#nowMs = nowMs;
    this.#liveness = new Liveness([], [], 0);
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
    if (!reader.read(this.#latest, 0)) this.#beginAnew(reader);
    if (!reader.isSilent) this.#isHeard = true;
    const shown = this.#shown;
    for (let column = 0; column < shown.length; column++) values[at + column] = this.#latest[shown[column]];
  }

  maintain(): void {
    const nowMs = this.#nowMs();
    if (this.#isHeard) this.#heardMs = nowMs;
    this.#isHeard = false;
    if (nowMs - this.#heardMs >= silentMs) {
      throw new Error(`Cannot read energy: no counter gave a reading for ${silentMs / 1000} s`);
    }
    this.#watchLiveness(nowMs);
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
    const dead = new Set(previous?.lives.filter((_, column) => !this.#liveness.isAlive(column)));
    this.#sources = identifySources(this.#config);
    const { reader, isAlive, notes, refusals } = openReader(this.#config, { previous, nowMs: this.#nowMs });
    previous?.close();
    this.#reader = reader;
    if (reader === undefined)
      throw new UnavailableError([...notes, ...refusals.map(({ reason }) => reason)].join('; '));
    const nowMs = this.#nowMs();
    this.#notes = notes;
    this.#zones = 0;
    this.#zones = this.#countZones();
    this.#checkedMs = nowMs;
    this.#latest = new Float64Array(reader.domains.length);
    const isStillAlive = isAlive.map((one, column) => one && !dead.has(reader.lives[column]));
    this.#liveness = new Liveness(reader.domains, isStillAlive, nowMs);
    this.#show(reader);
  }

  /** A counter of which only some gave nothing may have gone and come again: its descriptor would stay dead. */
  #isChanged(): boolean {
    if (this.#reader?.hasGap === true || identifySources(this.#config) !== this.#sources) return true;
    return this.#countZones() !== this.#zones;
  }

  /** How many there are, told apart by what they show: dies may turn out to show the counter of their package. */
  #countZones(): number {
    if (this.#reader?.interface !== 'powercap') return 0;
    const zones = findZones(this.#config.sysfs);
    const merged = mergeAliases(zones).length;
    // A torn reading looks as if they were different: what is known to be the same stays so.
    return this.#zones > 0 ? Math.min(merged, this.#zones) : merged;
  }

  #watchLiveness(nowMs: number): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const changed = this.#liveness.update(this.#latest, nowMs);
    if (changed.length === 0) return;
    // What comes to life counts from 0.
    for (const column of changed) if (this.#liveness.isAlive(column)) reader.restart(column);
    this.#show(reader);
  }

  #beginAnew(reader: EnergyReader): void {
    const before = this.lives;
    this.#show(reader);
    const anew = this.columns?.domains.filter((_, i) => !before.includes(this.lives[i])) ?? [];
    this.#resets += anew.length;
    this.columns = this.columns && { ...this.columns, resets: this.#resets, anew };
  }

  /** Makes columns of the counters that are alive: another generation, unless they are the same lives as before. */
  #show({ interface: name, domains, sources, lives }: EnergyReader): void {
    const all = [...domains.keys()];
    const shown = all.filter((column) => this.#liveness.isAlive(column));
    const shownLives = shown.map((column) => lives[column]);
    if (shownLives.length === this.lives.length && shownLives.every((life, i) => life === this.lives[i]))
      return;
    const place = (columns: readonly number[]) =>
      columns.map((column) => ({ domain: domains[column], source: sources[column] }));
    this.#shown = shown;
    this.lives = shownLives;
    this.columns = {
      interface: name,
      domains: shown.map((column) => domains[column]),
      sources: shown.map((column) => sources[column]),
      dead: place(all.filter((column) => !shown.includes(column))),
      notes: this.#notes,
      resets: this.#resets,
      anew: [],
    };
    this.generation++;
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
