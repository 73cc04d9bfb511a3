import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlicedWork, type Steps } from './sliced-work.js';

/** Steps that take some milliseconds each. */
function* createSteps(name: string, count: number, ms: number, done: string[]): Steps {
  for (let step = 0; step < count; step += 1) {
    for (const endMs = performance.now() + ms; performance.now() < endMs;);
    yield;
  }
  done.push(name);
}

test('SlicedWork does short work immediately', () => {
  const work = new SlicedWork(() => assert.fail());
  const done: string[] = [];
  work.add(createSteps('a', 100, 0, done));
  work.add(createSteps('b', 1, 0, done));
  assert.deepEqual([done, work.isBusy], [['a', 'b'], false]);
});

test('SlicedWork yields to other work between the parts of long work, and keeps the order', async () => {
  const work = new SlicedWork(() => assert.fail());
  const done: string[] = [];
  work.add(createSteps('long', 10, 3, done));
  work.add(createSteps('short', 1, 0, done));
  assert.deepEqual([done, work.isBusy], [[], true]);
  let turns = 0;
  const count = () => {
    turns += 1;
    if (work.isBusy) setImmediate(count);
  };
  setImmediate(count);
  await work.settle();
  assert.deepEqual([done, work.isBusy], [['long', 'short'], false]);
  assert.ok(turns >= 3, `${turns}`);
  await work.settle();
});

test('SlicedWork continues after work that failed', async () => {
  const failures: unknown[] = [];
  const work = new SlicedWork((error) => failures.push(error));
  const done: string[] = [];
  const failing = function* (): Steps {
    yield* createSteps('begun', 5, 3, done);
    throw new Error('no luck');
  };
  work.add(failing());
  work.add(createSteps('next', 1, 0, done));
  await work.settle();
  assert.deepEqual([done, failures.map(String)], [['begun', 'next'], ['Error: no luck']]);
  const first = createSteps('first', 1, 0, done);
  first.next = () => {
    throw new Error('at once');
  };
  assert.throws(() => work.add(first), /at once/u);
  assert.equal(work.isBusy, false);
});
