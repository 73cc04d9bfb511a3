import type { ConsumingComponent, ProcessorFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import {
  createEnding,
  createSelection,
  selectColumns,
  type Selection,
  type Table,
} from '../../src/model/table.js';
import { schema, type Config } from './config.js';
import { Door } from './door.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create: (config, _context, next) => new Thin(config, next),
};

/** Counters that are read together, until one of them ends or others join. */
interface Group {
  readonly series: readonly Series[];
  readonly door: Door;
}

/** How the tables with one array of series are divided. */
interface Plan {
  readonly thinned: Selection;
  readonly others: Selection;
}

/** Forwards of counters only the rows without which their curves would be wrong by more than an error. */
class Thin implements ConsumingComponent {
  readonly #config: Config;
  readonly #next: Consumer;
  /** By counter. */
  readonly #groups = new Map<Series, Group>();
  readonly #planOf: (series: readonly Series[]) => Plan;

  constructor(config: Config, next: Consumer) {
    this.#config = config;
    this.#next = next;
    const names = new Set(config.metrics);
    const isThinned = ({ metric }: Series) => metric.kind === 'counter' && names.has(metric.name);
    this.#planOf = createPlans((series) => ({
      thinned: createSelection(series, isThinned),
      others: createSelection(series, (one) => !isThinned(one)),
    }));
  }

  start(): void {}

  consume(table: Table): boolean {
    const { ended = [], ...rows } = table;
    const gone = ended.filter((series) => !table.series.includes(series));
    const last = ended.filter((series) => table.series.includes(series));
    // A series that a new one replaces ends before that one begins; one with a last row in this table, after.
    const isEnded = this.#end(gone, table.epoch);
    const isAccepted = this.#forward(rows);
    return this.#end(last, table.epoch) && isAccepted && isEnded;
  }

  shutdown(): void {
    this.#finish([...this.#groups.values()]);
  }

  #forward(table: Table): boolean {
    const { thinned, others } = this.#planOf(table.series);
    if (thinned.series.length === 0) return table.series.length === 0 || this.#next.consume(table);
    const rest = others.series.length === 0 ? undefined : selectColumns(table, others);
    const isAccepted = rest === undefined || this.#next.consume(rest);
    if (table.offsets.length === 0) return isAccepted;
    const part = rest === undefined ? table : selectColumns(table, thinned);
    const chosen = this.#groupOf(thinned.series).door.take(part);
    return (chosen === undefined || this.#next.consume(chosen)) && isAccepted;
  }

  #end(ended: readonly Series[], at: bigint): boolean {
    if (ended.length === 0) return true;
    this.#finish(ended.flatMap((series) => this.#groups.get(series) ?? []));
    return this.#next.consume(createEnding(ended, at));
  }

  #groupOf(series: readonly Series[]): Group {
    const [first] = series;
    const known = first && this.#groups.get(first);
    if (known?.series === series) return known;
    this.#finish(series.flatMap((one) => this.#groups.get(one) ?? []));
    const { error, heartbeat } = this.#config;
    const group = { series, door: new Door(series.length, { error, heartbeatNs: heartbeat * 1e6 }) };
    for (const one of series) this.#groups.set(one, group);
    return group;
  }

  /** Forwards what waits of some groups, and forgets them. */
  #finish(groups: readonly Group[]): void {
    for (const { series, door } of new Set(groups)) {
      const last = door.finish(series);
      if (last) this.#next.consume(last);
      for (const one of series) this.#groups.delete(one);
    }
  }
}
