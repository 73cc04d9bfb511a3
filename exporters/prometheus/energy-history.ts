import { meterNames } from '../../src/model/energy-names.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import { ATTR_ENERGY_METHOD, ATTR_HW_ID, ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import { resourceKey, type Series } from '../../src/model/series.js';
import { readValue, timeOf, type Table } from '../../src/model/table.js';
import { MeterCurve } from './meter-curve.js';

/** A ledger that is further behind its meter has stopped: then the meter's last reading is shown. */
const maxLagNs = 120e9;

/** What the last rows of a domain's ledger showed. Times are Unix times in nanoseconds. */
interface DomainLedger {
  /** The sum of its parts. */
  joules: number;
  /** The last row in which that changed: the end of the domain's last window. */
  settledNs: bigint;
  /** The last row. */
  rowNs: bigint;
}

interface MeterHistory {
  readonly domain: string;
  readonly curve: MeterCurve;
  /** The value on the last page. */
  shown: number;
}

interface Plan {
  /** The columns of the parts of each domain's ledger. */
  readonly ledgers: ReadonlyMap<string, readonly number[]>;
  readonly meters: readonly { readonly series: Series; readonly column: number }[];
}

/**
 * The readings of energy meters since the last window of their ledger. A reading arrives before the window that
 * it belongs to is settled. On a page the parts of the ledger must add up to the meter, so a meter is shown as
 * of the end of that window.
 */
export class EnergyHistory {
  readonly #ledgers = new Map<string, DomainLedger>();
  readonly #histories = new Map<Series, MeterHistory>();
  readonly #planOf = createPlans(planTable);

  take(table: Table): void {
    for (const _ of this.takeInSteps(table));
  }

  /** As `take`, in a step for each meter. */
  *takeInSteps(table: Table): Generator<void, void> {
    const { ledgers, meters } = this.#planOf(table.series);
    if (table.offsets.length > 0) {
      for (const [domain, columns] of ledgers) this.#settle(table, domain, columns);
      for (const { series, column } of meters) {
        this.#keep(table, series, column);
        yield;
      }
    }
    for (const series of table.ended ?? []) this.#histories.delete(series);
  }

  /**
   * The value of a meter at the end of its ledger's last window, from the same curve as the ledger; 0 if the
   * counter started after that.
   * @returns undefined for other series, without such a window, or without a reading before its end
   */
  findSettled(series: Series): number | undefined {
    const history = this.#histories.get(series);
    if (history === undefined) return undefined;
    const { curve, domain } = history;
    const ledger = this.#ledgers.get(domain);
    if (ledger === undefined || Number(curve.readNs - ledger.rowNs) > maxLagNs) return undefined;
    return series.start > ledger.settledNs ? 0 : curve.valueAt(ledger.settledNs);
  }

  /**
   * The value of a meter on a page: at the end of its ledger's last window, or without such a window its
   * current value. The shown counter never decreases: a ledger may start late, or continue after a stop.
   * @param joules the current value, or what is derived from it
   */
  show(series: Series, joules: number): number {
    const history = this.#histories.get(series);
    if (history === undefined || Number.isNaN(joules)) return joules;
    const settled = this.findSettled(series);
    const value = settled ?? joules;
    const isCounter = series.metric.kind === 'counter';
    history.shown = settled !== undefined && isCounter ? Math.max(history.shown, value) : value;
    return history.shown;
  }

  #settle(table: Table, domain: string, columns: readonly number[]): void {
    const ledger = findOrAdd(this.#ledgers, domain, () => {
      return { joules: NaN, settledNs: 0n, rowNs: 0n };
    });
    for (let row = 0; row < table.offsets.length; row++) {
      let joules = 0;
      for (const column of columns) joules += readValue(table, row, column);
      if (joules === ledger.joules) continue;
      ledger.joules = joules;
      ledger.settledNs = timeOf(table, row);
    }
    ledger.rowNs = timeOf(table, table.offsets.length - 1);
  }

  #keep(table: Table, series: Series, column: number): void {
    const { domain, curve } = findOrAdd(this.#histories, series, () => {
      return { domain: domainKey(series), curve: new MeterCurve(series, table.epoch), shown: 0 };
    });
    curve.take(table, column, this.#ledgers.get(domain)?.settledNs);
  }
}

function planTable(all: readonly Series[]): Plan {
  const ledgers = new Map<string, number[]>();
  const meters: Plan['meters'][number][] = [];
  // One pass, since a call for each of possibly 100,000 series would take longer.
  let column = 0;
  for (const series of all) {
    const { name } = series.metric;
    if (name === ledgerEnergy.name) findOrAdd(ledgers, domainKey(series), () => []).push(column);
    if (meterNames.has(name)) meters.push({ series, column });
    column++;
  }
  return { ledgers, meters };
}

/** The same for a meter and for its ledger. */
function domainKey({ resource, attributes }: Series): string {
  const { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: id, [ATTR_ENERGY_METHOD]: method } = attributes;
  return [resourceKey(resource), type, id, method].join('\n');
}
