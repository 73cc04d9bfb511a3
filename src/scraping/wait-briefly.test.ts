import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitBriefly } from './wait-briefly.js';

test('waitBriefly waits for all, but not for one that never ends', async () => {
  let done = 0;
  const quick = [1, 2].map(async (ms) => {
    await sleep(ms);
    done++;
  });
  await waitBriefly(quick, 60_000);
  assert.equal(done, 2);
  const never = new Promise<void>(() => {});
  await waitBriefly([never, ...quick], 1);
  await waitBriefly([], 60_000);
});
