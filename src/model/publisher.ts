import type { Series } from './series.js';

const publishers = new WeakMap<Series, string>();

/**
 * The receiver that a series comes from. Known only where another receiver may publish the same series: everywhere
 * else it does not matter, and costs no memory.
 */
export function publisherOf(series: Series): string | undefined {
  return publishers.get(series);
}

/** Records the receiver that a series comes from. */
export function setPublisher(series: Series, receiverId: string): void {
  publishers.set(series, receiverId);
}

/** Gives a series the publisher of the one that it is derived from, if that is known. */
export function inheritPublisher(derived: Series, from: Series): void {
  const publisher = publishers.get(from);
  if (publisher !== undefined && derived !== from) publishers.set(derived, publisher);
}

/** A new series with some fields of another one changed, for a processor whose values or names differ from what came. */
export function deriveSeries(from: Series, changes: Partial<Series> = {}): Series {
  const derived = { ...from, ...changes };
  inheritPublisher(derived, from);
  return derived;
}
