import type { ConsumingComponent, Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createSeriesFilter } from '../../src/component/series-filter.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { isHistogramKind, parseFunction } from './functions.js';
import { createHistogramRule } from './histograms.js';
import { OutputRows } from './output-rows.js';
import type { Rule } from './targets.js';
import { WindowedReadings, type ReadingOptions } from './windowed-readings.js';

/** Replaces the readings of some metrics by a row per window. */
export class Aggregation implements ConsumingComponent {
  readonly #options: ReadingOptions;
  readonly #others: Consumer;
  #readings: WindowedReadings;

  constructor(config: Config, { host, log }: Context, next: Consumer) {
    const rules = new Map(config.aggregations.flatMap(listRules));
    this.#others = config.keep_original
      ? next
      : createSeriesFilter(({ metric }) => !rules.has(metric.name), next);
    let hasWarned = false;
    this.#options = {
      rules,
      host,
      intervalNs: Math.round(config.interval * 1e6),
      lagNs: config.max_lag * 1e6,
      maxReadings: config.max_readings,
      rows: new OutputRows(next),
      onLate() {
        if (hasWarned) return;
        hasWarned = true;
        log.warn(
          `Cannot aggregate a reading: expected it at most ${config.max_lag} ms after those of other series, found it after its window was forwarded; it is ignored, as are further late readings; increase max_lag`,
        );
      },
    };
    this.#readings = new WindowedReadings(this.#options);
  }

  start(): void {}

  consume(table: Table): boolean {
    const isAccepted = this.#others.consume(table);
    const { ended = [], series } = table;
    const columns = new Set(ended.length > 0 ? series : []);
    // A series that a new one replaces ends before that one starts; a series with a last row in this table ends
    // after it.
    for (const one of ended) if (!columns.has(one)) this.#readings.end(one);
    if (this.#readings.areAhead(table)) this.#restart();
    this.#readings.read(table);
    for (const one of ended) if (columns.has(one)) this.#readings.end(one);
    this.#readings.forwardEnded();
    return isAccepted;
  }

  shutdown(): void {
    this.#restart();
  }

  /** Forwards all windows as they are. After the clock was set back, earlier windows start. */
  #restart(): void {
    this.#readings.finish();
    this.#readings = new WindowedReadings(this.#options);
  }
}

function listRules({
  metrics,
  functions,
  group_by: groupBy,
  bounds,
}: Config['aggregations'][number]): readonly (readonly [string, Rule])[] {
  const histograms = functions
    .filter((text) => isHistogramKind(text))
    .map((kind) => createHistogramRule(kind, bounds));
  const rule = { functions: functions.flatMap((text) => parseFunction(text) ?? []), histograms, groupBy };
  return metrics.map((name) => [name, rule]);
}
