import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Consumer } from '../../src/component/consumer.js';
import { checkTables } from '../../src/model/check-tables.js';
import { until } from '../../src/testing/until.js';
import { createIntake } from './intake.fixture.js';
import { encodeRequest } from './request.fixture.js';

test('a series ends when it has no points for the configured time, and a new one starts with the next point', async (t) => {
  const { send, list, collector } = createIntake(t, { expiryMs: 40 });
  await send({ name: 'g', points: [{ time: 10n, double: 1 }] });
  await until(() => collector.tables.length === 2);
  await send({ name: 'g', points: [{ time: 20n, double: 2 }] });
  checkTables(collector.tables);
  assert.notEqual(collector.tables[0]?.series[0], collector.tables[2]?.series[0]);
  assert.deepEqual(list().slice(0, 3), ['g 0 10 1', 'end g', 'g 0 20 2']);
});

test('a series that receives points does not end', async (t) => {
  const { send, collector } = createIntake(t, { expiryMs: 4000 });
  // Series are checked four times within the expiry time.
  const untilMs = performance.now() + 1500;
  let time = 0n;
  await until(async () => {
    await send({ name: 'g', points: [{ time: (time += 1n), double: 1 }] });
    return performance.now() > untilMs;
  });
  assert.equal(new Set(collector.tables.flatMap(({ series }) => series)).size, 1);
  assert.ok(collector.tables.every(({ ended }) => ended === undefined));
});

const gauge = (name: string, time: bigint) => ({ name, points: [{ time, double: 1 }] });

test('further series are rejected at the maximum, until others have ended', async (t) => {
  const { send, list, collector } = createIntake(t, { maxSeries: 2, expiryMs: 200 });
  const answer = await send(gauge('a', 10n), gauge('b', 10n), gauge('c', 10n));
  assert.match(answer.message, /^Cannot take 1 point: expected no more series than "max_series" allows/);
  await until(() => collector.tables.some(({ ended }) => ended?.length === 2));
  assert.equal((await send(gauge('c', 20n))).message, '');
  assert.equal(list().at(-1), 'c 0 20 1');
});

test('a series also ends if the series that were to replace it had no accepted point', async (t) => {
  const { send, list, collector } = createIntake(t, { expiryMs: 40 });
  const counter = (...points: readonly { readonly start: bigint; readonly time: bigint }[]) =>
    send({ name: 'c', kind: 'sum', points: points.map(({ start, time }) => ({ start, time, int: 1 })) });
  await counter({ start: 5n, time: 10n });
  const answer = await counter({ start: 6n, time: 9n }, { start: 7n, time: 9n });
  assert.equal(answer.kind === 'taken' && answer.rejected, 2);
  await until(() => collector.tables.length === 2);
  assert.deepEqual(list(), ['c 5 10 1', 'end c']);
});

test('no series ends while requests are refused', async (t) => {
  let backlog = 0;
  const { send, collector } = createIntake(t, { expiryMs: 100 }, { readBacklog: () => backlog });
  await send(gauge('a', 10n));
  backlog = 1;
  const untilMs = performance.now() + 500;
  await until(async () => {
    await send(gauge('a', 20n));
    return performance.now() > untilMs;
  });
  assert.equal(collector.tables.length, 1);
  backlog = 0;
  await until(() => collector.tables.length === 2);
  assert.equal(collector.tables[1]?.ended?.length, 1);
});

setFlagsFromString('--expose-gc');
// The flag makes this function available in every new context.
const collectGarbage = runInNewContext('gc') as () => void;

/** A consumer that keeps no series: only the intake does. */
const forgetful: Consumer = { consume: () => true };

test('memory stays bounded while series start and end, and while one is encoded in ever different ways', async (t) => {
  const { intake } = createIntake(t, { maxSeries: 100_000, expiryMs: 100 }, {}, forgetful);
  let name = 0;
  const churn = async (requests: number) => {
    for (let i = 0; i < requests; i += 1) {
      const time = BigInt((name += 1)) * 1000n;
      const points = Array.from({ length: 50 }, (_, number) => ({
        attributes: { name, number },
        time,
        double: 1,
      }));
      const resource = { 'service.instance.id': `instance-${name}` };
      const same = [{ attributes: { ignored: { arrayValue: {} } }, time, double: 1 }];
      await intake.take(
        encodeRequest(
          { resource, scope: `scope-${name}`, metrics: [{ name: `metric-${name}`, points }] },
          { metrics: [{ name: 'same', description: `${name}`, points: same }] },
        ),
      );
    }
    await until(() => intake.series <= 1);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  await churn(300);
  const before = await churn(300);
  const after = await churn(600);
  assert.ok(after - before < 2_000_000, `${after - before} bytes more`);
});
