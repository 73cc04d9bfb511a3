// The arithmetic of an audit: in whole numbers without limit, so that nothing but the last step rounds.

/** Energies that are not whole nanojoules are computed in this fraction of a nanojoule. */
export const fraction = 2n ** 20n;

/** Watts are a double, that is, an integer times a power of two: their product with a time is exact. */
export function timesWatts(watts: number, ns: bigint): bigint {
  let [parts, scale] = [watts, 1n];
  while (!Number.isInteger(parts)) {
    parts *= 2;
    scale *= 2n;
  }
  return (BigInt(parts) * ns * fraction) / scale;
}

/** Nanojoules in units of this fraction. */
export function toFixed(value: number): bigint {
  return timesWatts(value, 1n);
}

/** Rounds half up. @param knots time and value of two points, between which the curve is linear */
export function onCurve(knots: readonly number[], at: number): bigint {
  const [numerator, denominator] = exactlyOnCurve(knots, at);
  return (2n * numerator + denominator) / (2n * denominator);
}

/** Whether an integer is the curve's value, apart from the rounding of doubles. */
export function isOnCurve(knots: readonly number[], at: number, value: number): boolean {
  const [numerator, denominator] = exactlyOnCurve(knots, at);
  const [, from = 0, , to = 0] = knots.map((one) => BigInt(one));
  const rounding = 3n * (BigInt(to) - BigInt(from)) + BigInt(from);
  const off = abs(BigInt(value) * denominator - numerator);
  return off * 2n ** 53n <= denominator * (2n ** 52n + rounding);
}

function exactlyOnCurve(knots: readonly number[], at: number): readonly [bigint, bigint] {
  const [t0 = 0n, v0 = 0n, t1 = 0n, v1 = 0n] = knots.map((one) => BigInt(one));
  if (t1 === t0) return [v0, 1n];
  return [v0 * (t1 - t0) + (v1 - v0) * (BigInt(at) - t0), t1 - t0];
}

/** The increments of the running total of shares, rounded half up, at each part. */
export function divide(total: bigint, parts: readonly bigint[], whole: bigint): readonly bigint[] {
  let [reached, given] = [0n, 0n];
  return parts.map((part) => {
    reached += part;
    const upTo = (2n * total * reached + whole) / (2n * whole);
    const share = upTo - given;
    given = upTo;
    return share;
  });
}

export function sum(parts: readonly bigint[]): bigint {
  return parts.reduce((total, part) => total + part, 0n);
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function minimum(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

export function maximum(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
