import { selectHistograms, type HistogramTable } from './histogram-table.js';
import {
  publisherOf,
  seriesKey,
  setPublisher,
  type AnySeries,
  type HistogramSeries,
  type Series,
} from './series.js';
import { selectColumns, type Selection, type Table } from './table.js';

/** The publisher of the series with one key. */
interface Claim {
  readonly key: string;
  readonly publisher: string;
  /** Number of live series of the publisher. */
  live: number;
  /** Live series of others, which are left out. */
  readonly others: Set<AnySeries>;
  /** When others may get it, on the given clock; Infinity while the publisher has a live series. */
  freeAtMs: number;
}

interface Plan extends Selection {
  readonly generation: number;
  readonly counters: readonly TakenColumn[];
}

/** The forwarded rows of histogram tables with one array of series. */
interface HistogramPlan {
  readonly generation: number;
  readonly rows: readonly number[];
}

/** A counter that replaced one that ended: it counts from its first row here. */
interface TakenCounter {
  readonly series: Series;
  /** Its count before that. NaN: no reading yet. */
  base: number;
}

/** A column with the value of such a counter. */
interface TakenColumn {
  readonly index: number;
  readonly counter: TakenCounter;
}

/** How long a publisher has to restart an ended series, for example after a failed read. */
const restartMs = 5000;

/**
 * Leaves out series that another receiver publishes, too, that is, with the same metric, resource and
 * attributes. The first publisher keeps a series through resets. Once its series has ended, that of the next
 * publisher passes, as a counter from 0. Series of unknown publishers pass.
 */
export class OnePublisher {
  readonly #onConflict: (series: AnySeries, owner: string) => void;
  readonly #nowMs: () => number;
  readonly #plans = new WeakMap<readonly Series[], Plan>();
  readonly #histograms = new WeakMap<readonly HistogramSeries[], HistogramPlan>();
  readonly #claims = new Map<string, Claim>();
  readonly #members = new Map<AnySeries, Claim>();
  readonly #freed = new WeakSet<AnySeries>();
  readonly #taken = new WeakMap<Series, TakenCounter>();
  /** Claims whose publisher has no live series, in the order in which they ended. */
  readonly #ending = new Set<Claim>();
  /** Changes when existing plans may be outdated. */
  #generation = 0;

  /**
   * @param onConflict called for each series that is left out, with the receiver that publishes it
   * @param nowMs a monotonic clock
   */
  constructor(onConflict: (series: AnySeries, owner: string) => void, nowMs = () => performance.now()) {
    this.#onConflict = onConflict;
    this.#nowMs = nowMs;
  }

