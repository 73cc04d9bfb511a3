import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareMeans } from '../../src/exec/statistics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

function runScript(name: string, pairs: readonly (readonly (readonly number[])[])[]): string {
  const script = fileURLToPath(new URL(`../../../test/interop/peers/${name}`, import.meta.url));
  return execFileSync(peerPath('scipy'), [script], { input: JSON.stringify(pairs) }).toString();
}

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
  const expected = JSON.parse(runScript('welch_test.py', pairs)) as readonly (readonly number[])[];
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

test(
  "SciPy's Welch's t-test has a p value of 0.05 at both ends of the interval of a ratio",
  { skip: isWithout('scipy') },
  () => {
    const pairs = Array.from({ length: 300 }, (_, i) => createPair(i));
    const expected = JSON.parse(runScript('ratio_interval.py', pairs)) as readonly (
      readonly number[] | null
    )[];
    let unbounded = 0;
    for (const [number, [first = [], other = []]] of pairs.entries()) {
      const found = compareMeans(other, first)?.ratioInterval;
      const wanted = expected[number];
      if (!wanted) unbounded += 1;
      assert.equal(
        found === undefined,
        wanted === null,
        `${number}: ${found?.join(' to ')}, ${wanted?.join(' to ')}`,
      );
      for (const [i, figure] of (wanted ?? []).entries()) {
        const bound = 1e-6 * Math.max(1, Math.abs(figure));
        assert.ok(Math.abs((found?.[i] ?? NaN) - figure) <= bound, `${number}: ${found?.[i]}, ${figure}`);
      }
    }
    assert.ok(unbounded > 0 && unbounded < 150, `${unbounded} of ${pairs.length} have no interval`);
  },
);
