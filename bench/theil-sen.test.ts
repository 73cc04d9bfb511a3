import assert from 'node:assert/strict';
import { test } from 'node:test';
import { theilSenSlope } from './theil-sen.js';

test('theilSenSlope returns the slope of a line despite outliers', () => {
  const xs = [0, 1, 2, 3, 4, 5, 6];
  assert.equal(
    theilSenSlope(
      xs,
      xs.map((x) => 2 * x + 1),
    ),
    2,
  );
  assert.equal(theilSenSlope(xs, [1, 3, 500, 7, 9, -90, 13]), 2);
});
