import { createNoopMeter, type Counter, type Meter } from '@opentelemetry/api';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { UnavailableError } from '../component/errors.js';
import { createLogCollector, createTableCollector, type TableCollector } from '../contract/fakes.js';
import { countOpen, countThreads, expectNothingLeft } from '../contract/open-resources.js';
import { until } from '../contract/until.js';
import { enterRealTime, leaveRealTime } from '../linux/thread.js';
import type { Metric } from '../model/series.js';
import type { SamplerRequest } from './sampling.js';
import { createSampling } from './sampling-threads.js';
import { createTestControl, mode, word } from './test-sampler.fixture.js';

const metric: Metric = { name: 'test', unit: '1', description: '', kind: 'counter', valueType: 'int' };
const resource = { attributes: {} };

/** Sampling with the test sampler, its control, and what arrives. */
function createRig(
  t: TestContext,
  overrides: Partial<SamplerRequest> & { readonly stopTimeoutMs?: number } = {},
) {
  const { stopTimeoutMs = 120_000, ...requested } = overrides;
  const [log, threadLog] = [createLogCollector(), createLogCollector()];
  const next = createTableCollector();
  const control = createTestControl();
  const { meter, counts } = createCounts();
  const sampling = createSampling({ log: threadLog, meter, stopTimeoutMs });
  t.after(() => sampling.shutdown());
  const request: SamplerRequest = {
    id: 'test',
    module: new URL('./test-sampler.fixture.js', import.meta.url),
    options: control,
    periodNs: 1e6,
    flushMs: 5,
    // What the test sampler gives.
    describe: (columns, start) =>
      (columns as string[]).map((column) => ({ metric, resource, attributes: { column }, start })),
    next,
    log,
    ...requested,
  };
  return { log, threadLog, next, control, counts, sampling, request };
}

/** The sums of all counters by name. */
function createCounts(): { readonly meter: Meter; readonly counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const createCounter = (name: string): Counter => ({
    add: (value) => void counts.set(name, (counts.get(name) ?? 0) + value),
  });
  return { counts, meter: Object.create(createNoopMeter(), { createCounter: { value: createCounter } }) };
}

/** The values of the first columns whose series has this attribute, and their instants. */
function rowsOf({ tables }: TableCollector, column: string) {
  const mine = tables.filter(({ series }) => series[0]?.attributes['column'] === column);
  return {
    values: mine.flatMap(({ series, values }) =>
      Array.from(values).filter((_, cell) => cell % series.length === 0),
    ),
    instants: mine.flatMap(({ epoch, offsets }) => Array.from(offsets, (offset) => epoch + BigInt(offset))),
  };
}

