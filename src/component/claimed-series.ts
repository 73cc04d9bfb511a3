import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import { selectColumns, type Selection, type Table } from '../model/table.js';
import type { Claims } from './claims.js';
import type { Consumer } from './consumer.js';

/** Stands behind a receiver and leaves out the series of what another receiver publishes. */
export class ClaimedSeries implements Consumer {
  readonly #claims: Claims;
  readonly #next: Consumer;
  readonly #foreign = new WeakSet<Series>();
  readonly #planColumns = createPlans((series: readonly Series[]) => this.#findOwn(series));

  constructor(claims: Claims, next: Consumer) {
    this.#claims = claims;
    this.#next = next;
  }

  /**
   * Claims what a series measures, before any table with it comes.
   * @param key as for `Claims.claim`
   * @returns undefined when it is passed on; otherwise the id of the receiver that publishes it
   */
  claim(key: string, series: Series): string | undefined {
    const owner = this.#claims.claim(key);
    if (owner !== undefined) this.#foreign.add(series);
    return owner;
  }

  consume(table: Table): boolean {
    const plan = this.#planColumns(table.series);
    const ended = table.ended?.filter((series) => !this.#foreign.has(series));
    const isWhole = plan.columns.length === table.series.length;
    if (isWhole && ended?.length === table.ended?.length) return this.#next.consume(table);
    const kept = isWhole ? table : selectColumns(table, plan);
    if (kept.series.length === 0 && (ended ?? []).length === 0) return true;
    const { series, epoch, offsets, values } = kept;
    return this.#next.consume({ series, epoch, offsets, values, ...(ended && { ended }) });
  }

  #findOwn(series: readonly Series[]): Selection {
    const columns = [...series.keys()].filter((column) => !this.#foreign.has(series[column]));
    return { columns, series: columns.map((column) => series[column]) };
  }
}
