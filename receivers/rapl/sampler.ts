import { describeProbe } from '../../src/component/probe.js';
import type { OpenSampler, Sampler } from '../../src/component/sampling.js';
import { UnavailableError } from '../../src/errors.js';
import type { Config } from './config.js';
import { discoverDomains, readSysfsFingerprint, type Refusal } from './discovery.js';
import { nameDomain, type Columns, type LeftOut, type Note } from './domain.js';
import type { CounterPlace, EnergyReader } from './energy-reader.js';
import { openReader, type Opening } from './open-reader.js';

// When a CPU goes offline, another one reads its package; modules are loaded and unloaded.
const checkMs = 5_000;
// Other changes are searched less often: that takes milliseconds, in which no reading is taken.
const discoverMs = 60_000;
const silentMs = 10_000;

/** The reader of the counters, and the result of opening them. */
interface Open {
  readonly reader: EnergyReader;
  readonly opening: Opening;
  /** By counter of the reader. */
  readonly limits: readonly ResetLimit[];
  readonly hasCounted: readonly boolean[];
}

/** Reads all energy counters on a sampling thread. */
class RaplSampler implements Sampler {
  columns: Columns | undefined;
  columnIds: readonly number[] = [];
  generation = 0;
  readonly #config: Config;
  readonly #nowMs: () => number;
  #open: Open | undefined;
  /** By place and domain, so that they are kept when other counters are added or removed. */
  readonly #limits = new Map<string, ResetLimit>();
  /** The latest reading of every counter, including unusable ones. */
  #latest = new Float64Array(0);
  /** For each counter of the reader, its id at the last reading. */
  #known: number[] = [];
  /** For each column, the index of its counter. */
  #shown: readonly number[] = [];
  /** Counters whose id changed because another zone is read, not because of a reset. */
  readonly #taken = new Set<number>();
  #events: readonly Note[] = [];
  #resets = 0;
  #checkedMs = 0;
  #discoveredMs = 0;
  #fingerprint = '';
  #heardMs = 0;
  /** Whether a counter had a reading since the last check. */
  #isHeard = false;

  constructor(config: Config, nowMs: () => number) {
    this.#config = config;
    this.#nowMs = nowMs;
    this.#noteDiscovery(readSysfsFingerprint(config.sysfs));
    this.#openCounters(openReader(config, { nowMs }));
    this.generation = 0;
    this.#heardMs = nowMs();
  }

  get width(): number {
    return this.#shown.length;
  }

