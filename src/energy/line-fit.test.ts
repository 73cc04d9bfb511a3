import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, fitPolynomial } from './line-fit.js';

function assertNear(actual: readonly number[] | undefined, expected: readonly number[]): void {
  assert.equal(actual?.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const found = actual?.[i] ?? NaN;
    assert.ok(
      Math.abs(found - value) <= 1e-9 * Math.max(1, Math.abs(value)),
      `expected ${value}, found ${found}`,
    );
  }
}

// Worked by hand: slope 0.6, intercept 2.2; the residuals are -0.8, 0.6, 1, -0.6, -0.2, their
// squares add up to 2.4, so s^2 = 0.8, SE(slope) = sqrt(0.8 / 10), SE(intercept) = sqrt(0.8 (1/5 + 9/10)).
test('fitPolynomial returns the line of a textbook with its errors', () => {
  const fit = fitPolynomial([1, 2, 3, 4, 5], [2, 4, 5, 4, 5], 1);
  assertNear(fit?.coefficients, [2.2, 0.6]);
  assertNear(fit?.errors, [Math.sqrt(0.8 * 1.1), Math.sqrt(0.08)]);
  assertNear([fit?.deviation ?? NaN], [Math.sqrt(0.8)]);
  assert.equal(fit?.degrees, 3);
});

// The polynomial y = 3 + 2 x + 0.5 x^2 with a known residual
// that is orthogonal to 1, x and x^2: (-1, 3, -3, 1) / 10 at four equally spaced x.
test('fitPolynomial returns a curve whose residual is known', () => {
  const xs = [1000, 1001, 1002, 1003];
  const residuals = [-0.1, 0.3, -0.3, 0.1];
  const ys = xs.map((x, i) => 3 + 2 * (x - 1000) + 0.5 * (x - 1000) ** 2 + (residuals[i] ?? NaN));
  const fit = fitPolynomial(xs, ys, 2);
  assertNear([evaluate(fit ?? { coefficients: [] }, 1001.5)], [3 + 3 + 1.125]);
  assertNear([fit?.deviation ?? NaN], [Math.sqrt(0.2)]);
  // (X'X)^-1 of the coefficient of x^2 is 1/4 for four equally spaced points.
  assertNear([fit?.errors[2] ?? NaN], [Math.sqrt(0.2 / 4)]);
});

test('fitPolynomial returns nothing where the points do not determine it', () => {
  assert.equal(fitPolynomial([1, 2], [1, 2], 1), undefined);
  assert.equal(fitPolynomial([5, 5, 5, 5], [1, 2, 3, 4], 1), undefined);
  assert.equal(fitPolynomial([1, 2, 1, 2, 1], [1, 2, 3, 4, 5], 2), undefined);
});

// Data and certified values: NIST Statistical Reference Datasets, "Norris", pairs of y and x.
const norris = [
  [0.1, 0.2],
  [338.8, 337.4],
  [118.1, 118.2],
  [888.0, 884.6],
  [9.2, 10.1],
  [228.1, 226.5],
  [668.5, 666.3],
  [998.5, 996.3],
  [449.1, 448.6],
  [778.9, 777.0],
  [559.2, 558.2],
  [0.3, 0.4],
  [0.1, 0.6],
  [778.1, 775.5],
  [668.8, 666.9],
  [339.3, 338.0],
  [448.9, 447.5],
  [10.8, 11.6],
  [557.7, 556.0],
  [228.3, 228.1],
  [998.0, 995.8],
  [888.8, 887.6],
  [119.6, 120.2],
  [0.3, 0.3],
  [0.6, 0.3],
  [557.6, 556.8],
  [339.3, 339.1],
  [888.0, 887.2],
  [998.5, 999.0],
  [778.9, 779.0],
  [10.2, 11.1],
  [117.6, 118.3],
  [228.9, 229.2],
  [668.4, 669.1],
  [449.2, 448.9],
  [0.2, 0.5],
] as const;

test('fitPolynomial returns the certified values of a reference data set', () => {
  const fit = fitPolynomial(
    norris.map(([, x]) => x),
    norris.map(([y]) => y),
    1,
  );
  assertNear(fit?.coefficients, [-0.262323073774029, 1.00211681802045]);
  assertNear(fit?.errors, [0.232818234301152, 0.000429796848199937]);
  assertNear([fit?.deviation ?? NaN], [0.884796396144373]);
});
