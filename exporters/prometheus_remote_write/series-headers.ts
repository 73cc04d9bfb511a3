import { createPlans, findOrAdd } from '../../src/model/plan.js';
import type { AnySeries } from '../../src/model/series.js';
import type { FamilyName } from '../../src/prometheus/names.js';
import { isHistogram, type Entry, type Label } from './label-table.js';
import { metricTypes, type SeriesHeader } from './request-writer.js';
import type { SymbolTable } from './symbols.js';

/** Bytes around labels and one sample. */
const frameBytes = 64;

/** The series of a histogram: a single one if it is native, otherwise one per bucket, plus sum and count. */
export interface HistogramHeaders {
  readonly native: SeriesHeader;
  readonly sum: SeriesHeader;
  readonly count: SeriesHeader;
  /** By the text of `le`; those that were written so far. */
  readonly buckets: Map<string, SeriesHeader>;
  /** Whether it was written as a native histogram. */
  isNative: boolean;
}

/** The descriptions of series in requests, each created once. */
export class SeriesHeaders {
  readonly #symbols: SymbolTable;

  constructor(symbols: SymbolTable) {
    this.#symbols = symbols;
  }

  readonly of = createPlans((entry: Entry): SeriesHeader => this.#create(entry, entry.name.sample));

  readonly ofHistogram = createPlans((entry: Entry): HistogramHeaders => {
    const { family } = entry.name;
    return {
      native: this.#create(entry, family),
      sum: this.#create(entry, `${family}_sum`),
      count: this.#create(entry, `${family}_count`),
      buckets: new Map(),
      isNative: false,
    };
  });

  /** @param bound the label `le` */
  bucketOf(entry: Entry, bound: string): SeriesHeader {
    return findOrAdd(this.ofHistogram(entry).buckets, bound, () =>
      this.#create({ ...entry, labels: [...entry.labels, ['le', bound]] }, `${entry.name.family}_bucket`),
    );
  }

  /** `target_info` with these labels. */
  targetInfo(labels: readonly Label[]): SeriesHeader {
    return this.#build([...labels, ['__name__', 'target_info']], metricTypes.gauge, ['Target metadata', '']);
  }

  #create({ series, labels, name }: Entry, sample: string): SeriesHeader {
    const { metric } = series;
    return this.#build([...labels, ['__name__', sample]], typeOf(series, name), [
      metric.description,
      name.unit,
    ]);
  }

  #build(unordered: readonly Label[], type: number, [help, unit]: readonly [string, string]): SeriesHeader {
    const labels = unordered.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat();
    // A code unit has at most 3 bytes in UTF-8; each text may be new in its request.
    const texts = [...labels, help, unit].reduce((sum, text) => sum + 3 * text.length + 10, 0);
    return {
      labels: Uint32Array.from(labels, (text) => this.#symbols.numberOf(text)),
      type,
      help: this.#symbols.numberOf(help),
      unit: this.#symbols.numberOf(unit),
      maxBytes: texts + frameBytes,
    };
  }
}

function typeOf(series: AnySeries, { family, sample }: FamilyName): number {
  if (isHistogram(series)) return metricTypes.histogram;
  if (series.metric.kind !== 'counter') return metricTypes.gauge;
  // A counter of a scraped histogram, whose name has no `_total`.
  return family === sample ? metricTypes.unknown : metricTypes.counter;
}
