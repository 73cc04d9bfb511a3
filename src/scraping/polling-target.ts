import type { HistogramTable } from '../model/histogram-table.js';
import type { Table } from '../model/table.js';

/** A source that answers requests: an HTTP server, a device with a TCP or UDP protocol. */
export interface PollingTarget {
  /** For messages, unique in its receiver: `https://bmc-7`. */
  readonly name: string;
  /** Where they differ from those of the receiver. */
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /**
   * Asks now. Never called again before the promise is settled. A long answer becomes a generator that gives one table
   * per part, or nothing after other work: other work runs in between. Each step is to take at most 2 ms.
   * @param signal aborted when the time is over or the receiver shuts down: to be passed to what waits
   * @returns tables whose rows have the instant of the reading (`context.clock.wallNs()`)
   * @throws Error whose message becomes a part of `Cannot read <name>: ...`. What was given before is published all the same
   */
  read(signal: AbortSignal): Promise<Iterable<Table | HistogramTable | undefined>>;
  /**
   * What to publish for a reading that gave nothing. Without it, the first of several in a row is a gap: a row of NaN
   * for every series of the last good reading.
   */
  publishFailure?(error: unknown, at: bigint): readonly (Table | HistogramTable)[];
  /**
   * Ends every series, because the clock was stepped, the target is removed or the receiver shuts down; what is read
   * from now on belongs to new ones (`TableSet.restart`).
   */
  restart(at: bigint): readonly (Table | HistogramTable)[];
  /** It is read at another interval from now on. */
  setInterval?(intervalMs: number): void;
  /** Called once, when nothing is read any more. */
  close?(): void | Promise<void>;
}
