import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareMeans } from '../../src/exec/statistics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/welch_test.py', import.meta.url));

/** Two samples of different sizes, means and deviations. */
function createPair(seed: number): readonly (readonly number[])[] {
  const random = createRandom(seed);
  return [1, 2].map(() => {
    const [mean, spread] = [10 + random.fraction(), 10 ** (random.whole(4) - 2)];
    return Array.from({ length: 2 + random.whole(30) }, () => mean + spread * (random.fraction() - 0.5));
  });
}

test("SciPy's Welch's t-test gives the same figures", { skip: isWithout('scipy') }, () => {
  const pairs = Array.from({ length: 300 }, (_, i) => createPair(i));
  const output = execFileSync(peerPath('scipy'), [script], { input: JSON.stringify(pairs) });
  const expected = JSON.parse(output.toString()) as readonly (readonly number[])[];
  assert.equal(expected.length, pairs.length);
  for (const [number, [first = [], other = []]] of pairs.entries()) {
    const found = compareMeans(other, first);
    assert.ok(found);
    const { t = NaN, degrees = NaN, p, difference, halfWidth } = found;
    const figures = [t, degrees, p, difference - halfWidth, difference + halfWidth];
    for (const [i, figure] of figures.entries()) {
      const wanted = expected[number]?.[i] ?? NaN;
      const bound = 1e-8 * Math.max(Math.abs(wanted), i > 2 ? 1 : 0);
      assert.ok(Math.abs(figure - wanted) <= bound, `${number}, ${i}: ${figure}, ${wanted}`);
    }
  }
});
