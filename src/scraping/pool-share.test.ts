import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PoolShare } from './pool-share.js';

test('PoolShare runs two tasks at a time, in order, also after one that fails', async () => {
  const share = new PoolShare();
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const start = (number: number) =>
    share.run(async () => {
      begun.push(number);
      await new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
      return number;
    });
  const first = start(1);
  assert.equal(share.isTaken, false);
  const all = [first, ...[2, 3, 4].map(start)];
  await setImmediate();
  assert.deepEqual([begun, share.isTaken], [[1, 2], true]);
  ends[1]?.(new Error('broken'));
  await assert.rejects(async () => all[1], { message: 'broken' });
  await setImmediate();
  assert.deepEqual(begun, [1, 2, 3]);
  ends[0]?.();
  ends[2]?.();
  await setImmediate();
  assert.deepEqual([begun, share.isTaken], [[1, 2, 3, 4], false]);
  ends[3]?.();
  assert.deepEqual(await Promise.all([first, all[2], all[3]]), [1, 3, 4]);
  assert.equal(share.isTaken, false);
});
