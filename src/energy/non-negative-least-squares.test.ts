import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, type Random } from '../testing/random.fixture.js';
import { NonNegativeLeastSquares } from './non-negative-least-squares.js';

type Rows = readonly (readonly number[])[];

function solve(rows: Rows, retention?: number): NonNegativeLeastSquares {
  const squares = new NonNegativeLeastSquares((rows[0]?.length ?? 1) - 1, retention);
  for (const row of rows) squares.add(Float64Array.from(row));
  squares.solve();
  return squares;
}

/** Every element within a billionth of the largest. */
function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, message?: string): void {
  const scale = Math.max(1e-12, ...Array.from(expected, Math.abs));
  assert.equal(found.length, expected.length);
  for (const [i, value] of Array.from(expected).entries()) {
    const error = Math.abs((found[i] ?? NaN) - value);
    assert.ok(
      error <= 1e-9 * scale,
      `${message}: ${Array.from(found).join(' ')} for ${Array.from(expected).join(' ')}`,
    );
  }
}

test('NonNegativeLeastSquares finds the coefficients of an exact sum', () => {
  const rows = [
    [1, 0, 2],
    [0, 1, 3],
    [5, 7, 31],
  ];
  const squares = solve(rows);
  assertNear(squares.coefficients, [2, 3]);
  assert.ok(squares.residual < 1e-7, `${squares.residual}`);
});

test('NonNegativeLeastSquares assigns 0 to a counter that would be negative, and refits the others', () => {
  // Without the bound: 2 and -1. With it, the first alone: (1 * 1 + 2 * 3) / (1 + 4).
  const squares = solve([
    [1, 1, 1],
    [2, 1, 3],
  ]);
  assertNear(squares.coefficients, [7 / 5, 0]);
  // Differences -0.4 and 0.2, of values 1 and 3.
  assert.ok(Math.abs(squares.residual - Math.sqrt(0.2 / 10)) < 1e-9);
});

test('NonNegativeLeastSquares returns only zeros if all would be negative', () => {
  const squares = solve([
    [1, 2, -1],
    [2, 1, -1],
  ]);
  assert.deepEqual([...squares.coefficients], [0, 0]);
  assert.equal(squares.residual, 1);
});

test('NonNegativeLeastSquares assigns the value to only one of two proportional counters, and nothing to a constant one', () => {
  const squares = solve([
    [2, 4, 0, 6],
    [3, 6, 0, 9],
    [7, 14, 0, 21],
  ]);
  const [one = NaN, double = NaN, still] = squares.coefficients;
  assert.equal(still, 0);
  assertNear([one + 2 * double], [3]);
  assert.ok(one === 0 || double === 0);
});

test('NonNegativeLeastSquares has no coefficients before the first window', () => {
  const squares = new NonNegativeLeastSquares(2);
  squares.solve();
  assert.deepEqual([...squares.coefficients], [0, 0]);
  assert.ok(Number.isNaN(squares.residual));
});

test('NonNegativeLeastSquares does not depend on the units of the counters', () => {
  const random = createRandom(5);
  const rows = Array.from({ length: 50 }, () => createRow(random, [1.5, 0, 0.25], 0.1));
  const units = [1e-9, 1e12, 1, 1];
  const scaled = rows.map((row) => row.map((value, i) => value * (units[i] ?? NaN)));
  const coefficients = solve(scaled).coefficients.map((value, i) => value * (units[i] ?? NaN));
  assertNear(coefficients, solve(rows).coefficients);
});

test('NonNegativeLeastSquares discounts old windows at the rate of its retention', () => {
  const rows = Array.from({ length: 200 }, (_, i) => [1, i < 100 ? 10 : 20]);
  // The last 100 windows count (1 - 0.9 ** 100), those before 0.9 ** 100 of that.
  const old = 0.9 ** 100;
  const expected = (10 * (old - old ** 2) + 20 * (1 - old)) / (1 - old ** 2);
  assertNear(solve(rows, 0.9).coefficients, [expected]);
  assertNear(solve(rows, 1).coefficients, [15]);
});

test('NonNegativeLeastSquares starts empty after a reset', () => {
  const squares = solve([[1, 7]]);
  squares.reset();
  assert.deepEqual([...squares.coefficients], [0]);
  squares.add(Float64Array.of(2, 2));
  squares.solve();
  assertNear(squares.coefficients, [1]);
});

test('NonNegativeLeastSquares finds the best of all subsets of counters, on random rows', () => {
  const random = createRandom(11);
  for (let round = 0; round < 400; round++) {
    const width = 1 + random.whole(6);
    const truth = Array.from({ length: width }, () => Math.max(0, random.fraction() - 0.4));
    const noise = random.whole(3) * random.fraction() * 5;
    const rows = Array.from({ length: width + random.whole(40) }, () => createRow(random, truth, noise));
    assertNear(solve(rows).coefficients, findBestSubset(rows, width), `round ${round}`);
  }
});

