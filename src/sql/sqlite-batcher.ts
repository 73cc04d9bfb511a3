import type { QueuedRequest, StoredBytes } from '../component/queue-storage.js';
import type { BatchConfig, Encoder } from '../export/queued-exporter.js';
import { HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import type { HistogramSeries } from '../model/series.js';
import { timeOf, type Table } from '../model/table.js';
import { figuresOf, type Figures } from '../recording/histogram-columns.js';
import { createHistogramRequest, histogramLine, isHistogramRequest } from './histogram-request.js';
import { encodeSeries } from './series-record.js';
import { SqlBatcher } from './sql-batcher.js';
import { createSqlRequest } from './sql-request.js';

type Limits = Pick<BatchConfig, 'max_points' | 'max_bytes'>;

/** Builds requests for a database with tables for numbers and for histograms: a request has only one kind. */
export class SqliteBatcher implements Encoder {
  readonly #numbers: SqlBatcher;
  readonly #limits: Limits;
  readonly #emit: (request: QueuedRequest) => void;
  readonly #row = new HistogramRow();
  #lines: Buffer[] = [];
  #bytes = 0;

  /** @param emit receives every full request, and the rest at every flush */
  constructor(limits: Limits, emit: (request: QueuedRequest) => void) {
    this.#numbers = new SqlBatcher(limits, emit);
    this.#limits = limits;
    this.#emit = emit;
  }

  get points(): number {
    return this.#numbers.points + this.#lines.length;
  }

  add(table: Table): void {
    this.#numbers.add(table);
  }

  addHistograms(table: HistogramTable): void {
    const { series, epoch, offsets, ended = [] } = table;
    for (const [number, one] of series.entries())
      this.#add(one, timeOf(table, number), figuresOf(this.#row.read(table, number)));
    const latest = epoch + BigInt(offsets.reduce((most, offset) => Math.max(most, offset), 0));
    for (const one of ended) this.#add(one, latest, undefined);
  }

  flush(): void {
    this.#numbers.flush();
    this.#flushHistograms();
  }

  #add(series: HistogramSeries, at: bigint, figures: Figures | undefined): void {
    const line = Buffer.from(histogramLine({ series: encodeSeries(series), at, figures }));
    const { max_points: maxPoints, max_bytes: maxBytes } = this.#limits;
    if (this.#lines.length >= maxPoints || this.#bytes + line.length > maxBytes) this.#flushHistograms();
    this.#lines.push(line);
    this.#bytes += line.length;
  }

  #flushHistograms(): void {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#bytes = 0;
    this.#emit(createHistogramRequest({ bytes: Buffer.concat(lines), points: lines.length }));
  }
}

/** Rebuilds a request of either kind from stored bytes. */
export function restoreRequest(stored: StoredBytes): QueuedRequest {
  return isHistogramRequest(stored.bytes) ? createHistogramRequest(stored) : createSqlRequest(stored);
}
