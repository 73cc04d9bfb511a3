import { elementAt } from '../../src/element.js';
import { interpolate } from '../../src/energy/knots.js';
import { meterNames } from '../../src/model/energy-names.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import { createPlans } from '../../src/model/plan.js';
import { ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { readValue, timeOf, type Table } from '../../src/model/table.js';

/** A ledger that is further behind its meter has stopped: then the meter's last reading is shown. */
const maxLagNs = 120e9;

/** Maximum tables kept for a meter until the first window of a ledger. */
const maxUnsettled = 16;

/** The newest tables of a meter, oldest first. */
interface MeterHistory {
  readonly type: string;
  readonly tables: Table[];
  readonly column: number;
  /** The value on the last page. */
  shown: number;
}

interface Plan {
  /** The hardware type whose ledger the table contains. */
  readonly ledgerType: string | undefined;
  readonly meters: readonly { readonly series: Series; readonly type: string; readonly column: number }[];
}

/**
 * The readings of energy meters since the last window of the ledger. A reading arrives before the window that
 * it belongs to is settled. On a page the parts of the ledger must add up to the meter, so a meter is shown as
 * of the end of that window.
 */
export class EnergyHistory {
  /** Unix time in nanoseconds of the end of the last window, by hardware type. */
  readonly #settledNs = new Map<string, bigint>();
  readonly #histories = new Map<Series, MeterHistory>();
  readonly #planOf = createPlans(planTable);

  take(table: Table): void {
    const { ledgerType, meters } = this.#planOf(table.series);
    const last = table.offsets.length - 1;
    if (last >= 0) {
      if (ledgerType !== undefined) {
        this.#settledNs.set(ledgerType, timeOf(table, last));
      }
      for (const { series, type, column } of meters) this.#keep(table, { series, type, column });
    }
    for (const series of table.ended ?? []) this.#histories.delete(series);
  }

  /**
   * The value of a meter at the end of its ledger's last window, interpolated between two readings.
   * @returns undefined for other series, without such a window, or without a reading before its end
   */
  findSettled(series: Series): number | undefined {
    const history = this.#histories.get(series);
    const atNs = history && this.#findBoundary(history);
    return history === undefined || atNs === undefined ? undefined : findValueAt(history, atNs);
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

  #keep(table: Table, { series, type, column }: Plan['meters'][number]): void {
    let history = this.#histories.get(series);
    if (history?.column !== column) {
      history = { type, tables: [], column, shown: history?.shown ?? 0 };
      this.#histories.set(series, history);
    }
    const { tables } = history;
    tables.push(table);
    const atNs = this.#findBoundary(history);
    const isPassed = () =>
      atNs === undefined ? tables.length > maxUnsettled : timeAfter(atNs, elementAt(tables, 1), 0) <= 0;
    while (tables.length > 1 && isPassed()) tables.shift();
  }

  #findBoundary({ type, tables }: MeterHistory): bigint | undefined {
    const atNs = this.#settledNs.get(type);
    const newest = tables.at(-1);
    if (atNs === undefined || newest === undefined) return undefined;
    return timeAfter(atNs, newest, newest.offsets.length - 1) > maxLagNs ? undefined : atNs;
  }
}

function planTable(all: readonly Series[]): Plan {
  let ledgerType: string | undefined;
  const meters: Plan['meters'][number][] = [];
  // One pass, since a call for each of possibly 100,000 series would take longer.
  let column = 0;
  for (const series of all) {
    const { name } = series.metric;
    if (name === ledgerEnergy.name) ledgerType ??= typeOf(series);
    if (meterNames.has(name)) meters.push({ series, type: typeOf(series), column });
    column++;
  }
  return { ledgerType, meters };
}

function typeOf({ attributes }: Series): string {
  return String(attributes[ATTR_HW_TYPE]);
}

function timeAfter(atNs: bigint, table: Table, row: number): number {
  return Number(timeOf(table, row) - atNs);
}

function findValueAt({ tables, column }: MeterHistory, atNs: bigint): number | undefined {
  let later: { readonly ns: number; readonly value: number } | undefined;
  for (const table of tables.toReversed()) {
    for (let row = table.offsets.length - 1; row >= 0; row--) {
      const ns = timeAfter(atNs, table, row);
      const value = readValue(table, row, column);
      if (Number.isNaN(value)) continue;
      if (ns <= 0) return later ? interpolate(value, later.value, -ns / (later.ns - ns)) : value;
      later = { ns, value };
    }
  }
  return undefined;
}
