import type { Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import type { Series } from '../model/series.js';

export interface SamplerRequest {
  /** The receiver's id, for logs and the collector's own telemetry. */
  readonly id: string;
  /** The module that exports `openSampler`. */
  readonly module: URL;
  /** Handed to `openSampler`. Plain data that can be cloned. */
  readonly options: unknown;
  /** Time between two readings, in nanoseconds; 20,000 at the least (50 kHz). */
  readonly periodNs: number;
  /** Time between two tables, in milliseconds. */
  readonly flushMs: number;
  /** A source that can block for milliseconds gets a thread of its own. */
  readonly ownThread?: boolean;
  /**
   * Makes the series of a sampler's columns. Called before the first row and at every new generation; those of
   * columns that go on are put aside for the ones that they have.
   * @param columns what the sampler said of its columns
   * @param start Unix time in nanoseconds of the first row of these series, at which counters are 0
   */
  describe(columns: unknown, start: bigint): readonly Series[];
  readonly next: Consumer;
  readonly log: Log;
}

export interface RunningSampler {
  /** Takes a last reading, hands on every row that was read, and closes the sampler. Safe to call twice. */
  stop(): Promise<void>;
  /** Takes a reading now and hands on every row that was read, this one included. */
  flush(): Promise<void>;
}

/** The sampling threads of this collector. Threads begin with their first sampler and end with their last. */
export interface Sampling {
  /**
   * Opens a sampler on a sampling thread and keeps it running: a read that fails closes it, and it is opened
   * again with back-off.
   * @throws UnavailableError when it cannot be opened the first time
   */
  start(request: SamplerRequest): Promise<RunningSampler>;
  /** Stops every sampler and ends every thread. */
  shutdown(): Promise<void>;
}
