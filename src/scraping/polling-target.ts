import type { HistogramTable } from '../model/histogram-table.js';
import type { Table } from '../model/table.js';

/** A source that answers requests: an HTTP server, or a device with a TCP or UDP protocol. */
export interface PollingTarget {
  /** For messages, unique in its receiver: `https://bmc-7`. */
  readonly name: string;
  /** If different from those of the receiver. */
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /**
   * Reads now. Not called again before the promise is settled. A long answer is returned as a generator that
   * yields one table per part, or nothing: other work may run at each yield. A step should take at most 2 ms.
   * @param signal aborted when the time limit is exceeded or the receiver shuts down: to be passed to blocking
   * calls
   * @returns tables whose rows have the instant of the reading (`context.clock.wallNs()`)
   * @throws Error whose message becomes a part of `Cannot read <name>: ...`. Tables yielded before are
   * published all the same
   */
  read(signal: AbortSignal): Promise<Iterable<Table | HistogramTable | undefined>>;
  /**
   * What to publish for a failed reading. By default, the first of several in a row is a gap: a row of NaN for
   * every series of the last good reading.
   */
  publishFailure?(error: unknown, at: bigint): readonly (Table | HistogramTable)[];
  /**
   * Ends every series, because the clock was stepped, the target is removed or the receiver shuts down; later
   * readings belong to new ones (`TableSet.restart`).
   */
  restart(at: bigint): readonly (Table | HistogramTable)[];
  /** The target is read at another interval from now on. */
  setInterval?(intervalMs: number): void;
  /** Called once, after the last reading. */
  close?(): void | Promise<void>;
}
