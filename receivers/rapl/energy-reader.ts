import type { Domain, InterfaceName, LeftOut, Note } from './domain.js';

/** What a counter counts and where it is read. */
export interface CounterPlace {
  readonly domain: Domain;
  /** `intel-rapl:0`, `energy-pkg on cpu 0` */
  readonly source: string;
  /** The zone's folder; empty for perf_event. */
  readonly path: string;
}

/** Energy counters that are read together: all zones of powercap, the events of one CPU, the cores of a package. */
export interface CounterGroup {
  /** One per counter, in the order of their values. */
  readonly places: readonly CounterPlace[];
  /** One number per counter, another one after each reset. No two counters ever have the same. */
  readonly ids: readonly number[];
  /** How many counters gave nothing at the last reading. */
  readonly gaps: number;
  /** Zones that show the same domains and are not read. */
  readonly copies?: readonly LeftOut[];
  /**
   * Reads every counter once and writes joules since its first reading, NaN for a failed one. Allocates nothing.
   * @returns false when a counter was reset (it fell, or grew by more than its domain can draw): its id is another
   * one, and what was written counts from `ageMs` ago
   */
  read(values: Float64Array, at: number): boolean;
  /** How long before the last reading a counter was at 0, when it was reset at that reading. */
  ageMs(index: number): number;
  /** Lets one counter begin at 0 with the next reading, under another id. */
  restart(index: number): void;
  /**
   * Replaces a counter that stands still by its copy, if that counts. The copy has another id, which the next reading
   * reports as it does a reset.
   * @returns what people should know about it
   */
  checkCopies?(): readonly Note[];
  close(): void;
}

/** The open counters of one interface. */
export class EnergyReader {
  readonly interface: InterfaceName;
  /** One per value, in order. */
  readonly domains: readonly Domain[];
  #groups: readonly CounterGroup[];
  readonly #ids: number[];
  #isSilent = false;
  #hasGap = false;

  constructor(name: InterfaceName, groups: readonly CounterGroup[]) {
    this.interface = name;
    this.#groups = groups;
    this.domains = this.places.map(({ domain }) => domain);
    this.#ids = groups.flatMap(({ ids }) => ids);
  }

  get groups(): readonly CounterGroup[] {
    return this.#groups;
  }

  /** One per value, in order. */
  get places(): readonly CounterPlace[] {
    return this.#groups.flatMap(({ places }) => places);
  }

  /** One per value. @see CounterGroup.ids */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Whether the last reading gave nothing at all, as when a driver was unloaded. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether a counter gave nothing at the last reading. */
  get hasGap(): boolean {
    return this.#hasGap;
  }

  get copies(): readonly LeftOut[] {
    return this.#groups.flatMap(({ copies = [] }) => copies);
  }

  /** @see CounterGroup.read */
  read(values: Float64Array, at: number): boolean {
    let isSame = true;
    let gaps = 0;
    let column = at;
    for (const group of this.#groups) {
      if (!group.read(values, column)) isSame = false;
      gaps += group.gaps;
      column += group.ids.length;
    }
    this.#isSilent = gaps === this.domains.length;
    this.#hasGap = gaps > 0;
    if (!isSame) this.#copyIds();
    return isSame;
  }

  ageMs(column: number): number {
    const [group, index] = this.#find(column);
    return group.ageMs(index);
  }

  restart(column: number): void {
    const [group, index] = this.#find(column);
    group.restart(index);
    this.#copyIds();
  }

  checkCopies(): readonly Note[] {
    const notes = this.#groups.flatMap((group) => group.checkCopies?.() ?? []);
    if (notes.length > 0) this.#copyIds();
    return notes;
  }

  /** Hands over a group, which is no longer closed with this reader. */
  release(group: CounterGroup): CounterGroup {
    this.#groups = this.#groups.filter((one) => one !== group);
    return group;
  }

  close(): void {
    for (const group of this.#groups) group.close();
  }

  #find(column: number): readonly [group: CounterGroup, index: number] {
    let first = 0;
    for (const group of this.#groups) {
      if (column < first + group.ids.length) return [group, column - first];
      first += group.ids.length;
    }
    throw new RangeError(`Cannot find a counter: expected a column below ${first}, found ${column}`);
  }

  #copyIds(): void {
    let column = 0;
    for (const { ids } of this.#groups) for (const id of ids) this.#ids[column++] = id;
  }
}

let lastId = 0;

/** A number that no counter has had before. */
export function createCounterId(): number {
  lastId += 1;
  return lastId;
}

const maxMs = 100;
/** A counter that moves does so every millisecond, however little its domain draws. */
const othersMs = 20;
const stepMs = 2;

/**
 * Reads until every counter shows what is expected; 20 ms more once one does, 100 ms at most. What was read does not
 * count: those that were not open before begin at 0 with the next reading.
 * @param previous the reader before this one: what it had open is known to count
 * @returns by domain, whether it showed that
 */
export function findMoving(
  reader: EnergyReader,
  isExpected: (joules: number) => boolean,
  previous?: EnergyReader,
): readonly boolean[] {
  const isKnown = reader.ids.map((id) => previous?.ids.includes(id) === true);
  const isMoving = [...isKnown];
  const values = new Float64Array(isKnown.length);
  for (let [ms, endMs] = [0, maxMs]; ms < endMs && isMoving.includes(false); ms += stepMs) {
    if (ms > 0) pause();
    reader.read(values, 0);
    values.forEach((joules, column) => (isMoving[column] ||= isExpected(joules)));
    if (isMoving.includes(true)) endMs = Math.min(endMs, ms + othersMs);
  }
  isKnown.forEach((known, column) => {
    if (!known) reader.restart(column);
  });
  return isMoving;
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stepMs);
}
