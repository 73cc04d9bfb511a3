import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NonNegativeLeastSquares } from '../../src/energy/non-negative-least-squares.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/solve_nnls.py', import.meta.url));

/** Counters of all magnitudes, and a value that depends on some of them. */
function createCase(seed: number): readonly (readonly number[])[] {
  const random = createRandom(seed);
  const width = 1 + random.whole(8);
  const units = Array.from({ length: width }, () => 10 ** random.whole(9));
  const truth = units.map((unit) => Math.max(0, random.fraction() - 0.4) / unit);
  return Array.from({ length: 100 }, () => {
    const growth = units.map((unit) => Math.round(random.fraction() * unit * 10));
    const value = growth.reduce((sum, grown, i) => sum + grown * (truth[i] ?? NaN), 0);
    return [...growth, value + random.fraction() - 0.5];
  });
}

test('SciPy finds the same coefficients', { skip: isWithout('scipy') }, () => {
  const cases = Array.from({ length: 300 }, (_, i) => createCase(i));
  const output = execFileSync(peerPath('scipy'), [script], { input: JSON.stringify(cases) });
  // A list of coefficients for each case.
  const expected = JSON.parse(output.toString()) as readonly (readonly number[])[];
  assert.equal(expected.length, cases.length);
  for (const [number, rows] of cases.entries()) {
    const squares = new NonNegativeLeastSquares((rows[0]?.length ?? 1) - 1);
    for (const row of rows) squares.add(Float64Array.from(row));
    squares.solve();
    for (const [i, coefficient] of (expected[number] ?? []).entries()) {
      const found = squares.coefficients[i] ?? NaN;
      assert.ok(Math.abs(found - coefficient) <= 1e-8 * coefficient, `${number}: ${found}, ${coefficient}`);
    }
  }
});
