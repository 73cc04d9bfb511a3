import { elementAt } from '../../src/element.js';
import { KnotFinder } from '../../src/energy/knot-finder.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/**
 * The energy counter of a meter, and the power that is derived from it: from one knot to another (see KnotFinder), so
 * that a meter that is slower than the windows widens them. Times are nanoseconds.
 */
export class MeteredSource {
  /** The gauge. */
  readonly series: Series;
  /** Number of the last window that ended, or in which its count began; NaN: neither is known. */
  window: number;
  /** When it was last in a table, or its count began. */
  seenAt: number;
  #finder = new KnotFinder();
  /** Whether a window has ended whose power is still to come. */
  #isDue = false;
  #anchorAt = NaN;
  #anchorJ = NaN;
  /** A window that ends with the second knot: its power counts once it is certain that it began with the first. */
  #heldAt = NaN;
  #heldJ = NaN;

  /** @param startedAt since when it counts from 0; NaN: since a time before the collector's */
  constructor(series: Series, startedAt: number, windowNs: number) {
    this.series = series;
    this.window = Math.floor(startedAt / windowNs);
    this.seenAt = startedAt;
    if (!Number.isNaN(startedAt)) this.#take(startedAt, 0);
  }

  /** A window ends with the reading of this instant, or with the next knot. Comes before that reading is taken. */
  expect(at: number, joules: number, points: PowerPoints): void {
    this.#isDue = true;
    // What is held would come after the gap.
    if (Number.isNaN(joules) && Number.isNaN(this.#heldAt)) points.add(at, NaN);
  }

  /**
   * Takes a reading.
   * @param joules of the counter at this instant; NaN: no reading
   * @param points gets the power of the windows that end with it
   */
  read(at: number, joules: number, points: PowerPoints): void {
    if (Number.isNaN(joules)) return;
    const knotAt = this.#take(at, joules);
    if (this.#finder.isBegun) this.#release(points);
    if (!this.#isDue || !(knotAt > this.#anchorAt)) return;
    this.#isDue = false;
    if (this.#finder.isBegun) this.#derive(points, { at, knotAt, joules });
    else this.#hold(at, joules);
  }

  /** @returns the instant up to which the counter is known by this reading; NaN: it is no knot */
  #take(at: number, joules: number): number {
    const finding = this.#finder.read(at, joules);
    switch (finding) {
      case 'nothing':
        return NaN;
      case 'knot':
        if (Number.isNaN(this.#anchorAt)) this.#anchor(at, joules);
        return at;
      case 'still':
        // What was used since the last refresh will show at the next one: it must not be taken for the use of a moment.
        return at - this.#finder.refreshNs;
      case 'first knot':
        this.#anchor(at, joules);
        return NaN;
      case 'late':
        this.#isDue ||= !Number.isNaN(this.#heldAt);
        this.#heldAt = NaN;
        this.#anchor(this.#finder.changedAt, joules);
        return NaN;
      case 'fallen':
        this.#restart(at, joules);
        return NaN;
    }
  }

  #anchor(at: number, joules: number): void {
    this.#anchorAt = at;
    this.#anchorJ = joules;
  }

  /** A counter that falls was reset, although its series has not ended. */
  #restart(at: number, joules: number): void {
    this.#finder = new KnotFinder();
    this.#anchorAt = NaN;
    this.#heldAt = NaN;
    this.#take(at, joules);
  }

  #hold(at: number, joules: number): void {
    this.#heldAt = at;
    this.#heldJ = joules;
  }

  #release(points: PowerPoints): void {
    if (Number.isNaN(this.#heldAt)) return;
    this.#derive(points, { at: this.#heldAt, knotAt: this.#heldAt, joules: this.#heldJ });
    this.#heldAt = NaN;
  }

  #derive(points: PowerPoints, { at, knotAt, joules }: Knot): void {
    points.add(at, ((joules - this.#anchorJ) / (knotAt - this.#anchorAt)) * 1e9);
    this.#anchor(knotAt, joules);
  }
}

interface Knot {
  /** Of the reading. */
  readonly at: number;
  /** Up to where the counter is known by it. */
  readonly knotAt: number;
  readonly joules: number;
}

/** The power that one table of energy gave one gauge. */
export class PowerPoints {
  /** Nanoseconds on the scale of the source, ascending. */
  readonly times: number[] = [];
  /** NaN: no reading. */
  readonly watts: number[] = [];

  add(at: number, watts: number): void {
    this.times.push(at);
    this.watts.push(watts);
  }
}

/** A gauge, and an array with nothing else, the same in all its tables. */
export interface GaugePoints {
  readonly series: readonly Series[];
  readonly points: PowerPoints;
}

/**
 * One table where all gauges have power at the same instants, else one for each that has any: a cell without a value
 * would mean that a reading failed.
 * @param series of all gauges, in their order
 * @param epochOf Unix time in nanoseconds of a time
 */
export function createPowerTables(
  series: readonly Series[],
  gauges: readonly GaugePoints[],
  epochOf: (at: number) => bigint,
): readonly Table[] {
  const { points: first } = elementAt(gauges, 0);
  const areAlike = gauges.every(({ points }) => hasSameTimes(points, first));
  if (!areAlike) return gauges.flatMap((gauge) => createPowerTables(gauge.series, [gauge], epochOf));
  const { times } = first;
  const [from] = times;
  if (from === undefined) return [];
  const values = times.flatMap((_, row) => gauges.map(({ points }) => elementAt(points.watts, row)));
  const offsets = Float64Array.from(times, (at) => at - from);
  return [{ series, epoch: epochOf(from), offsets, values: Float64Array.from(values) }];
}

function hasSameTimes({ times }: PowerPoints, { times: others }: PowerPoints): boolean {
  return times.length === others.length && times.every((at, i) => at === others[i]);
}
