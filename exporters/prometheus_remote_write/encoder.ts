import type { QueuedRequest } from '../../src/component/queue-storage.js';
import type { Encoder, RequestLimits } from '../../src/export/queued-exporter.js';
import { SlicedWork, type Steps } from '../../src/export/sliced-work.js';
import { countHistograms, HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import type { AnySeries, HistogramSeries } from '../../src/model/series.js';
import { countPoints, type Table } from '../../src/model/table.js';
import { cumulate, formatBound } from '../../src/prometheus/histogram-buckets.js';
import { DescribedSeries, startOf, type Column } from './described-series.js';
import { createRequest } from './divide-request.js';
import { isHistogram, type Entry, type LabelTable } from './label-table.js';
import { toNative } from './native-histogram.js';
import type { NativeHistogram, RequestWriter, SampleTimes, SeriesHeader } from './request-writer.js';
import type { SeriesHeaders } from './series-headers.js';
import { describeTarget, type Target } from './targets.js';

const nsPerMs = 1_000_000n;
const targetInfoMs = 60_000;
/** Maximum bytes of a sample in a series that has been started. */
const maxSampleBytes = 32;
/** Maximum bytes of a count in a native histogram. */
const maxCountBytes = 9;
/** The epoch of a table: whole milliseconds, and remaining nanoseconds. */
interface Base {
  readonly epochMs: number;
  readonly restNs: number;
}

export interface EncoderOptions {
  readonly labels: LabelTable;
  readonly limits: RequestLimits;
  readonly hasTargetInfo: boolean;
  hasNativeHistograms(): boolean;
  /** Called when a table could not be encoded. */
  fail(error: unknown): void;
  /** CLOCK_MONOTONIC in milliseconds. */
  nowMs(): number;
}

/**
 * Writes tables as requests of protocol 2.0. The samples of a series ascend in time: a sample in the same
 * millisecond as the previous one is left out. The first gap after a value, and the end of a series, is a stale
 * marker.
 */
export class RemoteWriteEncoder implements Encoder {
  readonly #options: EncoderOptions;
  readonly #emit: (request: QueuedRequest) => void;
  readonly #histogram = new HistogramRow();
  readonly #targetInfoMs = new WeakMap<Target, number>();
  readonly #work: SlicedWork;
  /** Points of tables that are not encoded yet. */
  #waitingPoints = 0;
  #isFlushDue = false;
  readonly #series: DescribedSeries;

  /** @param emit receives every full request, and the rest at every flush */
  constructor(options: EncoderOptions, emit: (request: QueuedRequest) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#work = new SlicedWork(options.fail);
    this.#series = new DescribedSeries(options.labels);
  }

  get #writer(): RequestWriter {
    return this.#series.writer;
  }

  get #headers(): SeriesHeaders {
    return this.#series.headers;
  }

  get points(): number {
    return this.#writer.samples + this.#waitingPoints;
  }

  /**
   * Series are described when they first appear, which takes longer than everything else: in slices, if there
   * are many.
   */
  add(table: Table): void {
    this.#take(countPoints(table), this.#addTable(table));
  }

  addHistograms(table: HistogramTable): void {
    this.#take(countHistograms(table), this.#addHistogramTable(table));
  }

  #take(points: number, steps: Steps): void {
    this.#waitingPoints += points;
    this.#work.add(this.#finish(points, steps));
  }

  *#finish(points: number, steps: Steps): Steps {
    try {
      yield* steps;
    } finally {
      this.#waitingPoints -= points;
    }
    if (this.#waitingPoints === 0 && this.#isFlushDue) this.flush();
  }

  *#addTable(table: Table): Steps {
    const { ended = [] } = table;
    const before = this.#end(ended);
    const isNew = yield* this.#series.describe(table.series);
    const columns = this.#series.columnsOf(table.series);
    if (isNew) yield;
    const atMs = toMs(table.epoch, table.offsets.at(-1) ?? 0);
    this.#addTargetInfo(atMs);
    const base = { epochMs: Number(table.epoch / nsPerMs), restNs: Number(table.epoch % nsPerMs) };
    for (const column of columns) this.#addColumn(column, table, base);
    // A series whose first row is in this table was unknown before.
    for (const entry of [...before, ...this.#end(ended)]) {
      if (entry.endedMs !== undefined) this.#addStale(entry, atMs + 1);
    }
  }

  *#addHistogramTable(table: HistogramTable): Steps {
    const { ended = [] } = table;
    const before = this.#end(ended);
    yield* this.#series.describe(table.series);
    let lastMs = toMs(table.epoch, 0);
    for (const [number, series] of table.series.entries()) {
      const atMs = toMs(table.epoch, table.offsets[number] ?? 0);
      lastMs = Math.max(lastMs, atMs);
      this.#addHistogram(series, atMs, this.#histogram.read(table, number));
    }
    for (const entry of [...before, ...this.#end(ended)]) {
      if (entry.endedMs !== undefined) this.#addStale(entry, lastMs + 1);
    }
  }

  settle(): Promise<void> {
    return this.#work.settle();
  }

  flush(): void {
    this.#isFlushDue = this.#work.isBusy && this.#waitingPoints > 0;
    if (this.#isFlushDue) return;
    this.#emitRequest();
    this.#options.labels.sweep(this.#options.nowMs());
    this.#series.limit();
  }

  #emitRequest(): void {
    if (this.#writer.samples > 0) this.#emit(createRequest(this.#writer.finish()));
  }

  #end(ended: readonly AnySeries[]): readonly Entry[] {
    const nowMs = this.#options.nowMs();
    return ended.flatMap((series) => this.#options.labels.end(series, nowMs) ?? []);
  }

  #addColumn(column: Column, { series, offsets, values }: Table, { epochMs, restNs }: Base): void {
    const { entry, header, index, startMs } = column;
    let isOpen = false;
    for (let row = 0; row < offsets.length; row += 1) {
      const value = values[row * series.length + index];
      const atMs = epochMs + Math.floor((restNs + offsets[row]) / 1e6);
      const isGap = Number.isNaN(value);
      if (atMs <= entry.lastMs || (isGap && entry.isStale)) continue;
      if (isOpen && this.#isFull(0)) {
        this.#writer.end();
        isOpen = false;
      }
      if (!isOpen) this.#begin(header);
      isOpen = true;
      if (isGap) this.#writer.stale(atMs);
      else this.#writer.sample(value, { atMs, startMs });
      this.#writer.countPoint();
      entry.lastMs = atMs;
      entry.isStale = isGap;
    }
    if (isOpen) this.#writer.end();
  }

  #addHistogram(series: HistogramSeries, atMs: number, row: HistogramRow): void {
    const entry = this.#options.labels.entryOf(series);
    if (entry === undefined || atMs <= entry.lastMs) return;
    if (Number.isNaN(row.count)) {
      this.#addStale(entry, atMs);
      return;
    }
    const times = { atMs, startMs: startOf(series) };
    const native = this.#options.hasNativeHistograms() ? toNative(row) : undefined;
    if (native === undefined) this.#addClassic(entry, row, times);
    else this.#addNative(entry, native, times);
    this.#writer.countPoint();
    entry.lastMs = atMs;
    entry.isStale = false;
  }

  #addNative(entry: Entry, histogram: NativeHistogram, times: SampleTimes): void {
    const headers = this.#headers.ofHistogram(entry);
    headers.isNative = true;
    const { positive, negative } = histogram;
    this.#begin(headers.native, maxCountBytes * (positive.counts.length + negative.counts.length));
    this.#writer.histogram(histogram, times);
    this.#writer.end();
  }

  #addClassic(entry: Entry, { count, sum, layout, buckets }: HistogramRow, times: SampleTimes): void {
    const headers = this.#headers.ofHistogram(entry);
    for (const [bound, counted] of cumulate(layout, buckets))
      this.#addSample(this.#headers.bucketOf(entry, formatBound(bound, true)), counted, times);
    this.#addSample(this.#headers.bucketOf(entry, '+Inf'), count, times);
    if (!Number.isNaN(sum)) this.#addSample(headers.sum, sum, times);
    this.#addSample(headers.count, count, times);
  }

  #addSample(header: SeriesHeader, value: number, times: SampleTimes): void {
    this.#begin(header);
    this.#writer.sample(value, times);
    this.#writer.end();
  }

  /** Writes a stale marker for a series at an instant, unless the last sample is one. */
  #addStale(entry: Entry, atMs: number): void {
    if (entry.isStale) return;
    const headers = isHistogram(entry.series) ? this.#headers.ofHistogram(entry) : undefined;
    const isClassic = headers !== undefined && headers.buckets.size > 0;
    const plain = isClassic ? [...headers.buckets.values(), headers.sum, headers.count] : [];
    for (const header of headers === undefined ? [this.#headers.of(entry)] : plain) {
      this.#begin(header);
      this.#writer.stale(atMs);
      this.#writer.end();
    }
    if (headers?.isNative) {
      this.#begin(headers.native);
      this.#writer.staleHistogram(atMs);
      this.#writer.end();
    }
    this.#writer.countPoint();
    entry.lastMs = atMs;
    entry.isStale = true;
  }

  /** Writes `target_info` for each target, once a minute. */
  #addTargetInfo(atMs: number): void {
    const { labels, hasTargetInfo } = this.#options;
    if (!hasTargetInfo) return;
    for (const target of labels.targets.list()) {
      if (target.uses === 0 || atMs - (this.#targetInfoMs.get(target) ?? -Infinity) < targetInfoMs) continue;
      this.#targetInfoMs.set(target, atMs);
      const header = this.#headers.targetInfo(labels.complete(describeTarget(target), target));
      this.#addSample(header, 1, { atMs, startMs: 0 });
    }
  }

  /** Starts a series, in the next request if this one has no room for it. */
  #begin(header: SeriesHeader, bytes = 0): void {
    if (this.#writer.samples > 0 && this.#isFull(header.maxBytes + bytes)) this.#emitRequest();
    this.#writer.begin(header);
  }

  #isFull(bytes: number): boolean {
    const { maxPoints, maxBytes } = this.#options.limits;
    return this.#writer.samples >= maxPoints || this.#writer.length + bytes + maxSampleBytes > maxBytes;
  }
}

function toMs(epoch: bigint, offset: number): number {
  return Number((epoch + BigInt(offset)) / nsPerMs);
}
