import type { QueuedRequest } from '../component/queue-storage.js';
import { BufferPool } from '../export/buffer-pool.js';
import { createDivisible } from '../export/divisible-request.js';
import {
  requestLimits,
  type BatchConfig,
  type Encoder,
  type RequestLimits,
} from '../export/queued-exporter.js';
import { HistogramRow, HistogramRows, type HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { HistogramSeries, Series } from '../model/series.js';
import { createRow, endDelayNs, type Table } from '../model/table.js';
import { createRows, sliceRows, type Rows } from './columns.js';
import { Deltas } from './deltas.js';
import { encodeHistograms } from './histogram-encoder.js';
import { createPlacement, type IdentityPlace } from './place-identity.js';
import { RequestBuilder } from './request-builder.js';
import { splitRequest } from './split-request.js';
import { createTablePlan, type ColumnsPlan } from './table-plan.js';

/** A request that can be halved repeatedly down to a single point. */
export const createRequest = createDivisible(splitRequest);

/** The encoder of an exporter with these settings. */
export function createBatcher(
  batch: Pick<BatchConfig, 'max_points' | 'max_bytes'>,
  emit: (request: QueuedRequest) => void,
  identity?: IdentityPlace,
): Batcher {
  return new Batcher(requestLimits(batch), emit, identity);
}

/** Converts tables to requests: small tables are combined, a large one is divided. */
export class Batcher implements Encoder {
  readonly #limits: RequestLimits;
  readonly #emit: (request: QueuedRequest) => void;
  readonly #plan: (series: readonly Series[]) => readonly ColumnsPlan[];
  readonly #place: (series: readonly HistogramSeries[]) => readonly HistogramSeries[];
  readonly #pool = new BufferPool();
  readonly #deltas = new Deltas();
  #builder = new RequestBuilder();

  /**
   * @param emit called with each full request, and at every flush
   * @param identity where the attributes of workloads are sent
   */
  constructor(
    limits: RequestLimits,
    emit: (request: QueuedRequest) => void,
    identity: IdentityPlace = 'resource',
  ) {
    this.#limits = limits;
    this.#emit = emit;
    const place = createPlacement<Series>(identity);
    this.#place = createPlacement<HistogramSeries>(identity);
    this.#plan = createPlans((series) => createTablePlan(place(series), limits));
  }

  /** Points that are not emitted yet. */
  get points(): number {
    return this.#builder.points;
  }

  /**
   * Adds the rows of a table, then one no-recorded-value point for each series that ended, unless it is sent as
   * deltas.
   */
  add(table: Table): void {
    const { cumulative, deltas } = this.#deltas.take(table);
    if (cumulative.values.length > 0) this.#addRows(cumulative);
    for (const { series, rows } of deltas) this.#addPlanned(series, rows);
    if (cumulative.ended !== undefined && cumulative.ended.length > 0)
      this.#addEnding(cumulative, cumulative.ended);
  }

  /** Adds a table of histograms. */
  addHistograms(table: HistogramTable): void {
    this.#encode(table);
    if (table.ended !== undefined && table.ended.length > 0) this.#encode(endingOf(table, table.ended));
  }

  /** Encodes and emits what was added. */
  flush(): void {
    const builder = this.#builder;
    if (builder.points === 0) return;
    this.#builder = new RequestBuilder();
    const bytes = builder.build(this.#pool);
    this.#emit({
      ...createRequest({ bytes, points: builder.points }),
      release: () => this.#pool.give(bytes),
    });
  }

  #encode(table: HistogramTable): void {
    encodeHistograms({ ...table, series: this.#place(table.series) }, this.#limits, {
      use: () => this.#builder,
      add: (encoded) => this.#builder.addEncoded(encoded),
      flush: () => this.flush(),
    });
  }

  #addRows(table: Table): void {
    this.#addPlanned(table.series, createRows(table));
  }

  #addPlanned(series: readonly Series[], rows: Rows): void {
    for (const plan of this.#plan(series)) this.#addColumns(plan, rows);
  }

  #addColumns(plan: ColumnsPlan, rows: Rows): void {
    for (let first = 0; first < rows.count;) {
      const count = Math.min(this.#countThatFit(plan), rows.count - first);
      if (count > 0) this.#builder.add(plan, sliceRows(rows, first, count));
      else this.flush();
      first += count;
    }
  }

  #countThatFit(plan: ColumnsPlan): number {
    const points = this.#limits.maxPoints - this.#builder.points;
    const bytes = this.#limits.maxBytes - this.#builder.maxBytes - plan.frameBytes;
    const count = Math.floor(Math.min(points / plan.columns.length, bytes / plan.rowBytes));
    // A single row that exceeds the limit is sent as it is: it cannot be divided.
    return this.#builder.points === 0 ? Math.max(1, count) : Math.max(0, count);
  }

  #addEnding({ epoch, offsets }: Table, ended: readonly Series[]): void {
    const last = epoch + BigInt(offsets.at(-1) ?? 0);
    // The last row of a series may have the same instant, in this table or in an earlier one.
    const at = last + endDelayNs;
    this.#addRows(createRow(ended, at, new Float64Array(ended.length).fill(NaN)));
  }
}

/** A gap for each series that ended, after its last row. */
function endingOf({ epoch, offsets }: HistogramTable, ended: readonly HistogramSeries[]): HistogramTable {
  let last = 0;
  for (const offset of offsets) last = Math.max(last, offset);
  const rows = new HistogramRows();
  const gap = new HistogramRow();
  for (const series of ended) rows.add(series, 0, gap);
  return rows.take(epoch + BigInt(last) + endDelayNs);
}
