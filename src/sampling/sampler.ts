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
   * changed, or a counter began anew. The next row then counts from 0, but for columns that go on.
   */
  readonly generation: number;
  /**
   * One number per column, where columns can outlive a generation: the column of the generation before that has the
   * same number goes on, and with it its series and its count. Otherwise all begin anew.
   */
  readonly lives?: readonly number[];
  /**
   * Reads once and writes `width` values in SI units from `values[at]` on. NaN: no reading. Counters are
   * cumulative from the first reading of their generation, which is 0. Called once a tick; allocates nothing.
   * @throws Error when the source is gone: the sampler is closed and opened again later, as new series
   */
  read(values: Float64Array, at: number): void;
  /** Slow work between ticks, once a flush: looks for hotplug and the like. May change `generation`. */
  maintain?(): void;
  close(): void;
}

/**
 * What a sampler's module exports as `openSampler`. Its options are those that its own receiver passes.
 * @throws UnavailableError when the source is not here or may not be read
 */
export type OpenSampler<Options = unknown> = (options: Options) => Sampler;
