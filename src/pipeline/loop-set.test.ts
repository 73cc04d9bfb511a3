import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadingLoop } from '../component/reading-loop.js';
import { LoopSet } from './loop-set.js';

function createLoop(overrides: Partial<ReadingLoop> = {}) {
  const calls: string[] = [];
  const loop: ReadingLoop = {
    setting: 'collection_interval',
    intervalMs: 1000,
    dueMs: 0,
    isFailing: false,
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    setInterval: (ms) => void calls.push(`set ${ms}`),
    ...overrides,
  };
  return { loop, calls };
}

function refuse(): never {
  throw new RangeError('too often');
}

const limits = () => ({ min: 100, max: 5000 });

test('LoopSet pauses and resumes all of its loops, including those that start meanwhile', async () => {
  const set = new LoopSet('receiver "mixed"');
  const first = createLoop();
  set.join(first.loop);
  await set.pause();
  const second = createLoop({ setting: 'sampling_interval' });
  set.join(second.loop);
  assert.equal(set.isPaused, true);
  await set.resume();
  assert.deepEqual(
    [first.calls, second.calls],
    [
      ['pause', 'resume'],
      ['pause', 'resume'],
    ],
  );
  assert.equal(set.isPaused, false);
});

test('LoopSet sets one interval, including that of loops that start later, but not of those that have ended', async () => {
  const set = new LoopSet('receiver "meters"');
  const [ended, running, later] = [createLoop(), createLoop(), createLoop()];
  const leave = set.join(ended.loop);
  set.join(running.loop);
  leave();
  await set.setInterval(500);
  set.join(later.loop);
  assert.deepEqual([ended.calls, running.calls, later.calls], [[], ['set 500'], ['set 500']]);
});

test('LoopSet requires the name of the interval when there are two', async () => {
  const set = new LoopSet('receiver "mixed"');
  const [collection, sampling] = [createLoop(), createLoop({ setting: 'sampling_interval', intervalMs: 1 })];
  set.join(collection.loop);
  set.join(sampling.loop);
  assert.deepEqual(
    [...set.intervals],
    [
      ['sampling_interval', 1],
      ['collection_interval', 1000],
    ],
  );
  await assert.rejects(set.setInterval(500), {
    message:
      'Cannot set the interval of receiver "mixed": expected which one, sampling_interval or collection_interval, found none',
  });
  await assert.rejects(set.setInterval(500, 'flush_interval'), /found "flush_interval"$/u);
  await set.setInterval(500, 'sampling_interval');
  assert.deepEqual([collection.calls, sampling.calls], [[], ['set 500']]);
});

test('LoopSet keeps the previous interval when a loop refuses another one', async () => {
  const set = new LoopSet('receiver "rapl"');
  set.join(createLoop({ setInterval: refuse }).loop);
  await assert.rejects(set.setInterval(500), /too often/u);
  const later = createLoop();
  set.join(later.loop);
  assert.deepEqual(later.calls, []);
});

test('LoopSet refuses operations that a receiver without loops does not support', async () => {
  const set = new LoopSet('receiver "otlp"');
  const message = 'receiver "otlp": expected a receiver that reads at intervals, found one that does not';
  await assert.rejects(set.pause(), { message: `Cannot pause ${message}` });
  await assert.rejects(set.resume(), { message: `Cannot resume ${message}` });
  await assert.rejects(set.setInterval(1), { message: `Cannot set the interval of ${message}` });
});

test('LoopSet.findStallMs requires every loop to be late by more than its interval explains', () => {
  const set = new LoopSet('receiver "meters"');
  assert.equal(set.findStallMs(1e9), undefined);
  set.join(createLoop({ dueMs: 1000 }).loop);
  assert.equal(set.findStallMs(13_000), undefined);
  assert.equal(set.findStallMs(13_001), 12_001);
  set.join(createLoop({ dueMs: 5000, intervalMs: 60_000 }).loop);
  assert.equal(set.findStallMs(100_000), undefined);
  assert.equal(set.findStallMs(140_000), 135_000);
  set.join(createLoop({ dueMs: Infinity }).loop);
  assert.equal(set.findStallMs(1e9), undefined);
});

test('LoopSet refuses an interval that the setting does not allow', async () => {
  const set = new LoopSet('receiver "shelly"');
  const { loop, calls } = createLoop();
  set.join(loop);
  await assert.rejects(set.setInterval(50, undefined, limits), {
    message:
      'Cannot set the interval of receiver "shelly": expected collection_interval from 100ms to 5s, found 50ms',
  });
  await set.setInterval(100, undefined, limits);
  assert.deepEqual(calls, ['set 100']);
});
