/** Why a point is rejected: what was expected and what was found. */
export const reasons = {
  summary: ['a gauge, a sum or a histogram', 'a summary'],
  temporality: ['a sum or histogram that is cumulative or delta', 'one without temporality'],
  buckets: ['one bucket more than bounds', 'another number'],
  bucket_sum: ['buckets that add up to the count', 'others'],
  bucket_limit: ['at most 10,000 buckets', 'more'],
  bounds: ['bounds that are finite and ascend', 'others'],
  scale: ['a scale of -10 to 20, offsets of 32 bits and a finite zero threshold', 'others'],
  time: ['a time between 1970 and 2262', 'none'],
  start: ['a start that is not after the time', 'a later one'],
  older: ['a time after that of the last point of its series', 'an earlier one'],
  older_start: [
    'one sender for each series, told apart by an attribute such as service.instance.id',
    'a start before that of another sender',
  ],
  overlap: ['a delta that starts when the one before ended', 'one that starts before'],
  negative: ['a value of 0 or more for a sum that is monotonic', 'a negative one'],
  infinite: ['a finite value', 'infinity'],
  scope: ['series that differ in name, attributes or resource', 'two that differ in their scope alone'],
  limit: ['no more series than "max_series" allows', 'another one'],
} as const satisfies Readonly<Record<string, readonly [expected: string, found: string]>>;

export type Reason = keyof typeof reasons;

/** The rejected points of a request. */
export class Rejections {
  readonly #counts = new Map<Reason, { points: number; readonly metric: string }>();
  #points = 0;

  get points(): number {
    return this.#points;
  }

  get counts(): Iterable<readonly [Reason, { readonly points: number; readonly metric: string }]> {
    return this.#counts;
  }

  /** @param metric the name of the metric of the points */
  add(reason: Reason, points: number, metric: string): void {
    if (points === 0) return;
    this.#points += points;
    const known = this.#counts.get(reason);
    if (known) known.points += points;
    else this.#counts.set(reason, { points, metric });
  }

  /** The message for the sender: what was rejected and why, with one metric as an example. */
  describe(): string {
    const parts = [...this.#counts].map(([reason, { points, metric }]) => {
      const [expected, found] = reasons[reason];
      return `expected ${expected}, found ${found} (${points} of metrics such as "${metric}")`;
    });
    return `Cannot take ${this.#points} point${this.#points === 1 ? '' : 's'}: ${parts.join('; ')}`;
  }
}
