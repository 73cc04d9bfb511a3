import { elementAt } from '../element.js';
import { decodeSeries, type EncodedSeries, type SeriesRecord } from './series-record.js';
import type { SqlRequest } from './sql-request.js';

/** Maximum remembered series per connection or file; beyond it, series are written again, which has no effect. */
const maxKnown = 200_000;
/** Series are written again after this time, in case their rows were deleted. */
const forgetAfterMs = 60 * 60_000;

/** Which series a database already has, so that they are not written with every request. */
export class KnownSeries {
  readonly #ids = new Set<bigint>();
  #sinceMs = performance.now();

  /** The series of a request that the database may not have. */
  findUnknown({ series }: Pick<SqlRequest, 'series'>): readonly SeriesRecord[] {
    if (performance.now() - this.#sinceMs > forgetAfterMs) this.clear();
    return series.filter(({ id }) => !this.#ids.has(id)).map(decodeSeries);
  }

  /** The database has stored a request. Ended series are forgotten: if they restart, that must be written. */
  confirm(request: SqlRequest): void {
    this.confirmSeries(request.series, listEnds(request));
  }

  /** The same for another kind of request. */
  confirmSeries(series: readonly EncodedSeries[], ends: readonly SeriesEnd[]): void {
    if (this.#ids.size + series.length > maxKnown) this.clear();
    for (const { id } of series) this.#ids.add(id);
    for (const { id } of ends) this.#ids.delete(id);
  }

  clear(): void {
    this.#ids.clear();
    this.#sinceMs = performance.now();
  }
}

/** A series that ended, and its last instant. */
export interface SeriesEnd {
  readonly id: bigint;
  readonly at: bigint;
}

/** The ended series in a request. */
export function listEnds({ series, indexes, times, points, ends }: SqlRequest): readonly SeriesEnd[] {
  return Array.from({ length: ends }, (_, i) => {
    const { id } = elementAt(series, elementAt(indexes, points + i));
    return { id, at: elementAt(times, points + i) };
  });
}
