import { KnotFinder } from '../../src/energy/knot-finder.js';
import type { Series } from '../../src/model/series.js';
import type { PowerPoints } from './power-points.js';

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
  /** Whether a window has ended and its power is still to be told. */
  #isDue = false;
  #anchorAt = NaN;
  #anchorJ = NaN;
  /** A window that ends with the second knot: its power counts once it is certain that it began with the first. */
  #heldAt = NaN;
  #heldJ = NaN;

  /** @param startedAt since when it counts from 0; NaN: since a time when nobody looked */
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
    if (this.#finder.isBegun) this.#tell(points, { at, knotAt, joules });
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
        // What was used since the last refresh will show at the next one, and is no matter of a moment then.
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
        this.#beginAnew(at, joules);
        return NaN;
    }
  }

  #anchor(at: number, joules: number): void {
    this.#anchorAt = at;
    this.#anchorJ = joules;
  }

  /** A counter that falls is another one that nobody told of. */
  #beginAnew(at: number, joules: number): void {
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
    this.#tell(points, { at: this.#heldAt, knotAt: this.#heldAt, joules: this.#heldJ });
    this.#heldAt = NaN;
  }

  #tell(points: PowerPoints, { at, knotAt, joules }: Knot): void {
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
