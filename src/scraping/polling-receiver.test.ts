import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createMeterReader, createTableCollector } from '../component/fakes.js';
import { until } from '../testing/until.js';
import { createPollingReceiver } from './polling-receiver.js';
import { createMeter, hang, never, rowsOf, start } from './polling-rig.fixture.js';

test('createPollingReceiver reads each target immediately and then at its own interval', async (t) => {
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

test('createPollingReceiver has one request in flight when a target answers more slowly than the interval', async (t) => {
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

test('createPollingReceiver ends every series and starts others when the clock is stepped', async (t) => {
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
  // The second reading has only the first row of a series, which ended immediately.
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

test('createPollingReceiver reads again at shutdown, ends the series and closes the target once', async (t) => {
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

test('createPollingReceiver publishes the reading in flight at shutdown, and sends no other request', async (t) => {
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
  test(`createPollingReceiver shuts down in time when a request is in flight that ${what}`, async (t) => {
    const meter = createMeter('meter', answer);
    const { receiver, log } = await start(t, [meter], { timeoutMs: 86_400_000 });
    await until(() => meter.calls === 1);
    // Another reading waits for the current one.
    void receiver.flush?.();
    await receiver.shutdown(20);
    assert.deepEqual([meter.calls, meter.closed], [1, 1]);
    assert.deepEqual(log.lines, []);
  });
}

test('createPollingReceiver sends no last request at shutdown to a target that did not answer', async (t) => {
  const meter = createMeter('meter', () => Promise.reject(new Error('ECONNREFUSED')));
  const { receiver, log } = await start(t, [meter], { intervalMs: 86_400_000 });
  await until(() => log.lines.length === 1);
  await receiver.flush?.();
  await receiver.shutdown();
  assert.equal(meter.calls, 1);
});

test('createPollingReceiver stops reading a removed target, and reads an added one', async (t) => {
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

test('createPollingReceiver refuses two targets with the same name', async (t) => {
  const { targets } = await start(t, [createMeter('one', hang)]);
  assert.throws(() => targets.add(createMeter('one', hang)), /expected one target of that name, found two/);
});

test('createPollingReceiver reads when flushed', async (t) => {
  const meter = createMeter('meter', (_, call) => call, { intervalMs: 86_400_000 });
  const { next, receiver } = await start(t, [meter]);
  await receiver.flush?.();
  assert.ok(next.tables.length >= 1);
});

test('createPollingReceiver does nothing when shut down before its start', async () => {
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
