/**
 * The quantile of Student's t distribution: 12.706 for 0.975 and one degree of freedom.
 * @param probability between 0 and 1, both excluded
 * @param degrees of freedom, greater than 0, not necessarily whole
 */
export function studentQuantile(probability: number, degrees: number): number {
  if (probability < 0.5) return -studentQuantile(1 - probability, degrees);
  let low = 0;
  let high = 1;
  while (studentCumulative(high, degrees) < probability) high *= 2;
  // 60 bisections are as exact as a double.
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (studentCumulative(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function studentCumulative(t: number, degrees: number): number {
  return 1 - studentTails(t, degrees) / 2;
}

/**
 * The probability that a value of Student's t distribution is at least as far from 0 as `t`: the p value of a
 * two-sided test.
 * @param degrees of freedom, greater than 0, not necessarily whole
 */
export function studentTails(t: number, degrees: number): number {
  return regularisedBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** The regularised incomplete beta function: NIST Digital Library of Mathematical Functions, 8.17. */
function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // Where the fraction converges slowly, the function of the other end is used (8.17.4).
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const logFront = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return (Math.exp(logFront) / a) * betaFraction(x, a, b);
}

const maxSteps = 10_000;

/** The continued fraction of 8.17.22, by the method of Lentz (3.10). */
function betaFraction(x: number, a: number, b: number): number {
  let numerator = 1;
  let denominator = 1 / avoidZero(1 - ((a + b) * x) / (a + 1));
  let value = denominator;
  for (let m = 1; m < maxSteps; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const term of [even, odd]) {
      denominator = 1 / avoidZero(1 + term * denominator);
      numerator = avoidZero(1 + term / numerator);
      value *= denominator * numerator;
    }
    if (Math.abs(denominator * numerator - 1) < Number.EPSILON) break;
  }
  return value;
}

function avoidZero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value;
}

/** Stirling's series (NIST, 5.11.1), after `x` was raised to at least 10 by the recurrence (5.5.1). */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const square = x * x;
  const series = 1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square;
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series / x;
}
