import type { QueuedRequest } from '../component/queue-storage.js';
import type { BatchConfig, Encoder } from '../export/queued-exporter.js';
import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import { timeOf, type Table } from '../model/table.js';
import { encodeSeries, type EncodedSeries } from './series-record.js';
import { buildRequest, createSqlRequest, pointBytes, seriesHeadBytes } from './sql-request.js';

/** A series, and its index in the current request. */
interface Column extends EncodedSeries {
  request: number;
  index: number;
}

/** Builds database requests from tables: several small tables become one request, a large one becomes several. */
export class SqlBatcher implements Encoder {
  readonly #emit: (request: QueuedRequest) => void;
  readonly #maxPoints: number;
  readonly #maxBytes: number;
  readonly #times: BigInt64Array;
  readonly #values: Float64Array;
  readonly #indexes: Uint32Array;
  readonly #columnOf = createPlans((series: Series): Column => ({
    ...encodeSeries(series),
    request: 0,
    index: 0,
  }));
  readonly #columnsOf = createPlans((series: readonly Series[]) => series.map(this.#columnOf));
  #series: EncodedSeries[] = [];
  #request = 1;
  #points = 0;
  #ends = 0;
  #bytes = 0;

  /** @param emit receives every full request, and the rest at every flush */
  constructor(
    { max_points: maxPoints, max_bytes: maxBytes }: Pick<BatchConfig, 'max_points' | 'max_bytes'>,
    emit: (request: QueuedRequest) => void,
  ) {
    this.#emit = emit;
    this.#maxPoints = maxPoints;
    this.#maxBytes = maxBytes;
    this.#times = new BigInt64Array(maxPoints);
    this.#values = new Float64Array(maxPoints);
    this.#indexes = new Uint32Array(maxPoints);
  }

  /** Points and ends in the current request. */
  get points(): number {
    return this.#points + this.#ends;
  }

  add(table: Table): void {
    const { series, offsets, values, ended = [] } = table;
    const columns = this.#columnsOf(series);
    for (let row = 0, cell = 0; row < offsets.length; row += 1) {
      const at = timeOf(table, row);
      for (const column of columns) this.#addPoint(column, at, values[cell++]);
    }
    if (ended.length > 0) this.#addEnds(table, ended);
  }

  flush(): void {
    const { points } = this;
    if (points === 0) return;
    const bytes = buildRequest({
      points: this.#points,
      ends: this.#ends,
      times: this.#times,
      values: this.#values,
      indexes: this.#indexes,
      series: this.#series,
    });
    this.#series = [];
    this.#request += 1;
    this.#points = 0;
    this.#ends = 0;
    this.#bytes = 0;
    this.#emit(createSqlRequest({ bytes, points }));
  }

  #addPoint(column: Column, at: bigint, value: number): void {
    // In a request, ends come after all points.
    if (this.#ends > 0) this.flush();
    this.#addEntry(column, at);
    this.#values[this.#points] = value;
    this.#points += 1;
  }

  #addEnds(table: Table, ended: readonly Series[]): void {
    const at = table.epoch + BigInt(table.offsets.at(-1) ?? 0);
    for (const series of ended) {
      this.#addEntry(this.#columnOf(series), at);
      this.#ends += 1;
    }
  }

  #addEntry(column: Column, at: bigint): void {
    const isNew = column.request !== this.#request;
    const bytes = pointBytes + (isNew ? seriesHeadBytes + column.text.length : 0);
    if (this.points >= this.#maxPoints || (this.#bytes + bytes > this.#maxBytes && this.points > 0)) {
      this.flush();
      this.#addEntry(column, at);
      return;
    }
    if (isNew) {
      column.request = this.#request;
      column.index = this.#series.push(column) - 1;
    }
    this.#times[this.points] = at;
    this.#indexes[this.points] = column.index;
    this.#bytes += bytes;
  }
}
