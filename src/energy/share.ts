/**
 * Divides a total among parts: each part gets the growth of the rounded running total, so that the shares add
 * up exactly and none is negative.
 * @param whole at least the sum of the parts and more than 0; the excess is given to no part
 * @param shares receives one whole number per part
 * @returns the sum of the shares
 */
export function share(total: number, parts: ArrayLike<number>, whole: number, shares: number[]): number {
  let reached = 0;
  let given = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    reached += part;
    const upTo = part === 0 ? given : portion(total, reached, whole);
    shares[i] = upTo - given;
    given = upTo;
  }
  return given;
}

/**
 * round(total * part / whole), exact, rounding half up.
 * @param total whole, 0 or more
 * @param part whole, at most `whole`
 * @param whole whole, more than 0
 */
export function portion(total: number, part: number, whole: number): number {
  if (part === 0) return 0;
  if (part === whole) return total;
  const quotient = total * (part / whole);
  const floor = Math.floor(quotient);
  const rest = quotient - floor;
  // A division and a multiplication, each with a relative error of at most 2^-53: it matters only near a half.
  if (Math.abs(rest - 0.5) > quotient * 2 ** -51) return rest < 0.5 ? floor : floor + 1;
  const double = 2n * BigInt(whole);
  return Number((2n * BigInt(total) * BigInt(part) + BigInt(whole)) / double);
}
