import type { StoredBytes } from '../../src/component/queue-storage.js';
import { MessageWriter, zigzag } from '../../src/otlp/wire.js';
import { RequestSymbols, type SymbolTable } from './symbols.js';

// io.prometheus.write.v2.Request: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/

/** The type of a metric in its metadata. */
export const metricTypes = { unknown: 0, counter: 1, gauge: 2, histogram: 3 } as const;

/** The NaN that marks the end of a series for Prometheus. */
const staleMarker = 0x7ff0000000000002n;

/** The description of a series in a request; texts are numbers of the symbol table. */
export interface SeriesHeader {
  /** Names and values of labels, sorted by name. */
  readonly labels: Uint32Array;
  readonly type: number;
  readonly help: number;
  readonly unit: number;
  /** Maximum bytes that it and one sample add to a request. */
  readonly maxBytes: number;
}

/** An exponential histogram in Prometheus' form. */
export interface NativeHistogram {
  readonly count: number;
  /** NaN: unknown. */
  readonly sum: number;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: NativeBuckets;
  readonly negative: NativeBuckets;
}

export interface NativeBuckets {
  /** The index of the first one. */
  readonly offset: number;
  readonly counts: Float64Array;
}

/** The times of a sample and of its series' start, in milliseconds of Unix time; 0: unknown start. */
export interface SampleTimes {
  readonly atMs: number;
  readonly startMs: number;
}

/** Writes a request, series by series. */
export class RequestWriter {
  readonly #series = new MessageWriter();
  readonly #texts = new MessageWriter();
  readonly #symbols: RequestSymbols;
  #begin = 0;
  #samples = 0;
  #points = 0;

  constructor(table: SymbolTable) {
    this.#symbols = new RequestSymbols(table, this.#texts);
  }

  /** Number of samples and histograms so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Counts a point of a table: a histogram is one point, however many samples it has. */
  countPoint(): void {
    this.#points += 1;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#series.length + this.#texts.length;
  }

  /** Starts a series; its samples follow. */
  begin({ labels, type, help, unit }: SeriesHeader): void {
    const writer = this.#series;
    this.#begin = writer.begin(5);
    const metadata = writer.begin(5);
    writer.integer(1, type).integer(3, this.#symbols.placeOf(help)).integer(4, this.#symbols.placeOf(unit));
    writer.end(metadata);
    const refs = writer.begin(1);
    for (const number of labels) writer.varint(this.#symbols.placeOf(number));
    writer.end(refs);
  }

  sample(value: number, { atMs, startMs }: SampleTimes): void {
    const begin = this.#series.begin(2);
    this.#series.double(1, value).integer(2, atMs);
    if (startMs > 0) this.#series.integer(3, startMs);
    this.#series.end(begin);
    this.#samples += 1;
  }

  stale(atMs: number): void {
    const begin = this.#series.begin(2);
    this.#series.fixed64(1, staleMarker).integer(2, atMs).end(begin);
    this.#samples += 1;
  }

  histogram(histogram: NativeHistogram, { atMs, startMs }: SampleTimes): void {
    const writer = this.#series;
    const begin = writer.begin(3);
    writer.integer(1, histogram.count).double(3, histogram.sum).integer(4, zigzag(histogram.schema));
    writer.double(5, histogram.zeroThreshold).integer(6, histogram.zeroCount);
    this.#writeBuckets(8, histogram.negative);
    this.#writeBuckets(11, histogram.positive);
    writer.integer(15, atMs);
    // A field number above 15 takes two bytes.
    if (startMs > 0) writer.varint(17 << 3).varint(startMs);
    writer.end(begin);
    this.#samples += 1;
  }

  staleHistogram(atMs: number): void {
    const begin = this.#series.begin(3);
    this.#series.fixed64(3, staleMarker).integer(15, atMs).end(begin);
    this.#samples += 1;
  }

  end(): void {
    this.#series.end(this.#begin);
  }

  /** Returns the request and starts the next one. */
  finish(): StoredBytes {
    const points = this.#points;
    const bytes = Buffer.concat([this.#texts.finish(), this.#series.finish()]);
    this.#points = 0;
    this.#samples = 0;
    this.#symbols.begin();
    return { bytes, points };
  }

  /** One span and, in the next field, the difference of each count from the previous one. */
  #writeBuckets(field: number, { offset, counts }: NativeBuckets): void {
    if (counts.length === 0) return;
    const writer = this.#series;
    const span = writer.begin(field);
    writer.integer(1, zigzag(offset)).integer(2, counts.length).end(span);
    const deltas = writer.begin(field + 1);
    let last = 0;
    for (const count of counts) {
      writer.varint(zigzag(count - last));
      last = count;
    }
    writer.end(deltas);
  }
}
