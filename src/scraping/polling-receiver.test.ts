import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ReceiverContext } from '../component/component.js';
import {
  createFakeContext,
  createLogCollector,
  createMeterReader,
  createTableCollector,
} from '../component/fakes.js';
import type { Metric } from '../model/series.js';
import type { Table } from '../model/table.js';
import { until } from '../testing/until.js';
import { Counts } from './counts.js';
import type { PollingTarget } from './poll-loop.js';
import {
  createPollingReceiver,
  type PollingReceiverOptions,
  type PollingTargets,
} from './polling-receiver.js';
import { TableSet } from './table-set.js';

const energy: Metric = { name: 'energy', unit: 'J', description: '', kind: 'counter', valueType: 'int' };

type Answer = (signal: AbortSignal, call: number) => number | Promise<number>;

/** A meter whose answers a test chooses, and what it noted. */
interface FakeMeter extends PollingTarget {
  calls: number;
  closed: number;
}

function createMeter(name: string, answer: Answer, changes: Partial<PollingTarget> = {}): FakeMeter {
  const tables = new TableSet({ attributes: { name } });
  const counters = tables.counters(() => [{ metric: energy, attributes: {}, perUnit: 1 }]);
  const counts = new Counts(1);
  let lastAt = 0n;
  const meter: FakeMeter = {
    name,
    calls: 0,
    closed: 0,
    async read(signal) {
      counts.set(0, await answer(signal, ++meter.calls));
      counters.begin(++lastAt);
      counters.add('meter', counts);
      return [counters.finish()];
    },
    restart: (at) => tables.restart(at),
    close: () => void meter.closed++,
    ...changes,
  };
  return meter;
}

interface Rig {
  readonly next: ReturnType<typeof createTableCollector>;
  readonly log: ReturnType<typeof createLogCollector>;
  readonly receiver: ReturnType<typeof createPollingReceiver>;
  readonly targets: PollingTargets;
}

async function start(
  t: TestContext,
  meters: readonly PollingTarget[],
  options: Partial<PollingReceiverOptions> = {},
  overrides: Partial<ReceiverContext> = {},
): Promise<Rig> {
  const next = createTableCollector();
  const log = createLogCollector();
  const kept: { targets?: PollingTargets } = {};
  const receiver = createPollingReceiver({
    intervalMs: 5,
    context: createFakeContext({ log, ...overrides }),
    next,
    open(targets) {
      kept.targets = targets;
      for (const meter of meters) targets.add(meter);
    },
    ...options,
  });
  await receiver.start();
  t.after(() => receiver.shutdown(0));
  assert.ok(kept.targets);
  return { next, log, receiver, targets: kept.targets };
}

/** Never answers, whatever becomes of the request. */
const never = () => new Promise<never>(() => {});

/** Waits as a request does: until it is aborted. */
const hang: Answer = (signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('socket closed'))));

function rowsOf(tables: readonly Table[], name: string): Table[] {
  return tables.filter(
    ({ series, offsets }) => offsets.length > 0 && series[0]?.resource.attributes['name'] === name,
  );
}

test('createPollingReceiver reads each target at once and then at its own interval', async (t) => {
  const fast = createMeter('fast', (_, call) => 100 + call);
  const slow = createMeter('slow', (_, call) => call, { intervalMs: 86_400_000 });
  const { next } = await start(t, [slow, fast]);
  await until(() => fast.calls >= 4);
  assert.equal(slow.calls, 1);
  assert.deepEqual(
    rowsOf(next.tables, 'fast')
      .slice(0, 3)
      .map(({ values }) => values[0]),
    [0, 1, 2],
  );
});

test('createPollingReceiver reads the others, when one target hangs', async (t) => {
  const dead = createMeter('dead', hang);
  const good = createMeter('good', (_, call) => call);
  const { next, log } = await start(t, [dead, good], { timeoutMs: 86_400_000 });
  await until(() => rowsOf(next.tables, 'good').length >= 5);
  assert.equal(dead.calls, 1);
  assert.deepEqual(log.lines, []);
});

test('createPollingReceiver has one request in flight, when a target answers more slowly than the interval', async (t) => {
  const running = { now: 0, most: 0 };
  const { meter: ownMeter, read } = createMeterReader();
  const slow = createMeter('slow', async () => {
    running.most = Math.max(running.most, ++running.now);
    await new Promise((resolve) => setTimeout(resolve, 17));
    return running.now--;
  });
  await start(t, [slow], {}, { meter: ownMeter });
  await until(async () => ((await read())['joulemetry.scrape.missed{test,test}'] ?? 0) >= 4);
  assert.equal(running.most, 1);
});

test('createPollingReceiver gives a request up after the time limit, and asks again', async (t) => {
  const meter = createMeter('meter', (signal, call) => (call === 1 ? hang(signal, call) : call));
  const { next, log } = await start(t, [meter], { timeoutMs: 30 });
  await until(() => next.tables.length > 0);
  assert.deepEqual(log.lines, [
    'error: Cannot read meter: expected an answer within 30 ms, found none',
    'info: Recovered, reading meter again',
  ]);
});

test('createPollingReceiver sends no second request, while a target ignores that the first one was given up', async (t) => {
  const stuck = createMeter('stuck', never);
  const { log } = await start(t, [stuck], { timeoutMs: 5, maxBackoffMs: 0 });
  await until(() => log.lines.length === 2);
  assert.equal(stuck.calls, 1);
  assert.equal(
    log.lines[1],
    'error: Cannot read stuck: expected the request that was given up to end, found it running',
  );
});

