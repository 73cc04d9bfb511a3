import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studentQuantile, studentTails } from './student-quantile.js';

// Printed tables have three decimals, for example NIST/SEMATECH e-Handbook, 1.3.6.7.2.
const table: readonly (readonly [degrees: number, p95: number, p975: number, p995: number])[] = [
  [1, 6.314, 12.706, 63.657],
  [2, 2.92, 4.303, 9.925],
  [3, 2.353, 3.182, 5.841],
  [4, 2.132, 2.776, 4.604],
  [5, 2.015, 2.571, 4.032],
  [9, 1.833, 2.262, 3.25],
  [10, 1.812, 2.228, 3.169],
  [29, 1.699, 2.045, 2.756],
  [30, 1.697, 2.042, 2.75],
  [100, 1.66, 1.984, 2.626],
];

test('studentQuantile returns the values of printed tables for few and many degrees of freedom', () => {
  for (const [degrees, p95, p975, p995] of table) {
    const found = [0.95, 0.975, 0.995].map((p) => Number(studentQuantile(p, degrees).toFixed(3)));
    assert.deepEqual(found, [p95, p975, p995], `${degrees} degrees of freedom`);
  }
});

test('studentQuantile approaches the normal distribution for many degrees of freedom', () => {
  assert.equal(studentQuantile(0.975, 1_000_000).toFixed(3), '1.960');
});

test('studentQuantile is odd around one half', () => {
  assert.equal(studentQuantile(0.025, 7), -studentQuantile(0.975, 7));
  assert.ok(Math.abs(studentQuantile(0.5, 3)) < 1e-12);
});

// By SciPy 1.17.1: 2 * t.sf(t, degrees) and t.ppf(0.975, 6.3).
test('studentTails returns p values of whole and other degrees of freedom', () => {
  const known = [
    [1.5, 3.7, 0.2135981692020135],
    [-0.2, 1.3, 0.8681815485502208],
    [12, 2.5, 0.0028362150300783244],
    [8, 40.2, 7.629959736832483e-10],
    [2, 1e6, 0.04550053385131924],
    [0, 5, 1],
  ] as const;
  for (const [t, degrees, p] of known) assert.ok(Math.abs(studentTails(t, degrees) / p - 1) < 1e-9, `${t}`);
  assert.equal(studentQuantile(0.975, 6.3).toFixed(9), '2.418942810');
});
