import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Clock } from '../../src/linux/clock.js';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';

/** How long the main thread is held without letting others run. */
const yieldAfterMs = 5;
/** How full queues behind the replay may be. What is refused cannot be offered again: other pipelines have taken it. */
const maxBacklog = 0.5;
/** How long to wait before looking whether they have room again. */
const retryMs = 20;
/** Node takes a longer wait (24 days) for one of a millisecond. */
const maxWaitMs = 2 ** 31 - 1;

/** Forwards tables when their time has come. */
export class Playback {
  readonly #config: Pick<Config, 'speed' | 'times'>;
  readonly #clock: Clock;
  readonly #readBacklog: () => number;
  readonly #next: Consumer;
  readonly #signal: AbortSignal;
  #first: { readonly tableNs: bigint; readonly monotonicNs: bigint } | undefined;
  #shift: (table: Table) => Table = (table) => table;
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
   * Forwards a table when its time has come and the exporters have room.
   * @returns whether it was taken
   */
  async play(table: Table): Promise<boolean> {
    const atNs = table.epoch + BigInt(table.offsets.at(-1) ?? 0);
    const first = (this.#first ??= this.#begin(table.epoch));
    if (this.#config.speed > 0) await this.#waitFor(first, atNs);
    else await this.#letOthersRun();
    while (this.#readBacklog() > maxBacklog && !this.#signal.aborted) await this.#wait(retryMs);
    return !this.#signal.aborted && this.#next.consume(this.#shift(table));
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

/** Moves tables and the beginnings of their series by this many nanoseconds. */
function createShift(byNs: bigint): (table: Table) => Table {
  const shiftOne = createPlans((series: Series): Series => ({
    ...series,
    // 0: the file does not say it.
    start: series.start === 0n ? 0n : series.start + byNs,
  }));
  const shiftAll = createPlans((series: readonly Series[]): readonly Series[] => series.map(shiftOne));
  return ({ series, epoch, offsets, values, ended }) => ({
    series: shiftAll(series),
    epoch: epoch + byNs,
    offsets,
    values,
    ...(ended && { ended: ended.map(shiftOne) }),
  });
}
