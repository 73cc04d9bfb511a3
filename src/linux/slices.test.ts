import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectInSlices, runInSlices } from './slices.js';

/** Three items, each of which takes as long as a slice. */
function* work(): Iterable<number> {
  for (let item = 0; item < 3; item++) {
    const endMs = performance.now() + 3;
    while (performance.now() < endMs);
    yield item;
  }
}

function* steps(): Generator<void, string> {
  for (const _ of work()) yield;
  return 'done';
}

/** How often others had their turn while this ran. */
async function countTurns(run: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await run();
  isOver = true;
  return turns;
}

test('collectInSlices gives every item, and lets others run after each slice', async () => {
  let items: readonly number[] = [];
  const turns = await countTurns(async () => (items = await collectInSlices(work())));
  assert.deepEqual(items, [0, 1, 2]);
  assert.ok(turns >= 3);
});

test('runInSlices gives the result of the steps, and lets others run after each slice', async () => {
  let result = '';
  const turns = await countTurns(async () => (result = await runInSlices(steps())));
  assert.equal(result, 'done');
  assert.ok(turns >= 3);
});
