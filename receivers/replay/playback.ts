import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { ReceiverContext } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import type { Clock } from '../../src/linux/clock.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import { createPlans } from '../../src/model/plan.js';
import type { HistogramSeries, Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { isHistograms, type RecordedTable } from '../../src/recording/recorded-table.js';
import type { Config } from './config.js';

/** Maximum time without yielding to other work. */
const yieldAfterMs = 5;
/**
 * Maximum fill level of downstream queues. A refused table cannot be offered again, since other pipelines have
 * accepted it.
 */
const maxBacklog = 0.5;
/** How long to wait before checking again whether they have room. */
const retryMs = 20;
/** Node replaces a longer timeout (24 days) by 1 ms. */
const maxWaitMs = 2 ** 31 - 1;

/** Forwards tables when they are due. */
export class Playback {
  readonly #config: Pick<Config, 'speed' | 'times'>;
  readonly #clock: Clock;
  readonly #readBacklog: () => number;
  readonly #next: Consumer;
  readonly #signal: AbortSignal;
  #first: { readonly tableNs: bigint; readonly monotonicNs: bigint } | undefined;
  #shift: Shift = { numbers: (table) => table, histograms: (table) => table };
  #yieldedMs = performance.now();

  /** @param signal ends all waiting */
  constructor(
    config: Pick<Config, 'speed' | 'times'>,
    { clock, readBacklog = () => 0 }: Pick<ReceiverContext, 'clock' | 'readBacklog'>,
    { next, signal }: { readonly next: Consumer; readonly signal: AbortSignal },
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#readBacklog = readBacklog;
    this.#next = next;
    this.#signal = signal;
  }

  /**
   * Forwards a table when it is due and the exporters have room.
   * @returns whether it was accepted
   */
  async play(table: RecordedTable): Promise<boolean> {
    const atNs = table.epoch + BigInt(table.offsets.reduce((latest, one) => Math.max(latest, one), 0));
    const first = (this.#first ??= this.#begin(table.epoch));
    if (this.#config.speed > 0) await this.#waitFor(first, atNs);
    else await this.#letOthersRun();
    while (this.#readBacklog() > maxBacklog && !this.#signal.aborted) await this.#wait(retryMs);
    return !this.#signal.aborted && this.#forward(table);
  }

  #forward(table: RecordedTable): boolean {
    if (isHistograms(table)) return passHistograms(this.#next, this.#shift.histograms(table));
    return this.#next.consume(this.#shift.numbers(table));
  }

  #begin(tableNs: bigint) {
    const { wallNs, monotonicNs } = { wallNs: this.#clock.wallNs(), monotonicNs: this.#clock.monotonicNs() };
    if (this.#config.times === 'now') this.#shift = createShift(wallNs - tableNs);
    return { tableNs, monotonicNs };
  }

  async #waitFor(
    { tableNs, monotonicNs }: { readonly tableNs: bigint; readonly monotonicNs: bigint },
    atNs: bigint,
  ): Promise<void> {
    const dueNs = Number(atNs - tableNs) / this.#config.speed;
    const waitMs = (dueNs - Number(this.#clock.monotonicNs() - monotonicNs)) / 1e6;
    if (waitMs > 0) await this.#wait(waitMs);
    else await this.#letOthersRun();
  }

  async #letOthersRun(): Promise<void> {
    if (performance.now() - this.#yieldedMs < yieldAfterMs) return;
    await setImmediate();
    this.#yieldedMs = performance.now();
  }

  async #wait(ms: number): Promise<void> {
    await sleep(Math.min(ms, maxWaitMs), undefined, { signal: this.#signal }).catch(() => undefined);
    this.#yieldedMs = performance.now();
  }
}

/** Changes to tables before they are forwarded. */
interface Shift {
  numbers(table: Table): Table;
  histograms(table: HistogramTable): HistogramTable;
}

/** Shifts tables and the starts of their series by this many nanoseconds. */
function createShift(byNs: bigint): Shift {
  // 0: the file has no start.
  const shiftStart = (start: bigint) => (start === 0n ? 0n : start + byNs);
  const shiftOne = createPlans((one: Series): Series => ({ ...one, start: shiftStart(one.start) }));
  const shiftHistogram = createPlans((one: HistogramSeries): HistogramSeries => ({
    ...one,
    start: shiftStart(one.start),
  }));
  const shiftAll = createPlans((series: readonly Series[]) => series.map(shiftOne));
  const shiftHistograms = createPlans((series: readonly HistogramSeries[]) => series.map(shiftHistogram));
  return {
    numbers: ({ series, epoch, offsets, values, ended }) => ({
      series: shiftAll(series),
      epoch: epoch + byNs,
      offsets,
      values,
      ...(ended && { ended: ended.map(shiftOne) }),
    }),
    histograms: ({ ended, ...table }) => ({
      ...table,
      series: shiftHistograms(table.series),
      epoch: table.epoch + byNs,
      ...(ended && { ended: ended.map(shiftHistogram) }),
    }),
  };
}
