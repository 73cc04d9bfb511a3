/** A loop that reads a source at an interval, as the running agent controls it. A receiver may have several. */
export interface ReadingLoop {
  /** The setting that its interval comes from: a receiver that samples and scrapes has two. */
  readonly setting: 'collection_interval' | 'sampling_interval';
  readonly intervalMs: number;
  /** When the next reading is due, on the clock of `performance.now()`. Infinity while it is paused. */
  readonly dueMs: number;
  /** Whether the last reading failed. */
  readonly isFailing: boolean;
  /** Stops periodic readings and forwards a gap; explicit readings are still possible. Its series stay. */
  pause(): void | Promise<void>;
  /** Reads now, and at every tick from then on. */
  resume(): void | Promise<void>;
  /**
   * Reads at another interval from now on. Its series stay.
   * @throws RangeError when the interval is too short
   */
  setInterval(intervalMs: number): void | Promise<void>;
}

/** Registry of a receiver's loops, through which the agent controls them. */
export interface ReadingLoops {
  /**
   * Registers a loop that has started. During a pause, it is paused immediately; it gets the interval that was
   * set meanwhile.
   * @returns to be called when the loop has ended
   */
  join(loop: ReadingLoop): () => void;
}
