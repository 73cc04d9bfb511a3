import type { Series } from '../model/series.js';
import type { Consumer } from './consumer.js';
import type { Log } from './log.js';

/**
 * A fixed set of series read together on a sampling thread. A module that exports `openSampler` is loaded in
 * that thread; its columns become series on the main thread.
 */
export interface Sampler {
  /** Number of values per reading. Changes only together with `generation`. */
  readonly width: number;
  /** Describes the columns, in order, to the receiver on the main thread. Plain data that can be cloned. */
  readonly columns: unknown;
  /**
   * Changes exactly when the following rows belong to new series: the set of columns changed, or a counter was
   * reset. The next row then counts from 0, except in columns that continue.
   */
  readonly generation: number;
  /**
   * One number per column, if columns can outlive a change of `generation`: the earlier column with the same
   * number continues, with its series and count. Otherwise every column gets a new series.
   */
  readonly columnIds?: readonly number[] | undefined;
  /**
   * Reads once and writes `width` values in SI units from `values[at]` on. NaN: no reading. Counters are
   * cumulative from the first reading of their generation, which is 0. Called once per tick; must not allocate.
   * @throws Error when the source is gone: the sampler is closed and opened again later, with new series
   */
  read(values: Float64Array, at: number): void;
  /**
   * Replaces the options that it was opened with, between ticks. May change `generation`. Without this method,
   * options hold until the sampler is opened again.
   */
  update?(options: unknown): void;
  /** Slow work between ticks, once per flush, such as looking for hotplug. May change `generation`. */
  maintain?(): void;
  close(): void;
}

/**
 * What a sampler's module exports as `openSampler`. Its options are those that its own receiver passes.
 * @throws UnavailableError when the source does not exist or is not readable
 */
export type OpenSampler<Options = unknown> = (options: Options) => Sampler;

export interface SamplerRequest {
  /** The receiver's id, for logs and the collector's own telemetry. */
  readonly id: string;
  /** The module that exports `openSampler`. */
  readonly module: URL;
  /** Passed to `openSampler`. Plain data that can be cloned. */
  readonly options: unknown;
  /** Time between two readings, in nanoseconds; at least 20,000 (50 kHz). */
  readonly periodNs: number;
  /** Time between two tables, in milliseconds. */
  readonly flushMs: number;
  /** For a source that can block for milliseconds: a thread of its own. */
  readonly ownThread?: boolean;
  /**
   * Creates the series of a sampler's columns. Called before the first row and at every new generation; series
   * returned for columns that continue are discarded.
   * @param columns the sampler's description of its columns
   * @param start Unix time in nanoseconds of the first row of these series, at which counters are 0
   */
  describe(columns: unknown, start: bigint): readonly Series[];
  readonly next: Consumer;
  readonly log: Log;
}

export interface RunningSampler {
  /** Takes a last reading, forwards every row, and closes the sampler. May be called twice. */
  stop(): Promise<void>;
  /** Takes a reading now and forwards every row, including this one. */
  flush(): Promise<void>;
  /**
   * Gives the sampler other options, which also hold when it is opened again. A reading is taken before, and
   * another one after if its columns changed, so that series end with their last values and start immediately.
   */
  update(options: unknown): Promise<void>;
  /** Takes a last reading and none until `resume` except those of `flush`, and forwards a gap. Its series stay. */
  pause(): Promise<void>;
  /** Reads now and at every tick from then on. */
  resume(): Promise<void>;
  /** Reads with another period from now on. @throws RangeError when it is too short */
  setPeriod(periodNs: number): Promise<void>;
  /**
   * When the last rows arrived, on the clock of `performance.now()`; while the sampler is being reopened after
   * a failure, the current time.
   */
  readonly lastSignMs: number;
  /** Whether it was closed after a failure, and is being reopened. */
  readonly isFailing: boolean;
}

/** The sampling threads of this collector. Each starts with its first sampler and ends with its last. */
export interface Sampling {
  /**
   * Opens a sampler on a sampling thread and keeps it running: a read that fails closes it, and it is reopened
   * with back-off.
   * @throws UnavailableError when it cannot be opened the first time
   */
  start(request: SamplerRequest): Promise<RunningSampler>;
  /** Starts the thread that samplers share, so that the first sampler need not wait for it. */
  prepare?(): void;
  /** Stops every sampler and ends every thread. */
  shutdown(): Promise<void>;
}
