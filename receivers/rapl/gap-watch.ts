import type { Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/** By column, 1 or 0. */
interface Columns {
  /** Whether the table at hand has a reading. */
  readonly isRead: Uint8Array;
  /** Whether the last table had none. */
  readonly isFailing: Uint8Array;
}

/** Says why a series has no reading now: `EIO`. */
export type ExplainGap = (series: Series) => string;

/** Counts readings that failed, and logs when a domain begins and ceases to fail for whole tables. */
export function watchGaps(context: Context, next: Consumer, explain: ExplainGap): Consumer {
  const counter = context.meter.createCounter('joulemetry.rapl.gaps', {
    unit: '{reading}',
    description: 'Readings of an energy counter that failed: gaps in its series',
  });
  const planColumns = createPlans((series: readonly Series[]): Columns => {
    return { isRead: new Uint8Array(series.length), isFailing: new Uint8Array(series.length) };
  });
  return {
    consume(table) {
      const columns = planColumns(table.series);
      const gaps = findGaps(table, columns.isRead);
      if (gaps > 0) counter.add(gaps, { receiver: context.id });
      if (table.values.length > 0) logChanges(table.series, columns, { log: context.log, explain });
      return next.consume(table);
    },
  };
}

/** Marks the columns that have a reading and counts the values that are none. */
function findGaps({ series, values }: Table, isRead: Uint8Array): number {
  let gaps = 0;
  let column = 0;
  isRead.fill(0);
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) gaps++;
    else isRead[column] = 1;
    if (++column === series.length) column = 0;
  }
  return gaps;
}

function logChanges(
  series: readonly Series[],
  { isRead, isFailing }: Columns,
  { log, explain }: { readonly log: Log; readonly explain: ExplainGap },
): void {
  for (let column = 0; column < series.length; column++) {
    const fails = 1 - isRead[column];
    if (fails === isFailing[column]) continue;
    isFailing[column] = fails;
    const domain = series[column].attributes['hw.id'];
    if (fails === 1)
      log.warn(
        `Cannot read the energy of ${domain}: ${explain(series[column])}; trying again at every reading`,
      );
    else log.info(`The energy of ${domain} is read again`);
  }
}
