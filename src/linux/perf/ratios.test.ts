import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEvents } from './grammar.js';
import { findRatios } from './ratios.js';
import { resolveEvents } from './resolve.js';

/** `numerator/denominator: kind` of what can be divided, on a machine that has no PMU of its own. */
function divide(events: string): readonly string[] {
  const { groups } = resolveEvents(parseEvents(events), { sysfs: '/nowhere' });
  return findRatios(groups.flatMap((group) => group.events)).map(
    ({ kind, numerator, denominator }) => `${numerator.name}/${denominator.name}: ${kind}`,
  );
}

test('findRatios divides instructions by cycles, and misses by what they are misses of', () => {
  assert.deepEqual(
    divide(
      'cycles,instructions,cache-misses,cache-references,branch-misses,branches,L1-dcache-load-misses,L1-dcache-loads',
    ),
    [
      'instructions/cycles: instructions_per_cycle',
      'cache-misses/cache-references: cache_miss_ratio',
      'branch-misses/branches: branch_miss_ratio',
      'L1-dcache-load-misses/L1-dcache-loads: cache_miss_ratio',
    ],
  );
});

test('findRatios divides only what is counted in the same way', () => {
  assert.deepEqual(divide('cycles:u,instructions:k,LLC-load-misses,LLC-stores'), []);
  assert.deepEqual(divide('cycles,cycles:u,instructions:u'), [
    'instructions:u/cycles:u: instructions_per_cycle',
  ]);
});
