import type { Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/** The columns that had no reading in the last row. */
type Gaps = Uint8Array;

/** Counts readings that failed, and says when a domain begins and ceases to fail. */
export function watchGaps(context: Context, next: Consumer): Consumer {
  const counter = context.meter.createCounter('joulemetry.rapl.gaps', {
    unit: '{reading}',
    description: 'Readings of a counter that failed: gaps in its series',
  });
  const planGaps = createPlans((series: readonly Series[]): Gaps => new Uint8Array(series.length));
  return {
    consume(table) {
      const failed = countGaps(table.values);
      if (failed > 0) counter.add(failed, { receiver: context.id });
      logChanges(table, planGaps(table.series), context);
      return next.consume(table);
    },
  };
}

function countGaps(values: Float64Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) count++;
  return count;
}

function logChanges({ series, values }: Table, gaps: Gaps, { log }: Context): void {
  if (values.length === 0) return;
  const last = values.length - series.length;
  for (let column = 0; column < series.length; column++) {
    const isGap = Number(Number.isNaN(values[last + column]));
    if (isGap === gaps[column]) continue;
    gaps[column] = isGap;
    const domain = series[column]?.attributes['hw.id'];
    if (isGap === 1) log.warn(`Cannot read the energy of ${domain}: no reading, tried again at every tick`);
    else log.info(`The energy of ${domain} is read again`);
  }
}
