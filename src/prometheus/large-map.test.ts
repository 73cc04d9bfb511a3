import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../testing/random.fixture.js';
import { LargeMap } from './large-map.js';

test('LargeMap has what a Map has, while more keys than one part holds come and go', () => {
  const random = createRandom(3);
  const map = new LargeMap<number, { readonly key: number }>();
  const expected = new Map<number, { readonly key: number }>();
  for (let i = 0; i < 300_000; i++) {
    const key = random.whole(100_000);
    const isRemoved = i > 200_000 ? random.whole(2) === 0 : false;
    if (isRemoved) {
      map.delete(key);
      expected.delete(key);
    } else if (!expected.has(key)) {
      const value = { key };
      map.add(key, value);
      expected.set(key, value);
    }
  }
  assert.ok(expected.size > 32_768);
  assert.equal(map.size, expected.size);
  for (let key = 0; key < 100_000; key++) assert.equal(map.get(key), expected.get(key));
  assert.deepEqual(new Map(map), expected);
});

test('LargeMap can be emptied while it is iterated', () => {
  const map = new LargeMap<number, object>();
  for (let key = 0; key < 70_000; key++) map.add(key, { key });
  let found = 0;
  for (const [key] of map) {
    map.delete(key);
    found += 1;
  }
  assert.deepEqual([found, map.size], [70_000, 0]);
});

test('LargeMap gives the room of keys that are gone to others', () => {
  const map = new LargeMap<number, object>();
  const value = {};
  for (let round = 0; round < 40; round++) {
    for (let key = 0; key < 10_000; key++) map.add(10_000 * round + key, value);
    if (round >= 3) for (let key = 0; key < 10_000; key++) map.delete(10_000 * (round - 3) + key);
  }
  assert.equal(map.size, 30_000);
  assert.equal(map.parts, 2);
  assert.equal(map.get(0), undefined);
  assert.equal(map.get(399_999), value);
});
