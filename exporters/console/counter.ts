/**
 * The time between two looks that the counters of one kind have in common. It begins again once all of them have ended,
 * as they do where the clock was set or the machine slept. Seconds of Unix time.
 */
export class Span {
  /** Instant of the last reading before the last look; before the first look, where the first counter is known from. */
  since = NaN;
  #isLooked = false;
  #latest = NaN;
  #members = 0;

  join(): void {
    this.#members += 1;
  }

  leave(): void {
    this.#members -= 1;
    if (this.#members > 0) return;
    this.since = NaN;
    this.#isLooked = false;
    this.#latest = NaN;
  }

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
    span.join();
  }

  /** It has no further reading. */
  end(): void {
    this.#span.leave();
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
