import { elementAt } from '../../src/element.js';
import { KnotFinder, type Reading } from '../../src/energy/knot-finder.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/**
 * The energy counter of a meter, and the power that is derived from it: from knot to knot (see KnotFinder), so
 * that a meter that is slower than the windows widens them. Times are nanoseconds.
 */
export class MeteredSource {
  /** The gauge. */
  readonly series: Series;
  /** Number of the last window that ended, or in which its count started; NaN: neither is known. */
  window: number;
  /** When it was last in a table, or its count started. */
  seenAt: number;
  #finder = new KnotFinder();
  /** Whether a window has ended whose power is still pending. */
  #isDue = false;
  /** The instant up to which the counter is known by the last reading; NaN: that is not a knot. */
  #knotAt = NaN;
  #anchorAt = NaN;
  #anchorJ = NaN;
  /**
   * End of a window that ends with the second knot: its power counts once it is certain that it started with
   * the first.
   */
  #heldAt = NaN;
  #heldJ = NaN;

  /** @param startedAt since when it counts from 0; NaN: since before the collector's start */
  constructor(series: Series, startedAt: number, windowNs: number) {
    this.series = series;
    this.window = Math.floor(startedAt / windowNs);
    this.seenAt = startedAt;
    if (!Number.isNaN(startedAt)) this.#take(Float64Array.of(startedAt, 0));
  }

  /**
   * A window ends with the reading at this instant, or with the next knot. To be called before that reading is
   * taken.
   */
  expect(at: number, joules: number, points: PowerPoints): void {
    this.#isDue = true;
    // A held power would come after the gap.
    if (Number.isNaN(joules) && Number.isNaN(this.#heldAt)) points.add(at, NaN);
  }

  /**
   * Takes a reading.
   * @param reading joules of the counter; NaN: no reading
   * @param points receives the power of the windows that end with it
   */
  read(reading: Reading, points: PowerPoints): void {
    if (Number.isNaN(reading[1])) return;
    this.#take(reading);
    if (this.#finder.isBegun) this.#release(points);
    const knotAt = this.#knotAt;
    if (!this.#isDue || !(knotAt > this.#anchorAt)) return;
    this.#isDue = false;
    const at = reading[0];
    const joules = reading[1];
    if (this.#finder.isBegun) this.#derive(points, { at, knotAt, joules });
    else this.#hold(at, joules);
  }

  #take(reading: Reading): void {
    this.#knotAt = NaN;
    switch (this.#finder.read(reading)) {
      case 'nothing':
        return;
      case 'knot':
        if (Number.isNaN(this.#anchorAt)) this.#anchor(reading);
        this.#knotAt = reading[0];
        return;
      case 'still':
        // Energy used since the last refresh appears at the next one: it must not be attributed to one instant.
        this.#knotAt = reading[0] - this.#finder.refreshNs;
        return;
      case 'first knot':
        this.#anchor(reading);
        return;
      case 'late':
        this.#isDue ||= !Number.isNaN(this.#heldAt);
        this.#heldAt = NaN;
        this.#anchor(Float64Array.of(this.#finder.changedAt, reading[1]));
        return;
      case 'fallen':
        this.#restart(reading);
    }
  }

  #anchor(reading: Reading): void {
    this.#anchorAt = reading[0];
    this.#anchorJ = reading[1];
  }

  /** A counter that falls was reset, although its series has not ended. */
  #restart(reading: Reading): void {
    this.#finder = new KnotFinder();
    this.#anchorAt = NaN;
    this.#heldAt = NaN;
    this.#take(reading);
    // It does not end a window.
    this.#knotAt = NaN;
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
    this.#anchorAt = knotAt;
    this.#anchorJ = joules;
  }
}

interface Knot {
  /** Time of the reading. */
  readonly at: number;
  /** The instant up to which the counter is known by this reading. */
  readonly knotAt: number;
  readonly joules: number;
}

/** The power derived from one table of energy for one gauge. */
export class PowerPoints {
  /** Nanoseconds on the time scale of the source, ascending. */
  readonly times: number[] = [];
  /** NaN: no reading. */
  readonly watts: number[] = [];

  add(at: number, watts: number): void {
    this.times.push(at);
    this.watts.push(watts);
  }
}

/** A gauge, and an array that contains only it, the same in all its tables. */
export interface GaugePoints {
  readonly series: readonly Series[];
  readonly points: PowerPoints;
}

/**
 * One table if all gauges have power at the same instants, otherwise one for each that has any: a cell without
 * a value would mean a failed reading.
 * @param series of all gauges, in order
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