function countUp(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

test('twenty starts and stops leave nothing open', async (t) => {
  const { sampling, request } = createRig(t);
  await (await sampling.start(request)).stop();
  const before = countOpen();
  for (let round = 0; round < 20; round++) {
    const sampler = await sampling.start({ ...request, ownThread: round % 2 === 0 });
    await sampler.stop();
  }
  await expectNothingLeft(before);
});

test('start hands on what is read, in order and with ascending instants', async (t) => {
  const { next, control, sampling, request } = createRig(t);
  const before = BigInt(Date.now()) * 1_000_000n;
  const sampler = await sampling.start(request);
  assert.ok(next.tables.length > 0);
  await until(() => next.tables.length > 5);
  await sampler.stop();
  const { values, instants } = rowsOf(next, 'g0c0');
  assert.deepEqual(values, countUp(control[word.reads]));
  assert.equal(new Set(next.tables.map(({ series }) => series)).size, 1);
  assert.equal(next.tables[0].series[0].start, instants[0]);
  assert.ok(instants.every((instant, row) => row === 0 || instant > instants[row - 1]));
  assert.ok(
    instants[0] > before - 2_000_000n && (instants.at(-1) ?? 0n) <= BigInt(Date.now() + 2) * 1_000_000n,
  );
});

test('stop hands on every row that was read, when the main thread is busy and the sampler fast', async (t) => {
  const { next, control, counts, sampling, request } = createRig(t, { periodNs: 1e5, flushMs: 100 });
  const sampler = await sampling.start(request);
  await until(() => control[word.reads] > 100);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  const stopped = sampler.stop();
  assert.equal(sampler.stop(), stopped);
  await stopped;
  assert.deepEqual(rowsOf(next, 'g0c0').values, countUp(control[word.reads]));
  assert.equal(counts.get('joulemetry.sampler.ticks'), control[word.reads]);
  assert.equal(counts.get('joulemetry.sampler.dropped_rows'), 0);
  assert.equal(control[word.closed], 1);
});

test('flush takes a reading now and hands on every row', async (t) => {
  const { next, sampling, request } = createRig(t, { periodNs: 3.6e12, flushMs: 3.6e6 });
  const sampler = await sampling.start(request);
  await sampler.flush();
  assert.deepEqual(rowsOf(next, 'g0c0').values, [0, 1]);
  await sampler.stop();
  await sampler.flush();
  assert.deepEqual(rowsOf(next, 'g0c0').values, [0, 1, 2]);
});

test('a thread reads several samplers, each at its own period', async (t) => {
  const { sampling, request } = createRig(t);
  const threads = countThreads();
  const [fast, slow] = [createRig(t), createRig(t, { periodNs: 20e6 })];
  await sampling.start({ ...request, next: fast.next, options: fast.control });
  await sampling.start({ ...request, next: slow.next, options: slow.control, periodNs: 20e6 });
  assert.equal(countThreads(), threads + 1);
  await until(() => slow.control[word.reads] > 3);
  await sampling.shutdown();
  assert.ok(fast.control[word.reads] > slow.control[word.reads]);
  for (const { next, control } of [fast, slow]) {
    assert.deepEqual(rowsOf(next, 'g0c0').values, countUp(control[word.reads]));
  }
});

test('ownThread keeps a sampler that blocks away from others', async (t) => {
  const { sampling, request } = createRig(t);
  const [free, blocked] = [createRig(t), createRig(t)];
  blocked.control[word.mode] = mode.normal;
  await sampling.start({ ...request, options: blocked.control, ownThread: true });
  await sampling.start({ ...request, options: free.control });
  blocked.control[word.mode] = mode.hang;
  const reads = free.control[word.reads];
  await until(() => free.control[word.reads] > reads + 10);
  blocked.control[word.mode] = mode.normal;
  await sampling.shutdown();
});

test('a reading that comes late counts the ticks that it missed', async (t) => {
  const { control, counts, sampling, request } = createRig(t, { periodNs: 10e6 });
  const sampler = await sampling.start(request);
  control[word.mode] = mode.block;
  await until(() => control[word.mode] === mode.normal);
  await until(() => (counts.get('joulemetry.sampler.missed_ticks') ?? 0) >= 3);
  await sampler.stop();
});

test('a sampler that fails is opened again with new series, and the log says so twice', async (t) => {
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
    'info: Reading again',
  ]);
  const again = next.tables.slice(next.tables.findIndex(({ ended }) => ended !== undefined) + 1);
  assert.equal(again[0].values[0], 0);
  assert.equal(again[0].series[0].start, again[0].epoch);
  assert.equal(control[word.opened], control[word.closed]);
});

test('a new generation ends the series before it and begins others', async (t) => {
  const { next, control, sampling, request } = createRig(t);
  const sampler = await sampling.start(request);
  control[word.mode] = mode.newGeneration;
  await until(() => rowsOf(next, 'g1c0').values.length > 3);
  await sampler.stop();
  const [before, after] = [rowsOf(next, 'g0c0'), rowsOf(next, 'g1c0')];
  assert.deepEqual(before.values, countUp(before.values.length));
  assert.deepEqual(after.values, countUp(after.values.length));
  assert.equal(before.values.length + after.values.length, control[word.reads]);
  const ending = next.tables.findIndex(({ ended }) => ended !== undefined);
  assert.equal(next.tables[ending].ended, next.tables[0].series);
  assert.equal(next.tables[ending].epoch, before.instants.at(-1));
  assert.equal(next.tables[ending + 1].series[0].start, after.instants[0]);
});

test('a sampler may have more columns after maintain', async (t) => {
  const { next, control, sampling, request } = createRig(t);
  const sampler = await sampling.start(request);
  control[word.mode] = mode.newColumn;
  await until(() => rowsOf(next, 'g1c0').values.length > 3);
  await sampler.stop();
  const last = next.tables.at(-1);
  assert.deepEqual(
    last?.series.map(({ attributes }) => attributes['column']),
    ['g1c0', 'g1c1'],
  );
  assert.equal(last?.values[1], 1);
});

