import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMemoryGrowth } from './memory-growth.js';

const seconds = 600;
const seeds = Array.from({ length: 50 }, (_, index) => index + 1);

/**
 * Ten minutes of an agent: a full collection every 22 to 39 seconds leaves 95 to 96 MiB, after which memory
 * rises by 0.2 MiB a second.
 */
function simulateAgent(seed: number): number[] {
  const random = createRandom(seed);
  const memory: number[] = [];
  while (memory.length < 2 * seconds) {
    const floor = 95 + random();
    const length = 22 + Math.floor(random() * 18);
    for (let second = 0; second < length; second++) memory.push(floor + 0.2 * second);
  }
  const begin = Math.floor(random() * 40);
  return memory.slice(begin, begin + seconds);
}

/** Numbers from 0 to 1 of a linear congruential generator. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

/** Growth that a soak reports, in MiB in ten minutes. */
function measureSoaks(leakMebibytes: number): number[] {
  return seeds.map((seed) => {
    const leaky = simulateAgent(seed).map((value, second) => value + (leakMebibytes * second) / seconds);
    return findMemoryGrowth(leaky) * seconds;
  });
}

test('findMemoryGrowth ignores the rise between collections', () => {
  assert.ok(Math.max(...measureSoaks(0)) < 1, String(measureSoaks(0)));
});

test('findMemoryGrowth finds a leak of 2 MiB in ten minutes under the rise between collections', () => {
  assert.ok(Math.min(...measureSoaks(2)) > 1, String(measureSoaks(2)));
});

test('findMemoryGrowth returns the slope of a steady leak', () => {
  const memory = Array.from({ length: seconds }, (_, second) => 90 + second / 128);
  assert.equal(findMemoryGrowth(memory), 1 / 128);
});
