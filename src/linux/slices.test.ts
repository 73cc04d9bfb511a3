import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectInSlices, letWaitingRun, runInSlices, Slices } from './slices.js';

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

/** A clock that each step moves on by a millisecond, and in which turn of the event loop each step was taken. */
class CountedSteps {
  readonly turns: number[] = [];
  readonly slices = new Slices(() => this.turns.length);
  #turn = 0;
  readonly #immediate = (): void => {
    this.#turn++;
    setImmediate(this.#immediate).unref();
  };

  constructor() {
    setImmediate(this.#immediate).unref();
  }

  run(count: number): Promise<void> {
    return runInSlices(this.#take(count), this.slices);
  }

  /** How many steps were taken in the turn that had most of them. */
  get most(): number {
    return Math.max(...this.turns.map((turn) => this.turns.filter((other) => other === turn).length));
  }

  *#take(count: number): Generator<void> {
    for (let i = 0; i < count; i++) {
      this.turns.push(this.#turn);
      yield;
    }
  }
}

test('Slices are shared by works that run side by side', async () => {
  const counted = new CountedSteps();
  await Promise.all([counted.run(10), counted.run(10), counted.run(10)]);
  assert.deepEqual([counted.turns.length, counted.most], [30, 2]);
});

test('Slices are shared by works that follow one another', async () => {
  const counted = new CountedSteps();
  for (let i = 0; i < 10; i++) await counted.run(1);
  assert.deepEqual([counted.turns.length, counted.most], [10, 2]);
});

test('Slices begin one slice in each turn of the event loop, however long ago the last one began', async () => {
  let nowMs = 0;
  const slices = new Slices(() => nowMs);
  assert.equal(slices.isOver, false);
  nowMs = 100;
  assert.equal(slices.isOver, true);
  await nextTurn();
  assert.equal(slices.isOver, false);
});

test('Slices do not begin a second one in a turn, when one began late in the turn before', async () => {
  let nowMs = 0;
  const slices = new Slices(() => nowMs);
  const others = slices.letOthersRun();
  // Begun after the others were asked to run: its end is noticed after their slice has begun.
  assert.equal(slices.isOver, false);
  const later = nextTurn();
  nowMs = 1;
  await others;
  nowMs = 3;
  await later;
  assert.equal(slices.isOver, true);
});

test('letWaitingRun lets code that waits for promises run, and the code that waits for it', async () => {
  const run: number[] = [];
  const note = async (level: number): Promise<void> => {
    await (level > 0 ? note(level - 1) : Promise.resolve());
    run.push(level);
  };
  void note(20);
  await letWaitingRun();
  assert.equal(run.length, 21);
});
