import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnavailableError } from '../errors.js';
import { countThreads } from '../linux/open-resources.js';
import { until } from '../testing/until.js';
import { createRig } from './sampling-rig.fixture.js';
import { mode, word } from './test-sampler.fixture.js';

test('a sampler that fails is reopened with new series, which is logged twice', async (t) => {
  const { log, next, control, counts, sampling, request } = createRig(t);
  const sampler = await sampling.start(request);
  const [first] = next.tables[0].series;
  control[word.mode] = mode.failRead;
  await until(() => next.tables.some(({ ended }) => ended?.[0] === first));
  await until(() => (counts.get('joulemetry.sampler.failures') ?? 0) > 1);
  control[word.mode] = mode.normal;
  await until(() => log.lines.length > 1);
  await sampler.stop();
  assert.deepEqual(log.lines, [
    'warn: Cannot read the test sampler: no fuel; trying again',
    'info: Recovered, reading again',
  ]);
  const again = next.tables.slice(next.tables.findIndex(({ ended }) => ended !== undefined) + 1);
  assert.equal(again[0].values[0], 0);
  assert.equal(again[0].series[0].start, again[0].epoch);
  assert.equal(control[word.opened], control[word.closed]);
});

test("start rejects with the sampler's message when it cannot be opened", async (t) => {
  const { control, sampling, request } = createRig(t);
  const threads = countThreads();
  control[word.mode] = mode.failOpen;
  const error = new UnavailableError('Cannot open the test sampler: no fuel');
  await assert.rejects(sampling.start(request), error);
  await assert.rejects(
    sampling.start({ ...request, module: new URL('file:///nowhere.js') }),
    UnavailableError,
  );
  await assert.rejects(sampling.start({ ...request, periodNs: 10_000 }), /at least 20000 ns/);
  await sampling.shutdown();
  await assert.rejects(sampling.start(request), /shut down/);
  assert.equal(countThreads(), threads);
});

test('a table that is rejected or cannot be described is counted', async (t) => {
  const { log, counts, sampling, request } = createRig(t);
  const refused = await sampling.start({ ...request, next: { consume: () => false } });
  await refused.stop();
  const dropped = counts.get('joulemetry.sampler.dropped_rows') ?? 0;
  assert.equal(dropped, counts.get('joulemetry.sampler.ticks'));
  assert.ok((counts.get('joulemetry.sampler.dropped_tables') ?? 0) > 0);
  const undescribed = await sampling.start({ ...request, describe: () => [] });
  await undescribed.flush();
  await undescribed.stop();
  assert.equal(counts.get('joulemetry.sampler.dropped_rows'), counts.get('joulemetry.sampler.ticks'));
  assert.deepEqual(log.lines, [
    'error: Cannot forward readings: expected 0 values, one for each column of the sampler, found 1',
  ]);
});

test('a thread that dies is replaced, and its samplers continue with new series', async (t) => {
  const { threadLog, next, control, sampling, request } = createRig(t);
  const sampler = await sampling.start(request);
  control[word.mode] = mode.crash;
  await until(() => next.tables.some(({ ended }) => ended !== undefined));
  const tables = next.tables.length;
  await until(() => next.tables.length > tables + 3);
  assert.ok(threadLog.lines.includes('error: Cannot continue in a sampling thread: it exited'));
  assert.notEqual(next.tables[tables].series, next.tables[0].series);
  await sampler.stop();
});

test('stop abandons a thread that does not answer', async (t) => {
  const { threadLog, control, sampling, request } = createRig(t, { stopTimeoutMs: 100 });
  const sampler = await sampling.start(request);
  control[word.mode] = mode.hang;
  await sampler.stop();
  assert.equal(
    threadLog.lines.at(-1),
    'error: Cannot stop a sampler: expected an answer of its thread, found none within 100 ms',
  );
  await sampling.shutdown();
});
