import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../testing/random.fixture.js';
import { portion, share } from './share.js';

test('share reproduces the shares of the worked example', () => {
  const shares: number[] = [];
  const given = share(20e9, [100e6, 80e6, 70e6, 60e6, 200e6, 90e6, 110e6], 1000e6, shares);
  assert.deepEqual(shares, [2.0e9, 1.6e9, 1.4e9, 1.2e9, 4.0e9, 1.8e9, 2.2e9]);
  assert.equal(given, 14.2e9);
});

test('share distributes everything if the parts add up to the whole', () => {
  const shares: number[] = [];
  assert.equal(share(10, [1, 1, 1], 3, shares), 10);
  assert.deepEqual(shares, [3, 4, 3]);
});

test('share gives 0 to a part of 0', () => {
  const shares: number[] = [];
  share(7, [0, 1, 0, 1, 0], 2, shares);
  assert.deepEqual(shares, [0, 4, 0, 3, 0]);
});

test('portion rounds halves up', () => {
  assert.equal(portion(5, 1, 2), 3);
  assert.equal(portion(1, 1, 2), 1);
  assert.equal(portion(3, 1, 6), 1);
});

test('portion is exact if the product exceeds the precision of doubles', () => {
  const random = createRandom(1);
  for (let i = 0; i < 20_000; i++) {
    const total = random.whole(2 ** random.whole(53));
    const whole = 1 + random.whole(2 ** random.whole(53));
    const part = random.whole(whole + 1);
    const exact = (2n * BigInt(total) * BigInt(part) + BigInt(whole)) / (2n * BigInt(whole));
    assert.equal(portion(total, part, whole), Number(exact), `${total} * ${part} / ${whole}`);
  }
});
