import type { ConsumingComponent } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Series } from '../model/series.js';
import { createEnding, createRow, timeOf, type Table } from '../model/table.js';
import type { RateSource } from './rate-source.js';
import { RatedEnergy, type Rating } from './rated-energy.js';

/** What is published about the rates themselves. */
export interface RateStatus {
  readonly series: readonly Series[];
  /**
   * Replaces series whose attributes have changed. @returns those that it replaced
   * @param at Unix time in nanoseconds
   */
  replaceChanged(at: bigint): readonly Series[];
  /** @param at Unix time in nanoseconds */
  read(at: bigint): Float64Array;
}

export interface RatedProcessorOptions {
  readonly ratings: readonly Rating[];
  readonly sources: readonly RateSource[];
  readonly next: Consumer;
  /** Called for the first table. @param at its Unix time, in nanoseconds */
  createStatus(at: bigint): RateStatus;
}

/** Minimum time between rows about the rates. */
const statusNs = 1_000_000_000n;

/** A processor that forwards every table and adds one with the energy multiplied by rates. */
export function createRatedProcessor(options: RatedProcessorOptions): ConsumingComponent {
  const { sources, next } = options;
  const rated = options.ratings.map((rating) => new RatedEnergy(rating));
  let status: RateStatus | undefined;
  let statusAt = 0n;

  function forwardStatus(table: Table): void {
    if (table.offsets.length === 0) return;
    const at = timeOf(table, table.offsets.length - 1);
    if (status !== undefined && at < statusAt + statusNs) return;
    status ??= options.createStatus(at);
    statusAt = at;
    const ended = status.replaceChanged(at);
    if (ended.length > 0) next.consume(createEnding(ended, at));
    if (status.series.length > 0) next.consume(createRow(status.series, at, status.read(at)));
  }

  return {
    async start() {
      for (const source of sources) await source.start();
    },
    consume(table) {
      const isAccepted = next.consume(table);
      let hasRated = false;
      for (const one of rated) {
        const added = one.apply(table);
        if (added === undefined) continue;
        hasRated = true;
        // Refused values are contained in the next table, since counters are cumulative.
        next.consume(added);
      }
      if (hasRated) forwardStatus(table);
      return isAccepted;
    },
    shutdown() {
      for (const source of sources) source.close();
    },
  };
}