  read(values: Float64Array, at: number): void {
    const open = this.#open;
    if (open === undefined) throw new Error('Cannot read energy: expected open counters, found closed ones');
    const { reader, limits } = open;
    if (!reader.read(this.#latest, 0)) this.#beginSeries(open);
    if (!reader.isSilent) this.#isHeard = true;
    const shown = this.#shown;
    for (let column = 0; column < shown.length; column++) {
      const counter = shown[column];
      // Not as one expression, whose value V8 would allocate on the heap.
      values[at + column] = this.#latest[counter];
      if (limits[counter].isExceeded) values[at + column] = NaN;
    }
  }

  maintain(): void {
    const nowMs = this.#nowMs();
    if (this.#isHeard) this.#heardMs = nowMs;
    this.#isHeard = false;
    if (nowMs - this.#heardMs >= silentMs) {
      throw new Error(
        `Cannot read energy: expected a reading of any counter, found none for ${silentMs / 1000} s`,
      );
    }
    if (this.#open === undefined) return;
    this.#showUsable(this.#open, nowMs);
    this.#checkCopies(this.#open);
    // Not until the next reading has started the series of the copies that replaced zones.
    if (this.#taken.size === 0 && nowMs - this.#checkedMs >= checkMs) this.#checkSources(this.#open, nowMs);
  }

  close(): void {
    this.#open?.reader.close();
    this.#open = undefined;
  }

  /**
   * A counter without readings, while others have some, may have been removed and added again: its descriptor
   * would stay dead.
   */
  #checkSources({ reader, opening }: Open, nowMs: number): void {
    this.#checkedMs = nowMs;
    const mustOpen = reader.hasGap || opening.canReadMore();
    const isDue = nowMs - this.#discoveredMs >= discoverMs;
    const seen = readSysfsFingerprint(this.#config.sysfs);
    if (!mustOpen && !isDue && seen === this.#fingerprint) return;
    this.#noteDiscovery(seen);
    const discovery = discoverDomains(this.#config);
    if (!mustOpen && discovery.identity === opening.discovery.identity) return;
    const again = openReader(this.#config, { discovery, previous: reader, nowMs: this.#nowMs });
    reader.close();
    this.#openCounters(again);
  }

  /** @param seen the state before the discovery: later changes are noticed the next time */
  #noteDiscovery(seen: string): void {
    this.#fingerprint = seen;
    this.#discoveredMs = this.#nowMs();
  }

  /** Counters that were already open continue. */
  #openCounters(opening: Opening): void {
    const { reader, notes, refusals, hasCounted } = opening;
    this.#open = undefined;
    if (reader === undefined)
      throw new UnavailableError([...notes, ...refusals.map(({ reason }) => reason)].join('; '));
    this.#checkedMs = this.#nowMs();
    this.#latest = new Float64Array(reader.domains.length);
    this.#open = {
      reader,
      opening,
      hasCounted,
      limits: reader.places.map((place) => this.#findLimit(place)),
    };
    this.#show(this.#open);
  }

  #findLimit({ source, domain }: CounterPlace): ResetLimit {
    const name = `${source} ${nameDomain(domain)}`;
    const limit = this.#limits.get(name) ?? new ResetLimit();
    this.#limits.set(name, limit);
    return limit;
  }

  /** Leaves out counters that are reset continually, until they no longer are. */
  #showUsable(open: Open, nowMs: number): void {
    for (const [counter, limit] of open.limits.entries()) {
      if (limit.isExceeded && limit.recover(nowMs)) open.reader.restart(counter);
    }
    this.#show(open);
  }

  /** If a counter does not change while its copy counts, the copy is read from now on. */
  #checkCopies(open: Open): void {
    const { reader } = open;
    const notes = reader.checkCopies();
    if (notes.length === 0) return;
    const taken = [...this.#known.keys()].filter((i) => reader.ids[i] !== this.#known[i]);
    for (const counter of taken) this.#taken.add(counter);
    this.#events = [...this.#events, ...notes];
    // The next reading starts the series of the copies.
    if (taken.length === 0) this.#announce(open, this.columnIds);
  }

  /** Counters were reset or replaced, as of this reading. */
  #beginSeries(open: Open): void {
    const { reader, limits } = open;
    const nowMs = this.#nowMs();
    const begun: number[] = [];
    const reset: number[] = [];
    for (let counter = 0; counter < this.#known.length; counter++) {
      if (reader.ids[counter] === this.#known[counter]) continue;
      this.#known[counter] = reader.ids[counter];
      const isReset = !this.#taken.delete(counter);
      if (isReset) limits[counter].count(nowMs);
      if (limits[counter].isExceeded) continue;
      begun.push(counter);
      if (isReset) reset.push(counter);
    }
    if (begun.length === 0) return;
    this.#resets += reset.length;
    const ids = this.#shown.map((one, i) => (begun.includes(one) ? reader.ids[one] : this.columnIds[i]));
    this.#announce(open, ids, { begun, reset });
  }

  /** Creates columns for the usable counters: new ones, unless their ids are the same as before. */
  #show(open: Open): void {
    const { reader, limits } = open;
    this.#known = [...reader.ids];
    const shown = [...reader.domains.keys()].filter((counter) => !limits[counter].isExceeded);
    const ids = shown.map((counter) => reader.ids[counter]);
    if (ids.length === this.columnIds.length && ids.every((id, i) => id === this.columnIds[i])) return;
    this.#shown = shown;
    this.#announce(open, ids);
  }

  /** Announces new columns with these ids. */
  #announce(
    { reader, opening, limits, hasCounted }: Open,
    ids: readonly number[],
    {
      begun = [],
      reset = [],
    }: { readonly begun?: readonly number[]; readonly reset?: readonly number[] } = {},
  ): void {
    const shown = this.#shown;
    const { places } = reader;
    const unusable = [...places.keys()].filter((counter) => limits[counter].isExceeded);
    this.columnIds = ids;
    this.columns = {
      interface: reader.interface,
      domains: shown.map((counter) => places[counter].domain),
      sources: shown.map((counter) => places[counter].source),
      paths: shown.map((counter) => places[counter].path),
      hasCounted: shown.map((counter) => hasCounted[counter] || begun.includes(counter)),
      agesMs: shown.map((counter) => (begun.includes(counter) ? reader.ageMs(counter) : 0)),
      left: [
        ...opening.left,
        ...unusable.map((counter) => describeUnusable(places[counter])),
        ...reader.copies,
      ],
      notes: [...opening.notes, ...opening.failures.map(describeRefusal)],
      resets: this.#resets,
      reset: reset.map((counter) => places[counter].domain),
      events: this.#events,
    };
    this.#events = [];
    this.generation++;
  }
}

function describeRefusal({ reason, remedies }: Refusal): string {
  return describeProbe({ found: reason, remedies });
}

function describeUnusable({ domain, source }: CounterPlace): LeftOut {
  return { domain, source, state: 'unusable' };
}

const maxResets = 4;
const withinMs = 60_000;

/**
 * Distinguishes a counter that was reset, for example when a driver is reloaded, from one that is reset
 * continually.
 */
class ResetLimit {
  #resets = 0;
  #firstMs = 0;
  #lastMs = 0;
  #isExceeded = false;

  /** Whether it was reset more than four times within a minute, and has not yet been without a reset for a minute. */
  get isExceeded(): boolean {
    return this.#isExceeded;
  }

  /** Counts a reset. */
  count(nowMs: number): void {
    if (nowMs - this.#firstMs > withinMs) {
      this.#firstMs = nowMs;
      this.#resets = 0;
    }
    this.#lastMs = nowMs;
    this.#resets++;
    if (this.#resets > maxResets) this.#isExceeded = true;
  }

  /** @returns whether it may be used again, since it was not reset for a minute */
  recover(nowMs: number): boolean {
    if (nowMs - this.#lastMs < withinMs) return false;
    this.#isExceeded = false;
    this.#resets = 0;
    return true;
  }
}

/**
 * Opens the configured counters.
 * @param nowMs a monotonic clock
 * @throws UnavailableError when no interface can be read
 */
export function openRaplSampler(config: Config, nowMs: () => number = () => performance.now()): Sampler {
  return new RaplSampler(config, nowMs);
}

/** The receiver passes its settings. */
export const openSampler: OpenSampler<Config> = (config) => openRaplSampler(config);
