import type { Series } from '../model/series.js';
import type { Consumer } from './consumer.js';
import type { Log } from './log.js';

/**
 * A fixed set of series read together, on a sampling thread. A module that exports `openSampler` is loaded in
 * that thread; its columns become series on the main thread.
 */
export interface Sampler {
  /** How many values one reading has. Changes only together with `generation`. */
  readonly width: number;
  /** Describes the columns, in order, to the receiver on the main thread. Plain data that can be cloned. */
  readonly columns: unknown;
  /**
   * Differs from its last value exactly when the rows from now on belong to new series: the set of columns
   * changed, or a counter was reset. The next row then counts from 0, except in columns that continue.
   */
  readonly generation: number;
  /**
   * One number per column, where columns can outlive a change of `generation`: the column before that has the
   * same number continues, and with it its series and its count. Otherwise every column gets a new series.
   */
  readonly columnIds?: readonly number[] | undefined;
  /**
   * Reads once and writes `width` values in SI units from `values[at]` on. NaN: no reading. Counters are
   * cumulative from the first reading of their generation, which is 0. Called once a tick; allocates nothing.
   * @throws Error when the source is gone: the sampler is closed and opened again later, as new series
   */
  read(values: Float64Array, at: number): void;
  /**
   * Takes other options of its receiver, between ticks: those that it was opened with have changed. May change
   * `generation`. Without it, options hold until the sampler is opened again.
   */
  update?(options: unknown): void;
  /** Slow work between ticks, once a flush: looks for hotplug and the like. May change `generation`. */
  maintain?(): void;
  close(): void;
}

/**
 * What a sampler's module exports as `openSampler`. Its options are those that its own receiver passes.
 * @throws UnavailableError when the source is not here or may not be read
 */
export type OpenSampler<Options = unknown> = (options: Options) => Sampler;

export interface SamplerRequest {
  /** The receiver's id, for logs and the collector's own telemetry. */
  readonly id: string;
  /** The module that exports `openSampler`. */
  readonly module: URL;
  /** Handed to `openSampler`. Plain data that can be cloned. */
  readonly options: unknown;
  /** Time between two readings, in nanoseconds; 20,000 at least (50 kHz). */
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
  /** Takes a last reading, forwards every row that was read, and closes the sampler. Safe to call twice. */
  stop(): Promise<void>;
  /** Takes a reading now and forwards every row that was read, this one included. */
  flush(): Promise<void>;
  /**
   * Gives the sampler other options, which also hold when it is opened again. A reading is taken before, and another
   * one after where its columns changed, so that series end with their last values and start at once.
   */
  update(options: unknown): Promise<void>;
  /** Takes a last reading and no other until `resume`, but those of `flush`, and forwards a gap. Its series stay. */
  pause(): Promise<void>;
  /** Reads at once and at every tick from then on. */
  resume(): Promise<void>;
  /** Reads with another period from now on. @throws RangeError when it is too short */
  setPeriod(periodNs: number): Promise<void>;
  /** When the last rows came, on the clock of `performance.now()`; while it is tried again after a failure, up to now. */
  readonly lastSignMs: number;
  /** Whether it was closed after a failure, and is opened again. */
  readonly isFailing: boolean;
}

/** The sampling threads of this collector. Threads begin with their first sampler and end with their last. */
export interface Sampling {
  /**
   * Opens a sampler on a sampling thread and keeps it running: a read that fails closes it, and it is opened
   * again with back-off.
   * @throws UnavailableError when it cannot be opened the first time
   */
  start(request: SamplerRequest): Promise<RunningSampler>;
  /** Begins the thread that samplers share, so that the first of them does not wait for it. */
  prepare?(): void;
  /** Stops every sampler and ends every thread. */
  shutdown(): Promise<void>;
}
