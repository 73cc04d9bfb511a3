import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killAtRandom } from './kill.fixture.js';

/** `npm run test:faults` kills it 200 times. */
const kills = 6;

test(`a sending queue with a storage loses no accepted request, when it is killed ${kills} times at random`, async (t) => {
  const { accepted, doubled, lost, left } = await killAtRandom(t, kills);
  assert.ok(accepted > kills);
  assert.deepEqual([lost, left], [[], []]);
  // One request is in flight when the program is killed; only that one may be sent again.
  assert.ok(doubled <= kills, `${doubled} were sent again`);
});
