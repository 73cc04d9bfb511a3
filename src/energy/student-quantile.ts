/**
 * The quantile of Student's t distribution: 12.706 for 0.975 and one degree of freedom.
 * @param probability between 0 and 1, both excluded
 * @param degrees of freedom, a whole number, at least 1
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

/**
 * The cumulative distribution for `t` >= 0. For whole degrees of freedom it is a finite sum: Abramowitz and
 * Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
 */
function studentCumulative(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const within = degrees % 2 === 0 ? sumEven(angle, degrees) : sumOdd(angle, degrees);
  return 0.5 + within / 2;
}

function sumEven(angle: number, degrees: number): number {
  const squaredCosine = Math.cos(angle) ** 2;
  let term = 1;
  let sum = 1;
  for (let k = 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * squaredCosine;
    sum += term;
  }
  return Math.sin(angle) * sum;
}

function sumOdd(angle: number, degrees: number): number {
  const cosine = Math.cos(angle);
  let term = cosine;
  let sum = degrees > 1 ? cosine : 0;
  for (let k = 3; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return (2 / Math.PI) * (angle + Math.sin(angle) * sum);
}