test('createPollingReceiver publishes one gap and continues the series, when a target fails and recovers', async (t) => {
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

test('createPollingReceiver logs a failure again, when its cause changes in more than numbers', async (t) => {
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

test('createPollingReceiver makes longer pauses, the longer a target fails, and none once it answers', async (t) => {
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

test('createPollingReceiver publishes what a target gave before it failed, and does not pause', async (t) => {
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

test('createPollingReceiver publishes what the target has for each failure in place of a gap', async (t) => {
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

test('createPollingReceiver ends every series and begins others, when the clock is stepped', async (t) => {
  let breaks = 0;
  const clock = { ...createFakeContext().clock, countBreaks: () => breaks };
  const meter = createMeter('meter', (_, call) => call);
  const { next } = await start(t, [meter], {}, { clock });
  await until(() => rowsOf(next.tables, 'meter').length >= 2);
  breaks++;
  await until(() => next.tables.some(({ ended }) => ended !== undefined));
  const ending = next.tables.findIndex(({ ended }) => ended !== undefined);
  await until(() => next.tables.length > ending + 1);
  const [before, after] = [next.tables[0], next.tables[ending + 1]];
  assert.deepEqual(next.tables[ending]?.ended, before?.series);
  assert.notEqual(after?.series[0], before?.series[0]);
  assert.equal(after?.values[0], 0);
});

test('createPollingReceiver publishes nothing of a reading during which the clock was stepped', async (t) => {
  let breaks = 0;
  const clock = { ...createFakeContext().clock, countBreaks: () => breaks };
  const meter = createMeter('meter', (_, call) => {
    if (call === 2) breaks++;
    return call;
  });
  const { next, log } = await start(t, [meter], {}, { clock });
  await until(() => meter.calls >= 3 && next.tables.length >= 3);
  // Of the second reading there is the base of a series, which ended at once.
  assert.deepEqual(
    next.tables.slice(0, 3).map(({ values, ended }) => [[...values], ended?.length]),
    [
      [[0], undefined],
      [[], 1],
      [[0], undefined],
    ],
  );
  assert.deepEqual(log.lines, []);
});

test('createPollingReceiver reads once more at shutdown, ends the series and closes the target once', async (t) => {
  const meter = createMeter('meter', (_, call) => call, { intervalMs: 86_400_000 });
  const { next, receiver } = await start(t, [meter]);
  await until(() => meter.calls === 1 && next.tables.length === 1);
  await receiver.shutdown();
  await receiver.shutdown();
  assert.deepEqual(
    next.tables.map(({ values, ended }) => [[...values], ended?.length]),
    [
      [[0], undefined],
      [[1], undefined],
      [[], 1],
    ],
  );
  assert.deepEqual([meter.calls, meter.closed], [2, 1]);
});

test('createPollingReceiver publishes the reading that is in flight at shutdown, and sends no other request', async (t) => {
  const answers: ((count: number) => void)[] = [];
  const meter = createMeter('meter', () => new Promise((resolve) => answers.push(resolve)));
  const { next, receiver } = await start(t, [meter], { timeoutMs: 86_400_000 });
  await until(() => meter.calls === 1);
  const end = receiver.shutdown();
  answers[0]?.(7);
  await end;
  assert.equal(meter.calls, 1);
  assert.equal(rowsOf(next.tables, 'meter').length, 1);
});

for (const [what, answer] of [
  ['is aborted', hang],
  ['ignores that', never],
] as const) {
  test(`createPollingReceiver shuts down in its time, when a request is in flight that ${what}`, async (t) => {
    const meter = createMeter('meter', answer);
    const { receiver, log } = await start(t, [meter], { timeoutMs: 86_400_000 });
    await until(() => meter.calls === 1);
    // Another reading waits for that one.
    void receiver.flush?.();
    await receiver.shutdown(20);
    assert.deepEqual([meter.calls, meter.closed], [1, 1]);
    assert.deepEqual(log.lines, []);
  });
}

test('createPollingReceiver asks a target no more at shutdown that did not answer', async (t) => {
  const meter = createMeter('meter', () => Promise.reject(new Error('ECONNREFUSED')));
  const { receiver, log } = await start(t, [meter], { intervalMs: 86_400_000 });
  await until(() => log.lines.length === 1);
  await receiver.flush?.();
  await receiver.shutdown();
  assert.equal(meter.calls, 1);
});

test('createPollingReceiver reads a target no more that was removed, and one that was added', async (t) => {
  const [first, second] = [createMeter('first', hang), createMeter('second', (_, call) => call)];
  const { next, targets } = await start(t, [first], { timeoutMs: 86_400_000 });
  await until(() => first.calls === 1);
  await targets.remove('first');
  assert.equal(first.closed, 1);
  targets.add(second);
  await until(() => rowsOf(next.tables, 'second').length >= 2);
  await targets.remove('second');
  assert.deepEqual(next.tables.at(-1)?.ended, next.tables[0]?.series);
  assert.equal(first.calls, 1);
  const { calls } = second;
  await targets.remove('second');
  assert.equal(second.calls, calls);
});

test('createPollingReceiver refuses two targets of one name', async (t) => {
  const { targets } = await start(t, [createMeter('one', hang)]);
  assert.throws(() => targets.add(createMeter('one', hang)), /expected one target of that name, found two/);
});

test('createPollingReceiver reads when flushed', async (t) => {
  const meter = createMeter('meter', (_, call) => call, { intervalMs: 86_400_000 });
  const { next, receiver } = await start(t, [meter]);
  await receiver.flush?.();
  assert.ok(next.tables.length >= 1);
});

test('createPollingReceiver does nothing, when shut down before its start', async () => {
  const context = createFakeContext();
  const receiver = createPollingReceiver({
    intervalMs: 5,
    context,
    next: createTableCollector(),
    open() {
      throw new Error('not asked for');
    },
  });
  await receiver.shutdown();
});
