import type { Domain, InterfaceName, LeftOut, Note } from './domain.js';

/** What a counter measures, and where it is read. */
export interface CounterPlace {
  readonly domain: Domain;
  /** `intel-rapl:0`, `energy-pkg on cpu 0` */
  readonly source: string;
  /** The zone's folder; empty for perf_event. */
  readonly path: string;
}

/** Energy counters that are read together: all zones of powercap, the events of one CPU, or the cores of a package. */
export interface CounterGroup {
  /** One per counter, in value order. */
  readonly places: readonly CounterPlace[];
  /** One number per counter, which changes at each reset. Numbers are unique. */
  readonly ids: readonly number[];
  /** Number of counters without a value at the last reading. */
  readonly gaps: number;
  /** Zones that show the same domains and are not read. */
  readonly copies?: readonly LeftOut[];
  /**
   * Reads every counter once and writes joules since its first reading, or NaN. Allocates nothing.
   * @returns false when a counter was reset (it decreased, or grew by more than its domain can draw): its id
   * has changed, and its value counts from `ageMs` ago
   */
  read(values: Float64Array, at: number): boolean;
  /** How long before the last reading a counter was 0, if that reading was a reset. */
  ageMs(index: number): number;
  /** Lets a counter start at 0 with the next reading, under another id. */
  restart(index: number): void;
  /**
   * Replaces a counter that does not move by its copy, if that counts. The copy has another id, which the next
   * reading reports like a reset.
   * @returns notes for the user
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

  /** Whether the last reading had no value at all, as when a driver was unloaded. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether a counter had no value at the last reading. */
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

  /** Transfers a group, which is no longer closed with this reader. */
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
 * Reads until every counter has shown an expected value; at most 20 ms after the first one, and at most 100 ms. These readings
 * are not counted: new counters start at 0 with the next reading.
 * @param previous the previous reader, whose counters are known to count
 * @returns by domain, whether it has shown an expected value
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