  /** @returns the table itself if nothing is left out; undefined if nothing is left of it */
  apply(table: Table): Table | undefined {
    if (this.#ending.size > 0) this.#freeEnded();
    const plan = this.#planOf(table);
    const ended = table.ended && this.#endAll(table.ended);
    if (plan.series === table.series && ended === table.ended) return table;
    const kept = plan.series === table.series ? table : selectColumns(table, plan);
    if (kept.series.length === 0 && (ended ?? []).length === 0) return undefined;
    for (const column of plan.counters) rebase(kept, column);
    const { series, epoch, offsets, values } = kept;
    return { series, epoch, offsets, values, ...(ended && { ended }) };
  }

  /**
   * The same for histograms, except that one whose publisher changes counts from its own start.
   * @returns the table itself where nothing is left out; undefined when nothing of it is left
   */
  applyHistograms(table: HistogramTable): HistogramTable | undefined {
    if (this.#ending.size > 0) this.#freeEnded();
    const { rows } = this.#planHistograms(table.series);
    const ended = table.ended?.filter((series) => this.#end(series));
    const isWhole = rows.length === table.series.length;
    if (isWhole && ended?.length === table.ended?.length) return table;
    if (rows.length === 0 && (ended ?? []).length === 0) return undefined;
    const { ended: _, ...kept } = isWhole ? table : selectHistograms(table, rows);
    return { ...kept, ...(ended && { ended }) };
  }

  /** A receiver has stopped: its series end. */
  release(publisher: string): void {
    for (const series of this.#members.keys()) if (publisherOf(series) === publisher) this.#end(series);
  }

  #planOf({ series, epoch }: Table): Plan {
    const known = this.#plans.get(series);
    if (known?.generation === this.#generation) return known;
    const plan = this.#createPlan(series, epoch);
    this.#plans.set(series, plan);
    return plan;
  }

  #planHistograms(series: readonly HistogramSeries[]): HistogramPlan {
    const known = this.#histograms.get(series);
    if (known?.generation === this.#generation) return known;
    const rows = [...series.keys()].filter((row) => this.#isPublished(series[row]));
    for (const row of rows) this.#freed.delete(series[row]);
    const plan = { generation: this.#generation, rows };
    this.#histograms.set(series, plan);
    return plan;
  }

  #createPlan(series: readonly Series[], at: bigint): Plan {
    const columns = [...series.keys()].filter((column) => this.#passes(series[column], at));
    const kept = columns.map((column) => this.#taken.get(series[column])?.series ?? series[column]);
    const isWhole = kept.length === series.length && kept.every((one, column) => one === series[column]);
    const counters = columns.flatMap((column, index) => {
      const counter = this.#taken.get(series[column]);
      return counter ? [{ index, counter }] : [];
    });
    return { generation: this.#generation, columns, series: isWhole ? series : kept, counters };
  }

  #passes(series: Series, at: bigint): boolean {
    const publisher = publisherOf(series);
    if (publisher === undefined) return true;
    if (!this.#isPublished(series)) return false;
    if (this.#freed.delete(series) && series.metric.kind === 'counter') this.#take(series, publisher, at);
    return true;
  }

  #isPublished(series: AnySeries): boolean {
    const publisher = publisherOf(series);
    if (publisher === undefined) return true;
    const claim = this.#members.get(series) ?? this.#join(series, publisher);
    return claim.publisher === publisher;
  }

  #join(series: AnySeries, publisher: string): Claim {
    const key = seriesKey(series);
    const known = this.#claims.get(key);
    const claim = known ?? { key, publisher, live: 0, others: new Set(), freeAtMs: Infinity };
    this.#claims.set(key, claim);
    this.#members.set(series, claim);
    if (claim.publisher === publisher) {
      claim.live += 1;
      claim.freeAtMs = Infinity;
      this.#ending.delete(claim);
    } else {
      claim.others.add(series);
      this.#onConflict(series, claim.publisher);
    }
    return claim;
  }

  /** Its count so far is contained in the counter that it replaces. */
  #take(series: Series, publisher: string, at: bigint): void {
    const counter = { series: { ...series, start: at }, base: NaN };
    setPublisher(counter.series, publisher);
    this.#taken.set(series, counter);
  }

  /** @returns those that passed so far: the same array if all did */
  #endAll(ended: readonly Series[]): readonly Series[] {
    const passed = ended.flatMap((series) =>
      this.#end(series) ? [this.#taken.get(series)?.series ?? series] : [],
    );
    return passed.length === ended.length && passed.every((one, i) => one === ended[i]) ? ended : passed;
  }

  /** @returns whether it passed so far */
  #end(series: AnySeries): boolean {
    const claim = this.#members.get(series);
    // A freed key without a row since then was left out so far.
    if (claim === undefined) return !this.#freed.delete(series);
    this.#members.delete(series);
    if (claim.others.delete(series)) return false;
    claim.live -= 1;
    if (claim.live > 0) return true;
    claim.freeAtMs = this.#nowMs() + restartMs;
    if (claim.others.size > 0) this.#ending.add(claim);
    else this.#free(claim);
    return true;
  }

  #freeEnded(): void {
    const nowMs = this.#nowMs();
    for (const claim of this.#ending) {
      if (claim.freeAtMs > nowMs) return;
      this.#free(claim);
    }
  }

  #free(claim: Claim): void {
    this.#ending.delete(claim);
    this.#claims.delete(claim.key);
    for (const series of claim.others) {
      this.#members.delete(series);
      this.#freed.add(series);
    }
    if (claim.others.size > 0) this.#generation += 1;
  }
}

function rebase({ series, values }: Pick<Table, 'series' | 'values'>, { index, counter }: TakenColumn): void {
  for (let cell = index; cell < values.length; cell += series.length) {
    if (Number.isNaN(counter.base)) counter.base = values[cell];
    values[cell] -= counter.base;
  }
}