test('NonNegativeLeastSquares satisfies the conditions of Karush, Kuhn and Tucker on random rows', () => {
  const random = createRandom(12);
  for (let round = 0; round < 400; round++) {
    const width = 1 + random.whole(8);
    const rows = Array.from({ length: 1 + random.whole(60) }, () =>
      createRow(
        random,
        Array.from({ length: width }, () => 0.2 * (random.whole(3) - 1)),
        20,
      ),
    );
    const { coefficients, residual } = solve(rows);
    const values = rows.map((row) => row.at(-1) ?? NaN);
    const rest = rows.map((row, i) => (values[i] ?? NaN) - dot(row, coefficients));
    const length = Math.sqrt(dot(values, values));
    assert.ok(Math.abs(Math.sqrt(dot(rest, rest)) / length - residual) < 1e-6, `round ${round}`);
    for (const [i, coefficient] of coefficients.entries()) {
      const counter = rows.map((row) => row[i] ?? NaN);
      // The slope is 0 where there is a coefficient, and does not point upwards where there is none.
      const slope = dot(counter, rest) / Math.sqrt(dot(counter, counter)) / length;
      assert.ok(coefficient >= 0 && slope < 1e-7, `round ${round}: ${coefficient} with slope ${slope}`);
      if (coefficient > 0) assert.ok(slope > -1e-7, `round ${round}: ${coefficient} with slope ${slope}`);
    }
  }
});

test('NonNegativeLeastSquares finds finite coefficients if counters differ only by rounding', () => {
  const random = createRandom(13);
  for (let round = 0; round < 300; round++) {
    const rows = Array.from({ length: 30 }, () => {
      const [a, b, c] = [random.fraction(), random.fraction(), random.fraction()];
      const jitter = random.fraction() * 10 ** -(7 + random.whole(10));
      return [
        a,
        b,
        c,
        a / 3 + b / 7,
        a / 3 + b / 7 + jitter,
        a + b + c + jitter,
        a + 2 * b + random.fraction(),
      ];
    });
    const { coefficients } = solve(rows);
    assert.ok(coefficients.every((value) => value >= 0 && Number.isFinite(value)));
    const best = errorOf(
      rows,
      findBestSubset(
        rows.map((row) => [...row.slice(0, 3), ...row.slice(-1)]),
        3,
      ),
    );
    assert.ok(errorOf(rows, [...coefficients]) <= best * (1 + 1e-6), `round ${round}`);
  }
});

test('NonNegativeLeastSquares gives the same result to the last bit for the same rows', () => {
  const [rows, same, others] = [3, 3, 4].map((seed) => createRows(seed));
  assert.deepEqual(solve(rows ?? []).coefficients, solve(same ?? []).coefficients);
  assert.notDeepEqual(solve(rows ?? []).coefficients, solve(others ?? []).coefficients);
});

function createRows(seed: number): Rows {
  const random = createRandom(seed);
  return Array.from({ length: 30 }, () => createRow(random, [1, 2, 0, 4], 3));
}

/** Growth of counters, some of them proportional, and the value that they explain except for noise. */
function createRow(random: Random, truth: readonly number[], noise: number): number[] {
  const common = random.fraction() * 10;
  const growth = truth.map((_, i) => random.fraction() * 10 + (i % 2 === 0 ? common : 0));
  return [...growth, dot(growth, truth) + (random.fraction() - 0.5) * noise];
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < Math.min(one.length, other.length); i++) sum += (one[i] ?? NaN) * (other[i] ?? NaN);
  return sum;
}

/**
 * The independent solution: least squares of every subset of the counters, by Gram-Schmidt on the rows themselves;
 * the best of those without a negative coefficient.
 */
function findBestSubset(rows: Rows, width: number): readonly number[] {
  let best: readonly number[] = Array.from({ length: width }, () => 0);
  for (let subset = 1; subset < 2 ** width; subset++) {
    const members = Array.from({ length: width }, (_, i) => i).filter((i) => (subset >> i) & 1);
    const fitted = fit(rows, members);
    const all = Array.from({ length: width }, (_, i) => fitted[members.indexOf(i)] ?? 0);
    if (all.every((value) => value >= 0) && errorOf(rows, all) < errorOf(rows, best)) best = all;
  }
  return best;
}

function errorOf(rows: Rows, coefficients: readonly number[]): number {
  return rows.reduce((sum, row) => sum + ((row.at(-1) ?? NaN) - dot(row, coefficients)) ** 2, 0);
}

function fit(rows: Rows, members: readonly number[]): readonly number[] {
  const basis: number[][] = [];
  const upper: number[][] = [];
  for (const member of members) {
    const column = rows.map((row) => row[member] ?? NaN);
    const parts = members.map(() => 0);
    // Twice is enough for orthogonality to the last bits.
    for (const [k, one] of [...basis.entries(), ...basis.entries()]) {
      const part = dot(column, one);
      parts[k] = (parts[k] ?? NaN) + part;
      for (const [row, value] of one.entries()) column[row] = (column[row] ?? NaN) - part * value;
    }
    const length = Math.sqrt(dot(column, column));
    parts[basis.length] = length;
    basis.push(column.map((value) => value / length));
    upper.push(parts);
  }
  const values = rows.map((row) => row.at(-1) ?? NaN);
  const solution = members.map(() => 0);
  for (let i = members.length - 1; i >= 0; i--) {
    let value = dot(basis[i] ?? [], values);
    for (let j = i + 1; j < members.length; j++) value -= (upper[j]?.[i] ?? NaN) * (solution[j] ?? NaN);
    solution[i] = value / (upper[i]?.[i] ?? NaN);
  }
  return solution;
}
