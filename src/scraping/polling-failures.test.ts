import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeterReader } from '../component/fakes.js';
import { until } from '../testing/until.js';
import { createMeter, energy, hang, never, rowsOf, start } from './polling-rig.fixture.js';
import type { PollingTarget } from './polling-target.js';
import { TableSet } from './table-set.js';

test('createPollingReceiver reads the other targets when one hangs', async (t) => {
  const dead = createMeter('dead', hang);
  const good = createMeter('good', (_, call) => call);
  const { next, log } = await start(t, [dead, good], { timeoutMs: 86_400_000 });
  await until(() => rowsOf(next.tables, 'good').length >= 5);
  assert.equal(dead.calls, 1);
  assert.deepEqual(log.lines, []);
});

test('createPollingReceiver aborts a request after the time limit, and retries', async (t) => {
  const meter = createMeter('meter', (signal, call) => (call === 1 ? hang(signal, call) : call));
  const { next, log } = await start(t, [meter], { timeoutMs: 30 });
  await until(() => next.tables.length > 0);
  assert.deepEqual(log.lines, [
    'error: Cannot read meter: expected an answer within 30 ms, found none',
    'info: Recovered, reading meter again',
  ]);
});

test('createPollingReceiver sends no second request while a target ignores that the first one was aborted', async (t) => {
  const stuck = createMeter('stuck', never);
  const { log } = await start(t, [stuck], { timeoutMs: 5, maxBackoffMs: 0 });
  await until(() => log.lines.length === 2);
  assert.equal(stuck.calls, 1);
  assert.equal(
    log.lines[1],
    'error: Cannot read stuck: expected the aborted request to end, found it running',
  );
});

test('createPollingReceiver publishes one gap and continues the series when a target fails and recovers', async (t) => {
  const meter = createMeter('meter', (_, call) => {
    if (call === 2 || call === 3) throw new Error('ECONNREFUSED');
    return 10 * call;
  });
  const { next } = await start(t, [meter]);
  await until(() => rowsOf(next.tables, 'meter').length >= 3);
  const rows = rowsOf(next.tables, 'meter').slice(0, 3);
  assert.deepEqual(
    rows.map(({ values }) => values[0]),
    [0, NaN, 30],
  );
  assert.equal(rows[2]?.series, rows[0]?.series);
});

test('createPollingReceiver logs a failure again when its cause changes in more than numbers', async (t) => {
  const causes = ['ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED 127.0.0.1:2', 'HTTP 401'];
  const meter = createMeter('meter', (_, call) => {
    throw new Error(causes[Math.min(call, causes.length) - 1]);
  });
  const { log } = await start(t, [meter], { maxBackoffMs: 0 });
  await until(() => meter.calls >= 6);
  assert.deepEqual(log.lines, [
    'error: Cannot read meter: ECONNREFUSED 127.0.0.1:1',
    'error: Cannot read meter: HTTP 401',
  ]);
});

test('createPollingReceiver makes longer pauses the longer a target fails, and none once it answers', async (t) => {
  const at: bigint[] = [];
  let isDead = true;
  const meter = createMeter('meter', () => {
    at.push(process.hrtime.bigint());
    if (isDead) throw new Error('EHOSTUNREACH');
    return 1;
  });
  const { next } = await start(t, [meter], { intervalMs: 10, maxBackoffMs: 40 });
  await until(() => meter.calls === 5);
  // The pauses are 1, 2, 4 and 4 intervals; the first reading came at any time within its interval.
  assert.ok(Number((at[4] ?? 0n) - (at[0] ?? 0n)) >= 100e6);
  isDead = false;
  await until(() => next.tables.length >= 3);
});

test('createPollingReceiver counts points read, failures and their number', async (t) => {
  const { meter: ownMeter, read } = createMeterReader();
  const meter = createMeter('meter', (_, call) => {
    if (call === 2) throw new Error('EIO');
    return call;
  });
  const { next, receiver } = await start(t, [meter], {}, { meter: ownMeter });
  await until(() => meter.calls >= 4);
  await receiver.shutdown();
  const totals = await read();
  assert.equal(totals['otelcol_scraper_errored_metric_points{test,test}'], 1);
  const published = rowsOf(next.tables, 'meter').length;
  // The row of the gap was not read.
  assert.equal(totals['otelcol_scraper_scraped_metric_points{test,test}'], published - 1);
});

test('createPollingReceiver publishes tables that a target yielded before it failed, and does not pause', async (t) => {
  const part = createMeter('part', (_, call) => call);
  const meter: PollingTarget = {
    ...part,
    async read(signal) {
      const tables = await part.read(signal);
      return (function* () {
        yield* tables;
        throw new Error('no answer of /Power');
      })();
    },
  };
  const { next, log } = await start(t, [meter], { maxBackoffMs: 86_400_000 });
  await until(() => rowsOf(next.tables, 'part').length >= 3);
  assert.ok(rowsOf(next.tables, 'part').every(({ values }) => !Number.isNaN(values[0])));
  assert.deepEqual(log.lines, ['error: Cannot read part: no answer of /Power']);
});

test("createPollingReceiver publishes the target's own tables for each failure in place of a gap", async (t) => {
  const tables = new TableSet({ attributes: { name: 'up' } });
  const up = tables.gauges([{ metric: { ...energy, name: 'up', kind: 'gauge' }, attributes: {} }]);
  const meter = createMeter('meter', () => Promise.reject(new Error('EIO')), {
    publishFailure: (_, at) => [up.row(at, [0])],
  });
  const { next } = await start(t, [meter], { maxBackoffMs: 0 });
  await until(() => next.tables.length >= 3);
  assert.deepEqual(
    next.tables.slice(0, 3).map(({ values }) => Array.from(values)),
    [[0], [0], [0]],
  );
});
