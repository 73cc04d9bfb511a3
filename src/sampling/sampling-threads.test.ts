import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { countOpen, countThreads, expectNothingLeft } from '../linux/open-resources.js';
import type { Series } from '../model/series.js';
import { until } from '../testing/until.js';
import { createCounts, createRig, rowsOf } from './sampling-rig.fixture.js';
import { createSampling } from './sampling-threads.js';
import { mode, word } from './test-sampler.fixture.js';

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

test('prepare starts the thread that the first sampler shares', async (t) => {
  const { sampling, request } = createRig(t);
  const threads = countThreads();
  sampling.prepare?.();
  await until(() => countThreads() > threads);
  const prepared = countThreads();
  const sampler = await sampling.start(request);
  assert.equal(countThreads(), prepared);
  await sampler.stop();
});

test('shutdown ends a prepared thread that no sampler has used', async (t) => {
  const { sampling, request } = createRig(t);
  await (await sampling.start(request)).stop();
  const before = countOpen();
  sampling.prepare?.();
  await sampling.shutdown();
  await expectNothingLeft(before);
});

test('start forwards the readings, in order and with ascending instants', async (t) => {
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

test('start uses instants of CLOCK_MONOTONIC plus a constant when configured', async (t) => {
  const { next, sampling, request } = createRig(t, { wallOffsetNs: 5_000_000_000n });
  const before = process.hrtime.bigint();
  await (await sampling.start(request)).stop();
  const passed = (rowsOf(next, 'g0c0').instants[0] ?? 0n) - before - 5_000_000_000n;
  assert.ok(passed > -10_000n && passed <= process.hrtime.bigint() - before, `${passed} ns`);
});

test('stop forwards every row that was read when the main thread is busy and the sampler fast', async (t) => {
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

test('start calls onFast before it opens a sampler with a period of 3 ms, not one of 4 ms', async (t) => {
  const { threadLog, request } = createRig(t);
  let calls = 0;
  const { meter } = createCounts();
  const sampling = createSampling({ log: threadLog, meter, onFast: () => void calls++ });
  t.after(() => sampling.shutdown());
  await sampling.start({ ...request, periodNs: 4e6 });
  assert.equal(calls, 0);
  const fast = sampling.start({ ...request, periodNs: 3e6 });
  assert.equal(calls, 1);
  await fast;
});

test('flush takes a reading immediately and forwards every row', async (t) => {
  const { next, sampling, request } = createRig(t, { periodNs: 3.6e12, flushMs: 3.6e6 });
  const sampler = await sampling.start(request);
  await sampler.flush();
  assert.deepEqual(rowsOf(next, 'g0c0').values, [0, 1]);
  await sampler.stop();
  await sampler.flush();
  assert.deepEqual(rowsOf(next, 'g0c0').values, [0, 1, 2]);
});

test('a thread reads several samplers, each with its period', async (t) => {
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

test('ownThread separates a sampler that blocks from others', async (t) => {
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

test('a late reading counts the ticks that it missed', async (t) => {
  const { control, counts, sampling, request } = createRig(t, { periodNs: 10e6 });
  const sampler = await sampling.start(request);
  control[word.mode] = mode.block;
  await until(() => control[word.mode] === mode.normal);
  await until(() => (counts.get('joulemetry.sampler.missed_ticks') ?? 0) >= 3);
  await sampler.stop();
});

test('a new generation ends the series of the previous one and starts others', async (t) => {
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

test('every thread that starts is reported', async (t) => {
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

test('a process can exit while a sampler waits for its next reading', () => {
  const script = `
    const { createSampling } = await import(${JSON.stringify(new URL('./sampling-threads.js', import.meta.url).href)});
    const { createFakeContext } = await import(${JSON.stringify(new URL('../component/fakes.js', import.meta.url).href)});
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

function columnsOf(series: readonly Series[]) {
  return series.map(({ attributes }) => attributes['column']);
}

test('update gives a sampler other columns: remaining ones keep their series, removed ones end', async (t) => {
  const { next, control, sampling, request } = createRig(t, { periodNs: 3.6e12, flushMs: 3.6e6 });
  const sampler = await sampling.start({ ...request, options: { control, columnIds: [0, 1] } });
  await sampler.update({ control, columnIds: [0, 2] });
  await sampler.update({ control, columnIds: [] });
  await sampler.flush();
  await sampler.stop();
  const rows = next.tables.filter(({ offsets }) => offsets.length > 0);
  assert.deepEqual(
    rows.map(({ series, values }) => [columnsOf(series), [...values]]),
    [
      [
        ['c0', 'c1'],
        [0, 1],
      ],
      [
        ['c0', 'c1'],
        [1, 1],
      ],
      [
        ['c0', 'c2'],
        [2, 2],
      ],
      [
        ['c0', 'c2'],
        [3, 2],
      ],
    ],
  );
  assert.equal(rows[0].series[0], rows[2].series[0]);
  assert.deepEqual(
    next.tables.flatMap(({ ended }) => (ended ? [columnsOf(ended)] : [])),
    [['c1'], ['c0', 'c2']],
  );
});
