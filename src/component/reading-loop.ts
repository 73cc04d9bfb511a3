/** A loop that reads a source at an interval: what the running agent can do with it. A receiver may have several. */
export interface ReadingLoop {
  /** The setting that its interval comes from: a receiver that samples and scrapes has two. */
  readonly setting: 'collection_interval' | 'sampling_interval';
  readonly intervalMs: number;
  /** By when it should have read, on the clock of `performance.now()`. Infinity while it is paused. */
  readonly dueMs: number;
  /** Whether the last reading failed. */
  readonly isFailing: boolean;
  /** Takes no reading from now on, but those that it is asked for, and passes on a gap. Its series stay. */
  pause(): void | Promise<void>;
  /** Reads at once, and at every tick from then on. */
  resume(): void | Promise<void>;
  /**
   * Reads at another interval from now on. Its series stay.
   * @throws RangeError when it cannot read so often
   */
  setInterval(intervalMs: number): void | Promise<void>;
}

/** Where the loops of a receiver put themselves under the control of the agent. */
export interface ReadingLoops {
  /**
   * A loop has begun. One that begins during a pause is paused at once, and gets the interval that was set meanwhile.
   * @returns to be called when it has ended
   */
  join(loop: ReadingLoop): () => void;
}
