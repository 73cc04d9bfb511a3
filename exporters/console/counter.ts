/** The time between two looks that the counters of one kind have in common. Seconds of Unix time. */
export class Span {
  /** Instant of the last reading before the last look; before the first look, where the first counter is known from. */
  since = NaN;
  #isLooked = false;
  #latest = NaN;

  /** A counter is known from here on. */
  begin(at: number): void {
    if (!this.#isLooked && !(at >= this.since)) this.since = at;
  }

  /** One of the counters has a reading. */
  reach(at: number): void {
    if (!(at <= this.#latest)) this.#latest = at;
  }

  /** All counters have been looked at. */
  finishLook(): void {
    if (Number.isNaN(this.#latest)) return;
    this.#isLooked = true;
    this.since = this.#latest;
  }
}

/** A counter's last reading, and how fast it grew between two looks. Seconds of Unix time. */
export class Counter {
  value = 0;
  /**
   * How much it grew in a second, between the last reading before the last look and the one before that look; of a
   * counter that began in between, over the whole of that time. NaN before there are two readings.
   */
  rate = NaN;
  readonly #start: number;
  readonly #span: Span;
  #at = NaN;
  #fromValue = NaN;
  #fromAt = NaN;
  #isLooked = false;

  /**
   * @param start the instant at which the count was 0; NaN: too long ago to be of use
   * @param span of all counters of its kind
   */
  constructor(start: number, span: Span) {
    this.#start = start;
    this.#span = span;
  }

  take(value: number, at: number): void {
    if (Number.isNaN(value)) return;
    if (Number.isNaN(this.#fromAt)) this.#begin(value, at);
    this.value = value;
    this.#at = at;
    this.#span.reach(at);
  }

  /** Works out the rate since the last look. Without a reading since then, it stays. */
  look(): void {
    const from = this.#isLooked ? this.#fromAt : Math.min(this.#fromAt, this.#span.since);
    const elapsed = this.#at - from;
    if (!(elapsed > 0)) return;
    this.rate = (this.value - this.#fromValue) / elapsed;
    this.#isLooked = true;
    this.#fromAt = this.#at;
    this.#fromValue = this.value;
  }

  #begin(value: number, at: number): void {
    const isKnownFromStart = this.#start <= at;
    this.#fromAt = isKnownFromStart ? this.#start : at;
    this.#fromValue = isKnownFromStart ? 0 : value;
    this.#span.begin(this.#fromAt);
  }
}
