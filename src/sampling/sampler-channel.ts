import type { Attributes, Meter } from '@opentelemetry/api';
import type { SamplerRequest } from '../component/sampling.js';
import { describeError } from '../errors.js';
import { readClocks } from '../linux/clocks.js';
import { LoggedCauses } from '../logged-causes.js';
import type { Series } from '../model/series.js';
import { createEnding, createRow, timeOf, type Table } from '../model/table.js';
import type { Rows } from './row-buffer.js';
import type { Announcement, RowsMessage, SlotCounts } from './thread-connection.js';

/** The main thread's end of a sampler: converts its rows to tables for the receiver's consumer. */
export class SamplerChannel {
  readonly id: number;
  readonly request: SamplerRequest;
  /** The options with which the sampler is opened. */
  options: unknown;
  /** Set while the sampler is being closed. */
  closing: Promise<void> | undefined;
  /** Time between two readings. */
  periodNs: number;
  isPaused = false;
  readonly #metrics: SamplerMetrics;
  readonly #attributes: { readonly receiver: string };
  #series: readonly Series[] | undefined;
  #ids: readonly number[] = [];
  #lastNs = 0n;
  #takenMs = performance.now();
  readonly #causes = new LoggedCauses();
  #isRejecting = false;

  constructor(id: number, request: SamplerRequest, metrics: SamplerMetrics) {
    this.id = id;
    this.request = request;
    this.options = request.options;
    this.periodNs = request.periodNs;
    this.#metrics = metrics;
    this.#attributes = { receiver: request.id };
  }

  /** As in `RunningSampler`. */
  get isFailing(): boolean {
    return this.#causes.isFailing;
  }

  /** As in `RunningSampler`. */
  get lastSignMs(): number {
    return this.isFailing ? performance.now() : this.#takenMs;
  }

  /** Forwards rows, with new series if they are announced. Never throws. */
  takeRows({ announcement, rows, counts }: RowsMessage): void {
    const count = rows.offsets.length;
    this.#takenMs = performance.now();
    this.#metrics.countRows(count, counts, this.#attributes);
    try {
      if (announcement !== undefined) this.#begin(announcement, rows);
      if (!this.#deliver(rows)) this.#metrics.countDropped(count, this.#attributes);
      this.#isRejecting = false;
    } catch (error) {
      this.#metrics.countDropped(count, this.#attributes);
      if (!this.#isRejecting) this.request.log.error(`Cannot forward readings: ${describeError(error)}`);
      this.#isRejecting = true;
    }
  }

  /** Ends the series, if any. Never throws. */
  end(): void {
    const series = this.#series ?? [];
    this.#series = undefined;
    this.#ids = [];
    this.#forwardEnding(series);
  }

  /** Forwards a row without values. Never throws. */
  forwardGap(): void {
    const series = this.#series ?? [];
    if (series.length === 0) return;
    const nowNs = readClocks().realtimeNs;
    const at = nowNs > this.#lastNs ? nowNs : this.#lastNs + 1n;
    this.#forward('forward a gap', createRow(series, at, new Float64Array(series.length).fill(NaN)));
  }

  /**
   * Counts the rows that the sampler's thread should have read since its last ones as lost: the thread was
   * abandoned. Never throws.
   */
  lose(): void {
    const { log } = this.request;
    const elapsedNs = this.isPaused ? 0 : (performance.now() - this.#takenMs) * 1e6;
    const rows = Math.floor(elapsedNs / this.periodNs);
    if (rows <= 0) return;
    this.#metrics.countDropped(rows, this.#attributes);
    log.warn(`Lost up to ${rows} rows that a sampling thread had not delivered when it was abandoned`);
  }

  /** The sampler was closed after a failure and will be opened again. */
  fail(message: string): void {
    this.#metrics.countFailure(this.#attributes);
    if (this.#causes.add(message)) this.request.log.warn(`${message}; trying again`);
  }

  /** The sampler is being read again. */
  recover(): void {
    this.#causes.clear();
    this.request.log.info('Recovered, reading again');
  }

  #begin({ columns, columnIds = [], start }: Announcement, { epoch, offsets, values }: Rows): void {
    const known = new Map(this.#series?.map((series, column) => [this.#ids[column], series]));
    const kept = columnIds.map((id) => known.get(id));
    const before = this.#series ?? [];
    this.#forwardEnding(kept.some(Boolean) ? before.filter((series) => !kept.includes(series)) : before);
    this.#series = undefined;
    const described = this.request.describe(columns, start ?? epoch);
    const width = values.length / offsets.length;
    if (described.length !== width) {
      throw new Error(
        `expected ${described.length} values, one for each column of the sampler, found ${width}`,
      );
    }
    this.#series = kept.some(Boolean) ? described.map((series, i) => kept[i] ?? series) : described;
    this.#ids = columnIds;
  }

  #forwardEnding(series: readonly Series[]): void {
    if (series.length > 0) this.#forward('end series', createEnding(series, this.#lastNs));
  }

  #forward(what: string, table: Table): void {
    try {
      this.request.next.consume(table);
    } catch (error) {
      this.request.log.error(`Cannot ${what}: ${describeError(error)}`);
    }
  }

  #deliver({ epoch, offsets, values }: Rows): boolean {
    if (this.#series === undefined) return false;
    this.#lastNs = timeOf({ epoch, offsets }, offsets.length - 1);
    if (this.#series.length === 0) return true;
    return this.request.next.consume({ series: this.#series, epoch, offsets, values });
  }
}

export const samplerLatenessName = 'joulemetry.sampler.lateness';

/** The collector's own telemetry of its sampling. */
export interface SamplerMetrics {
  countRows(rows: number, counts: Readonly<SlotCounts>, attributes: Attributes): void;
  /** A table that was rejected or could not be created. */
  countDropped(rows: number, attributes: Attributes): void;
  countFailure(attributes: Attributes): void;
}

export function createSamplerMetrics(meter: Meter): SamplerMetrics {
  const count = (name: string, unit: string, description: string) =>
    meter.createCounter(`joulemetry.sampler.${name}`, { unit, description });
  const ticks = count('ticks', '{tick}', 'Readings taken');
  const missedTicks = count(
    'missed_ticks',
    '{tick}',
    'Readings that were skipped because an earlier one was late',
  );
  const failures = count('failures', '{failure}', 'Number of times that a sampler failed and was closed');
  const droppedRows = count('dropped_rows', '{row}', 'Rows that were read but could not be forwarded');
  const droppedTables = count('dropped_tables', '{table}', 'Tables that could not be forwarded');
  const lateness = createLateness(meter);
  const drop = (tables: number, rows: number, attributes: Attributes) => {
    droppedTables.add(tables, attributes);
    droppedRows.add(rows, attributes);
  };
  return {
    countRows(rows, counts, attributes) {
      ticks.add(rows + counts.droppedRows, attributes);
      missedTicks.add(counts.missedTicks, attributes);
      lateness.record(counts.latenessNs / 1e9, attributes);
      drop(counts.droppedTables, counts.droppedRows, attributes);
    },
    countDropped: (rows, attributes) => drop(1, rows, attributes),
    countFailure: (attributes) => failures.add(1, attributes),
  };
}

function createLateness(meter: Meter) {
  return meter.createHistogram(samplerLatenessName, {
    unit: 's',
    description: 'Maximum time by which a reading ended late, for each table',
    advice: { explicitBucketBoundaries: [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.1, 1] },
  });
}
