import { elementAt } from '../element.js';
import { Readings } from './mapped-series.js';
import type { Series } from './series.js';

/** Its columns are searched one by one. */
export const maxSoleMembers = 1024;

/**
 * Series of one array that are each the only one of their mapped series, which has the same values. As most series are
 * such, there is no object for each: that would take 88 bytes.
 */
export class SoleMembers {
  readonly readings: Readings;
  /** Whether one of its series is kept elsewhere now, or it takes none since there are too many to be searched. */
  isOutdated = false;
  readonly #sources: readonly Series[];
  /** By column; a column whose series is not among these has that series. */
  readonly #mapped: Series[];

  constructor(sources: readonly Series[]) {
    this.readings = new Readings(sources.length);
    this.#sources = sources;
    this.#mapped = sources.slice();
  }

  /** The mapped series, by column. */
  get mapped(): readonly Series[] {
    return this.#mapped;
  }

  columnOf(source: Series): number {
    return this.#sources.indexOf(source);
  }

  mappedOf(source: Series): Series {
    return elementAt(this.#mapped, this.columnOf(source));
  }

  add(column: number, mapped: Series): void {
    this.#mapped[column] = mapped;
  }

  /** Takes over a series of another array, or one that was in an earlier column of this one. */
  adopt(column: number, source: Series, from: SoleMembers): void {
    const before = from.columnOf(source);
    this.add(column, elementAt(from.mapped, before));
    if (from === this) return;
    from.isOutdated = true;
    this.readings.copy(from.readings, before, column);
  }
}
