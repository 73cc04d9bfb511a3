import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnavailableError } from '../errors.js';
import { until } from '../testing/until.js';
import type { GatedOptions } from './gated-source.fixture.js';
import { ReadingThread } from './reading-thread.js';
import type { SlowStartOptions } from './slow-start.fixture.js';

function open(options: GatedOptions) {
  const module = new URL('./gated-source.fixture.js', import.meta.url);
  return ReadingThread.open<number>({ name: 'Gate', module, options });
}

function createGate(): GatedOptions['gate'] {
  return new Int32Array(new SharedArrayBuffer(4));
}

test('ReadingThread rejects readings while its source hangs, and reads again when it answers', async () => {
  const gate = createGate();
  const { thread, reading } = await open({ gate, refusal: '' });
  assert.equal(reading, 0);
  assert.equal(await thread.read(), 1);
  Atomics.store(gate, 0, 1);
  await assert.rejects(thread.read(50), /Cannot read Gate: expected an answer from the driver, found none/);
  await assert.rejects(thread.read(), /expected an answer/, 'the thread gets no second order');
  const late: number[] = [];
  thread.onLate = (one) => late.push(one);
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
  // The late reading is the second one.
  await until(async () => (await thread.read().catch(() => 0)) === 3);
  assert.deepEqual(late, [2]);
  await thread.close();
  await assert.rejects(thread.read(), /expected a running thread, found an ended one, it exited/);
});

test('ReadingThread limits the time that its source takes to open, not the time to start the thread', async () => {
  const module = new URL('./slow-start.fixture.js', import.meta.url);
  const start = (options: SlowStartOptions) =>
    ReadingThread.open<string>({ name: 'Gate', module, options, openTimeoutMs: 2000 });
  const { thread, reading } = await start({ loadMs: 3000, openMs: 0 });
  assert.equal(reading, 'open');
  await thread.close();
  await assert.rejects(start({ loadMs: 0, openMs: 6000 }), /expected an answer from the driver, found none/);
});

test('ReadingThread rejects a failed reading, and continues to read', async () => {
  const gate = createGate();
  const { thread } = await open({ gate, refusal: '' });
  Atomics.store(gate, 0, 2);
  await assert.rejects(thread.read(), /^Error: Cannot read a gate: EIO$/);
  Atomics.store(gate, 0, 0);
  assert.equal(await thread.read(), 1);
  await thread.close();
});

test('ReadingThread can be closed twice, even while its source hangs', async () => {
  const gate = createGate();
  const { thread } = await open({ gate, refusal: '' });
  Atomics.store(gate, 0, 1);
  const hanging = thread.read();
  const rejected = assert.rejects(hanging, /found an ended one/);
  await Promise.all([thread.close(), thread.close()]);
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
  await rejected;
});

test('ReadingThread is unavailable with the reason why its source cannot be opened', async () => {
  const opening = open({ gate: createGate(), refusal: 'no such gate' });
  await assert.rejects(
    opening,
    (error) => error instanceof UnavailableError && error.message === 'no such gate',
  );
});