test('start rejects with the words of the sampler, when it cannot be opened', async (t) => {
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

test('a table that is refused or cannot be described is counted', async (t) => {
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
    'error: Cannot hand on readings: the sampler gives 1 values, but its columns were described as 0',
  ]);
});

test('a thread that dies is replaced, and its samplers go on with new series', async (t) => {
  const { threadLog, next, control, sampling, request } = createRig(t);
  const sampler = await sampling.start(request);
  control[word.mode] = mode.crash;
  await until(() => next.tables.some(({ ended }) => ended !== undefined));
  const tables = next.tables.length;
  await until(() => next.tables.length > tables + 3);
  assert.ok(threadLog.lines.includes('error: Cannot go on in a sampling thread: it exited'));
  assert.notEqual(next.tables[tables].series, next.tables[0].series);
  await sampler.stop();
});

test('every thread that begins is told of', async (t) => {
  const { threadLog, control, request } = createRig(t);
  let begun = 0;
  const { meter } = createCounts();
  const sampling = createSampling({ log: threadLog, meter, onThread: () => void begun++ });
  t.after(() => sampling.shutdown());
  const sampler = await sampling.start(request);
  await until(() => begun === 1);
  control[word.mode] = mode.crash;
  await until(() => begun >= 2);
  await sampler.stop();
});

test('stop gives a thread up that does not answer', async (t) => {
  const { threadLog, control, sampling, request } = createRig(t, { stopTimeoutMs: 100 });
  const sampler = await sampling.start(request);
  control[word.mode] = mode.hang;
  await sampler.stop();
  assert.equal(
    threadLog.lines.at(-1),
    'error: Cannot stop a sampler: no answer from its thread after 100 ms',
  );
  await sampling.shutdown();
});

test('a process can exit while a sampler waits for its next reading', () => {
  const script = `
    const { createSampling } = await import(${JSON.stringify(new URL('./sampling-threads.js', import.meta.url).href)});
    const { createFakeContext } = await import(${JSON.stringify(new URL('../contract/fakes.js', import.meta.url).href)});
    const { log, meter } = createFakeContext();
    await createSampling({ log, meter }).start({
      id: 'test', log, next: { consume: () => true }, describe: () => [], periodNs: 60e9, flushMs: 60e3,
      module: new URL(${JSON.stringify(new URL('./test-sampler.fixture.js', import.meta.url).href)}),
      options: new Int32Array(new SharedArrayBuffer(16)),
    });
    process.exit(7);
  `;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(status, 7, stderr);
});

const refusal = enterRealTime();
leaveRealTime();
const mustHaveRights = process.env['JOULEMETRY_TEST_ROOT'] === 'required';
const noRealTime = refusal !== undefined && !mustHaveRights && `real-time scheduling is refused: ${refusal}`;

test('fast samplers have real-time scheduling, and nobody else has', { skip: noRealTime }, async (t) => {
  const { threadLog, sampling, request } = createRig(t);
  const slow = await sampling.start({ ...request, periodNs: 4e6 });
  assert.equal(countRealTimeThreads(), 0);
  const fast = await sampling.start({ ...request, periodNs: 3e6 });
  assert.equal(countRealTimeThreads(), 1);
  await fast.stop();
  assert.equal(countRealTimeThreads(), 0);
  await slow.stop();
  assert.deepEqual(threadLog.lines, []);
});

test(
  'the refusal of real-time scheduling is logged once',
  { skip: refusal === undefined && 'it is permitted here' },
  async (t) => {
    const { threadLog, sampling, request } = createRig(t);
    await sampling.start(request);
    await sampling.start({ ...request, ownThread: true });
    await sampling.shutdown();
    assert.equal(threadLog.lines.length, 1);
    assert.match(threadLog.lines[0], /^info: Cannot use real-time scheduling .* EPERM, wanted CAP_SYS_NICE/);
  },
);

/** Field 41 of `stat` is the scheduling policy; 1 is SCHED_FIFO. */
function countRealTimeThreads(): number {
  const stats = readdirSync('/proc/self/task').map((task) =>
    readFileSync(`/proc/self/task/${task}/stat`, 'utf8'),
  );
  return stats.filter((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38] === '1').length;
}
