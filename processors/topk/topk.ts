import type { ConsumingComponent } from '../../src/component/component.js';
import type { Log } from '../../src/component/log.js';
import { SeriesMap } from '../../src/model/map-series.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { Groups, type Group } from './groups.js';
import { Other } from './other.js';

export interface TopKOptions {
  readonly log: Log;
  forward(table: Table): boolean;
}

/** If series of groups arrive for this long without one of the ranking metric, a warning is logged. */
const patienceNs = 60_000_000_000n;

/**
 * Forwards the series of the groups with the highest usage; those of the others are summed. When a group gains
 * or loses its place, its counters end in one form and start in the other: what was counted is not moved, so
 * that no sum decreases.
 */
export class TopK implements ConsumingComponent {
  readonly #config: Config;
  readonly #options: TopKOptions;
  readonly #groups: Groups;
  readonly #other: Other;
  readonly #map: SeriesMap;
  /** Unix time in nanoseconds of the first table. */
  #firstAt: bigint | undefined;
  /** Whether the ranking metric may still arrive. */
  #isWaiting = true;

  constructor(config: Config, options: TopKOptions) {
    this.#config = config;
    this.#options = options;
    this.#groups = new Groups(config);
    this.#other = new Other(config);
    const summed = new Set(config.sum_gauges);
    this.#map = new SeriesMap({
      map: (series, movedAt) => this.#replace(series, movedAt),
      reductionOf: (mapped) => {
        const { kind, name } = mapped.metric;
        if (kind !== 'gauge' || !this.#other.has(mapped)) return undefined;
        return summed.has(name) ? 'sum' : 'none';
      },
      isKept: (mapped) => mapped.metric.kind === 'counter' && this.#other.has(mapped),
      onConflict() {},
    });
  }

  start(): void {}

  consume(table: Table): boolean {
    const isEnded = this.#move(this.#groups.rank(table), table.epoch);
    const mapped = this.#map.apply(table);
    for (const series of table.ended ?? []) this.#groups.remove(series);
    if (this.#isWaiting) this.#missMetric(table.epoch);
    const isAccepted = mapped === undefined || this.#options.forward(mapped);
    return isAccepted && isEnded;
  }

  shutdown(): void {}

  #replace(series: Series, movedAt: bigint | undefined): Series {
    const group = this.#groups.find(series);
    if (group === undefined) return series;
    group.members.add(series);
    if (!group.isShown) return this.#other.replace(series, movedAt ?? series.start);
    return movedAt === undefined ? series : { ...series, start: movedAt };
  }

  #move(groups: readonly Group[], at: bigint): boolean {
    if (groups.length === 0) return true;
    const ended = this.#map.move(groups.flatMap(({ members }) => [...members]));
    return ended.length === 0 || this.#options.forward(createEnding(ended, at));
  }

  /** Logs once that nothing ranks the groups. */
  #missMetric(at: bigint): void {
    this.#firstAt ??= at;
    this.#isWaiting = !this.#groups.hasRanked;
    if (!this.#isWaiting || at - this.#firstAt < patienceNs) return;
    this.#isWaiting = false;
    const { metric, group_by: groupBy } = this.#config;
    this.#options.log.warn(
      `Cannot rank groups: expected the metric "${metric}" with ${groupBy.join(' or ')}, found none in a minute; every group counts as "other"`,
    );
  }
}
