import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createFakeContext } from '../component/fakes.js';
import { elementAt } from '../element.js';
import { createLoopCollector } from '../scraping/reading-loop.fixture.js';
import { until } from '../testing/until.js';
import { createSamplingReceiver } from './sampling-receiver.js';
import { createRig, rowsOf } from './sampling-rig.fixture.js';
import { mode, word } from './test-sampler.fixture.js';

test('a paused sampler is not read, and its series continue after a gap', async (t) => {
  const { sampling, request, next, control } = createRig(t);
  const sampler = await sampling.start(request);
  await until(() => next.tables.length > 2);
  await sampler.pause();
  const before = Atomics.load(control, word.reads);
  const { values: paused } = rowsOf(next, 'g0c0');
  assert.deepEqual([paused.at(-1), paused.at(-2)], [NaN, before - 1]);
  await setTimeout(50);
  assert.equal(Atomics.load(control, word.reads), before);
  await sampler.flush();
  assert.equal(Atomics.load(control, word.reads), before + 1);
  await sampler.resume();
  assert.ok(Atomics.load(control, word.reads) > before + 1);
  await until(() => Atomics.load(control, word.reads) > before + 20);
  await sampler.stop();
  const { values, instants } = rowsOf(next, 'g0c0');
  assert.equal(values.filter(Number.isNaN).length, 1);
  const read = values.filter((value) => !Number.isNaN(value));
  assert.deepEqual(read, [...read.keys()]);
  assert.deepEqual(
    instants,
    instants.toSorted((a, b) => Number(a - b)),
  );
  assert.deepEqual(
    next.tables.flatMap(({ ended = [] }) => ended),
    [],
  );
});

test('a sampler is read with another period immediately, with the same series', async (t) => {
  const { sampling, request, next, control } = createRig(t, { periodNs: 3600e9, flushMs: 1 });
  const sampler = await sampling.start(request);
  await setTimeout(20);
  assert.equal(Atomics.load(control, word.reads), 1);
  await sampler.setPeriod(1e6);
  await until(() => Atomics.load(control, word.reads) > 20);
  await sampler.stop();
  const { values } = rowsOf(next, 'g0c0');
  assert.deepEqual(values, [...values.keys()]);
  assert.ok(values.length > 20);
});

test('a period that is too short is rejected, and the previous one is kept', async (t) => {
  const { sampling, request } = createRig(t);
  const sampler = await sampling.start(request);
  await assert.rejects(sampler.setPeriod(10), RangeError);
});

test('a paused sampler remains paused in a replacement thread', async (t) => {
  const { sampling, request, control, threadLog } = createRig(t);
  const sampler = await sampling.start(request);
  await sampler.pause();
  Atomics.store(control, word.mode, mode.crash);
  await sampler.flush();
  Atomics.store(control, word.mode, mode.normal);
  await until(() => Atomics.load(control, word.opened) === 2);
  assert.match(threadLog.lines[0] ?? '', /^error: Cannot continue in a sampling thread/u);
  await sampler.flush();
  const before = Atomics.load(control, word.reads);
  await setTimeout(50);
  assert.equal(Atomics.load(control, word.reads), before);
  await sampler.resume();
  await until(() => Atomics.load(control, word.reads) > before + 5);
});

test('createSamplingReceiver lets its sampler be controlled, with the period that its interval requires', async (t) => {
  const { sampling, request, next, control } = createRig(t);
  const loops = createLoopCollector();
  const chosen: number[] = [];
  const receiver = createSamplingReceiver({
    context: { ...createFakeContext({ sampling }), loops },
    next,
    module: request.module,
    options: control,
    intervalMs: 3600e3,
    flushMs: 1,
    choosePeriodMs: (ms) => (chosen.push(ms), ms / 2),
    createSeries: (columns: readonly string[], start) => request.describe(columns, start),
  });
  await receiver.start();
  const loop = elementAt(loops.loops, 0);
  assert.deepEqual([loop.setting, loop.intervalMs, loop.isFailing], ['sampling_interval', 3600e3, false]);
  await loop.setInterval(2);
  await until(() => Atomics.load(control, word.reads) > 10);
  await loop.pause();
  assert.equal(loop.dueMs, Infinity);
  await loop.resume();
  assert.ok(loop.dueMs < Infinity);
  assert.deepEqual([chosen, loop.intervalMs], [[3600e3, 2], 2]);
  await receiver.shutdown();
  assert.deepEqual(loops.loops, []);
});
