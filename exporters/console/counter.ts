/**
 * The time between two looks, shared by the counters of one kind. It is reset once all of them have ended, as
 * they do when the clock is set or the machine sleeps. Seconds of Unix time.
 */
export class Span {
  /** Instant of the last reading before the last look; before the first look, the start of the first counter. */
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

  /** A counter starts here. */
  begin(at: number): void {
    if (!this.#isLooked && !(at >= this.since)) this.since = at;
  }

  /** One of the counters has a reading. */
  reach(at: number): void {
    if (!(at <= this.#latest)) this.#latest = at;
  }

  /** Call it when all counters have been looked at. */
  finishLook(): void {
    if (Number.isNaN(this.#latest)) return;
    this.#isLooked = true;
    this.since = this.#latest;
  }
}

/** The last reading of a counter and its rate between two looks. Seconds of Unix time. */
export class Counter {
  value = 0;
  /**
   * Growth per second between the last readings before the last two looks; for a counter that started in
   * between, over the whole of that time. NaN before there are two readings.
   */
  rate = NaN;
  readonly #start: number;
  readonly #span: Span;
  #at = NaN;
  #fromValue = NaN;
  #fromAt = NaN;
  #isLooked = false;

  /**
   * @param start the instant at which the count was 0; NaN: unknown or too long ago
   * @param span shared by all counters of its kind
   */
  constructor(start: number, span: Span) {
    this.#start = start;
    this.#span = span;
    span.join();
  }

  /** The counter has no further readings. */
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

  /** Computes the rate since the last look. Without a reading since then, the rate is kept. */
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
