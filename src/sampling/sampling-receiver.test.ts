import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createFakeSampler, createTableCollector } from '../component/fakes.js';
import { createSamplingReceiver } from './sampling-receiver.js';
import { createRig, rowsOf } from './sampling-rig.fixture.js';
import { mode, word } from './test-sampler.fixture.js';

/** A receiver whose readings the test triggers. */
function create(...[t, overrides]: Parameters<typeof createRig>) {
  const { request, sampling, control, log, next } = createRig(t, overrides);
  const receiver = createSamplingReceiver<string[]>({
    context: createFakeContext({ id: 'test', log, sampling }),
    next,
    module: request.module,
    options: request.options,
    intervalMs: 3_600_000,
    flushMs: 3_600_000,
    createSeries: (columns, start) => request.describe(columns, start),
  });
  return { receiver, control, next };
}

test('createSamplingReceiver publishes a reading at its start, at every flush and before it stops', async (t) => {
  const { receiver, control, next } = create(t);
  await receiver.start();
  await receiver.flush?.();
  await receiver.flush?.();
  assert.deepEqual(rowsOf(next, 'g0c0').values, [0, 1, 2]);
  await receiver.shutdown();
  await receiver.shutdown();
  assert.deepEqual(rowsOf(next, 'g0c0').values, [0, 1, 2, 3]);
  assert.deepEqual([control[word.opened], control[word.closed]], [1, 1]);
});

test('createSamplingReceiver creates the series of a new generation from its columns', async (t) => {
  const { receiver, control, next } = create(t);
  await receiver.start();
  Atomics.store(control, word.mode, mode.newGeneration);
  await receiver.flush?.();
  assert.deepEqual(rowsOf(next, 'g1c0').values, [0]);
  await receiver.shutdown();
});

test('createSamplingReceiver does nothing when it is shut down without a start', async (t) => {
  const { receiver, control } = create(t);
  await receiver.flush?.();
  await receiver.shutdown();
  assert.equal(control[word.opened], 0);
});

test('createSamplingReceiver does not start when its sampler cannot be opened', async (t) => {
  const { receiver, control, next } = create(t);
  Atomics.store(control, word.mode, mode.failOpen);
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
  await receiver.shutdown();
  assert.deepEqual(next.tables, []);
});

test('createSamplingReceiver samples at its interval, in nanoseconds, on the configured thread', async () => {
  const requests: unknown[] = [];
  const context = createFakeContext({
    id: 'meter/slow',
    sampling: {
      start: ({ id, periodNs, flushMs, ownThread }) => {
        requests.push([id, periodNs, flushMs, ownThread]);
        return Promise.resolve(createFakeSampler());
      },
      shutdown: () => Promise.resolve(),
    },
  });
  const common = {
    context,
    next: createTableCollector(),
    module: new URL('file:///sampler.js'),
    options: undefined,
    createSeries: () => [],
  };
  await createSamplingReceiver({ ...common, intervalMs: 1 / 3, flushMs: 10 }).start();
  await createSamplingReceiver({ ...common, intervalMs: 1, flushMs: 50, ownThread: true }).start();
  assert.deepEqual(requests, [
    ['meter/slow', 333_333, 10, false],
    ['meter/slow', 1_000_000, 50, true],
  ]);
});
