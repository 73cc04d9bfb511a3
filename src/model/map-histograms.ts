import { selectHistograms, type HistogramTable } from './histogram-table.js';
import { inheritPublisher, publisherOf, seriesKey, type HistogramSeries } from './series.js';

/** What is done with each series of histograms, called once per series. */
export interface HistogramMapping {
  map(series: HistogramSeries): HistogramSeries;
  /** Called for a series that becomes the same as a live one and is therefore left out. */
  onConflict(mapped: HistogramSeries): void;
}

/** A published series, and those left out because they became the same. */
interface Target {
  readonly key: string;
  readonly source: HistogramSeries;
  readonly mapped: HistogramSeries;
  readonly others: Set<HistogramSeries>;
}

/** The forwarded rows of tables with one array of series. */
interface Plan {
  readonly generation: number;
  readonly rows: readonly number[];
  readonly series: readonly HistogramSeries[];
}

/**
 * Maps the series of histogram tables. Where several live series become the same, the first one is kept, as for
 * gauges: their buckets may differ and cannot be summed. When the first one ends, the next replaces it as a new
 * series.
 */
export class HistogramMap {
  readonly #mapping: HistogramMapping;
  readonly #plans = new WeakMap<readonly HistogramSeries[], Plan>();
  readonly #targets = new Map<HistogramSeries, Target>();
  readonly #byKey = new Map<string, Target>();
  /** Changes when existing plans may be outdated. */
  #generation = 0;

  constructor(mapping: HistogramMapping) {
    this.#mapping = mapping;
  }

  /** @returns the table itself if nothing changes; undefined if nothing is left of it */
  apply(table: HistogramTable): HistogramTable | undefined {
    const { series, ended = [] } = table;
    const shown = new Set(ended.length === 0 ? [] : series);
    // A series that a new one replaces ends before that one starts; a series with a last row in this table ends
    // after it.
    const gone = this.#end(ended.filter((one) => !shown.has(one)));
    const plan = this.#planOf(series);
    gone.push(...this.#end(ended.filter((one) => shown.has(one))));
    if (plan.series === series && isSame(gone, ended)) return table;
    if (plan.rows.length === 0 && gone.length === 0) return undefined;
    const { ended: _, ...kept } =
      plan.rows.length === series.length ? table : selectHistograms(table, plan.rows);
    return { ...kept, series: plan.series, ...(gone.length > 0 && { ended: gone }) };
  }

  #planOf(series: readonly HistogramSeries[]): Plan {
    const known = this.#plans.get(series);
    if (known?.generation === this.#generation) return known;
    const targets = series.map((one) => this.#targets.get(one) ?? this.#join(one));
    const rows = [...series.keys()].filter((row) => targets[row]?.source === series[row]);
    const mapped = rows.flatMap((row) => targets[row]?.mapped ?? []);
    const plan = { generation: this.#generation, rows, series: isSame(mapped, series) ? series : mapped };
    this.#plans.set(series, plan);
    return plan;
  }

  #join(source: HistogramSeries): Target {
    const mapped = this.#mapping.map(source);
    inheritPublisher(mapped, source);
    const key = `${seriesKey(mapped)}\n${publisherOf(mapped) ?? ''}`;
    const known = this.#byKey.get(key);
    const target = known ?? { key, source, mapped, others: new Set() };
    this.#targets.set(source, target);
    this.#byKey.set(key, target);
    if (known) {
      known.others.add(source);
      this.#mapping.onConflict(mapped);
    }
    return target;
  }

  /** @returns the mapped series that ended together with these */
  #end(ended: readonly HistogramSeries[]): HistogramSeries[] {
    return ended.flatMap((source) => {
      const target = this.#targets.get(source);
      this.#targets.delete(source);
      if (target === undefined || target.others.delete(source)) return [];
      this.#byKey.delete(target.key);
      for (const other of target.others) this.#targets.delete(other);
      this.#generation += 1;
      return [target.mapped];
    });
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i]);
}
