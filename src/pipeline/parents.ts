import { passHistograms, type Consumer } from '../component/consumer.js';
import { raplEnergy } from '../model/energy-domain.js';
import type { HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import { ATTR_HW_ID, ATTR_HW_PARENT } from '../model/semantic-conventions.js';
import { inheritPublisher, type Series } from '../model/series.js';
import { hwEnergy, hwPower, meterEnergy } from '../model/shared-metrics.js';
import { countPoints, type Table } from '../model/table.js';
import type { ClaimRegistry } from './claims.js';

/** Metrics of domains that may be part of another one. */
const partNames: ReadonlySet<string> = new Set(
  [hwEnergy, meterEnergy, raplEnergy, hwPower].map(({ name }) => name),
);

/**
 * Limit of points held until every receiver has started: some minutes of a meter at 10 kHz. 8 bytes each, plus
 * the series.
 */
const maxHeldPoints = 2_000_000;

/** Whether series of a metric get a parent. */
export function hasParent({ name }: { readonly name: string }): boolean {
  return partNames.has(name);
}

/**
 * Sets `hw.parent` on series of meters that another meter contains, of whichever receiver. The parent of an
 * `hw.id` is decided when it first appears, and never changes: a counter must not be split. Therefore nothing
 * is forwarded until every receiver has started and it is known what each measures.
 */
export class NamedParents implements Consumer {
  readonly #claims: Pick<ClaimRegistry, 'isComplete' | 'parentOf' | 'whenComplete'>;
  readonly #next: Consumer;
  readonly #nameOf = createPlans((series: Series) => this.#name(series));
  readonly #planOf = createPlans((series: readonly Series[]) => {
    const named = series.map((one) => this.#nameOf(one));
    return named.every((one, i) => one === series[i]) ? series : named;
  });
  /** By `hw.id`; undefined: no parent. */
  readonly #parents = new Map<string, string | undefined>();
  readonly #maxPoints: number;
  #held: (() => void)[] = [];
  #heldPoints = 0;

  /** @param maxPoints maximum number of held points; further ones are refused */
  constructor(
    claims: Pick<ClaimRegistry, 'isComplete' | 'parentOf' | 'whenComplete'>,
    next: Consumer,
    maxPoints = maxHeldPoints,
  ) {
    this.#claims = claims;
    this.#next = next;
    this.#maxPoints = maxPoints;
  }

  consume(table: Table): boolean {
    if (this.#claims.isComplete) return this.#forward(table);
    const points = countPoints(table);
    // Tables that end series are always held: they have no points.
    if (points > 0 && this.#heldPoints + points > this.#maxPoints) return false;
    // Happens each time receivers start, also after a configuration change.
    if (this.#held.length === 0) this.#claims.whenComplete(() => this.release());
    this.#heldPoints += points;
    this.#held.push(() => this.#forward(table));
    return true;
  }

  consumeHistograms(table: HistogramTable): boolean {
    return passHistograms(this.#next, table);
  }

  #forward(table: Table): boolean {
    const series = this.#planOf(table.series);
    const ended = table.ended?.map((one) => this.#nameOf(one));
    if (series === table.series && ended === undefined) return this.#next.consume(table);
    return this.#next.consume({ ...table, series, ...(ended && { ended }) });
  }

  /** Forwards held tables, with the parents known now. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldPoints = 0;
    for (const forward of held) forward();
  }

  #name(series: Series): Series {
    const { metric, attributes } = series;
    if (!hasParent(metric)) return series;
    const parent = this.#parentOf(String(attributes[ATTR_HW_ID]));
    if (parent === undefined || parent === attributes[ATTR_HW_PARENT]) return series;
    const named = { ...series, attributes: { ...attributes, [ATTR_HW_PARENT]: parent } };
    inheritPublisher(named, series);
    return named;
  }

  #parentOf(id: string): string | undefined {
    if (!this.#parents.has(id)) this.#parents.set(id, this.#claims.parentOf(id));
    return this.#parents.get(id);
  }
}
