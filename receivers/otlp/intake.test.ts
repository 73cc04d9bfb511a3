import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import { createIntake } from './intake.fixture.js';
import { encodeRequest } from './request.fixture.js';

const describeMetric = ([name, unit, kind, valueType]: readonly string[], description = '') => ({
  name,
  unit,
  description,
  kind,
  valueType,
});
const taken = { kind: 'taken', rejected: 0, message: '' };

test('take forwards gauges and sums with their kind, unit, start, type and attributes', async (t) => {
  const { intake, collector } = createIntake(t);
  const request = encodeRequest({
    resource: { 'host.name': 'a', 'host.cpus': 4 },
    metrics: [
      { name: 'g', unit: 'W', description: 'd', points: [{ start: 5n, time: 10n, double: 1.5 }] },
      {
        name: 'c',
        unit: 'J',
        kind: 'sum',
        points: [{ start: 6n, time: 10n, int: 7, attributes: { a: true } }],
      },
      { name: 'u', unit: 'By', kind: 'sum', isMonotonic: false, points: [{ start: 7n, time: 10n, int: -7 }] },
    ],
  });
  assert.deepEqual(await intake.take(request), taken);
  const [table] = collector.tables;
  assert.equal(collector.tables.length, 1);
  assert.equal(table?.epoch, 10n);
  assert.deepEqual([...(table?.values ?? [])], [1.5, 7, -7]);
  const resource = { attributes: { 'host.name': 'a', 'host.cpus': 4 } };
  assert.deepEqual(table?.series, [
    { metric: describeMetric(['g', 'W', 'gauge', 'double'], 'd'), resource, attributes: {}, start: 5n },
    { metric: describeMetric(['c', 'J', 'counter', 'int']), resource, attributes: { a: true }, start: 6n },
    { metric: describeMetric(['u', 'By', 'updowncounter', 'int']), resource, attributes: {}, start: 7n },
  ]);
});

const pointsAt = (times: readonly bigint[]) =>
  times.flatMap((time) => [
    { attributes: { i: 1 }, time, double: Number(time) },
    { attributes: { i: 2 }, time, double: -Number(time) },
  ]);

test('take creates a row for each timestamp, and keeps series and their array between requests', async (t) => {
  const { send, collector } = createIntake(t);
  // Backwards: rows are in order of time regardless of the request.
  await send({ name: 'g', points: pointsAt([30n, 20n, 10n]) });
  await send({ name: 'g', points: pointsAt([40n]) });
  const [first, second] = collector.tables;
  assert.deepEqual([...(first?.offsets ?? [])], [0, 10, 20]);
  assert.deepEqual([...(first?.values ?? [])], [10, -10, 20, -20, 30, -30]);
  assert.equal(first?.series, second?.series);
});

test('take converts points without a value to gaps', async (t) => {
  const { send, list } = createIntake(t);
  await send({
    name: 'g',
    points: [{ time: 10n, double: 3, flags: 1 }, { time: 20n }, { time: 30n, double: 1 }],
  });
  assert.deepEqual(list(), ['g 0 10 NaN', 'g 0 20 NaN', 'g 0 30 1']);
});

const block = (resource: Record<string, string>, attributes: Record<string, string>, time: bigint) => ({
  resource,
  metrics: [{ name: 'g', points: [{ attributes, time, double: 1 }] }],
});

test('take distinguishes resources, attributes and metrics, but not the order of attributes', async (t) => {
  const { intake, list, collector } = createIntake(t);
  await intake.take(encodeRequest(block({ a: '1', b: '2' }, { x: '1', y: '2' }, 10n)));
  await intake.take(encodeRequest(block({ b: '2', a: '1' }, { y: '2', x: '1' }, 20n)));
  const [first, second] = collector.tables;
  assert.equal(first?.series, second?.series);
  list();
  await intake.take(
    encodeRequest(
      block({ a: '1', b: '2' }, { x: '2', y: '1' }, 10n),
      block({ a: '2' }, { x: '1', y: '2' }, 10n),
    ),
  );
  assert.deepEqual(list(), ['g{"x":"2","y":"1"} 0 10 1', 'g{"x":"1","y":"2"} 0 10 1']);
});

test('take converts attributes that the model does not support to strings', async (t) => {
  const { send, collector } = createIntake(t);
  const attributes = {
    list: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1 }, {}] } },
    map: { kvlistValue: { values: [{ key: 'k', value: { doubleValue: 0.5 } }] } },
    bytes: { bytesValue: Uint8Array.of(1, 2, 255) },
    double: 0.5,
    none: {},
  };
  await send({ name: 'g', points: [{ attributes, time: 10n, double: 1 }] });
  assert.deepEqual(collector.tables[0]?.series[0]?.attributes, {
    list: '["a",1,null]',
    map: '{"k":0.5}',
    bytes: 'AQL/',
    double: 0.5,
  });
});

test('take rejects points that tables cannot contain, and reports reason and number', async (t) => {
  const { send, list, log, read } = createIntake(t);
  const points = [{ time: 10n }, { time: 20n }];
  const answer = await send(
    { name: 's', kind: 'summary', points },
    { name: 'n', kind: 'sum', temporality: 0, points },
    {
      name: 'g',
      points: [
        { time: 10n, double: 1 },
        { time: 0n, double: 1 },
      ],
    },
  );
  const message =
    'Cannot take 5 points: expected a gauge, a sum or a histogram, found a summary (2 of metrics such as "s"); ' +
    'expected a sum or histogram that is cumulative or delta, found one without temporality (2 of metrics such as "n"); ' +
    'expected a time between 1970 and 2262, found none (1 of metrics such as "g")';
  assert.deepEqual(answer, { kind: 'taken', rejected: 5, message });
  assert.deepEqual(list(), ['g 0 10 1']);
  const own = await read();
  assert.equal(own['joulemetry.otlp.rejected_points{otlp,summary}'], 2);
  assert.equal(own['joulemetry.otlp.requests{otlp,taken}'], 1);
  assert.equal(own['joulemetry.otlp.series{otlp}'], 1);
  assert.match(log.lines.join('\n'), /^warn: Cannot take 5 points/);
});

test('take drops repeated points silently, and older ones with a reason', async (t) => {
  const { send, list } = createIntake(t);
  await send({
    name: 'g',
    points: [
      { time: 10n, double: 1 },
      { time: 20n, double: 2 },
    ],
  });
  assert.deepEqual(await send({ name: 'g', points: [{ time: 20n, double: 2 }] }), taken);
  const answer = await send({
    name: 'g',
    points: [
      { time: 15n, double: 2 },
      { time: 30n, double: 3 },
    ],
  });
  assert.equal(answer.kind === 'taken' && answer.rejected, 1);
  assert.deepEqual(list(), ['g 0 10 1', 'g 0 20 2', 'g 0 30 3']);
});

test('take makes a new series of a counter with a later start, and of one that fell', async (t) => {
  const { send, list, collector } = createIntake(t);
  const at = (time: bigint, int: number, start = 5n) =>
    send({ name: 'c', kind: 'sum', points: [{ start, time, int }] });
  await at(10n, 100);
  await at(20n, 1, 15n);
  await at(30n, 2, 15n);
  await at(40n, 1, 15n);
  await at(50n, 2, 15n);
  const { tables } = collector;
  checkTables(tables);
  assert.deepEqual(list(), [
    'c 5 10 100',
    'end c',
    'c 15 20 1',
    'c 15 30 2',
    'end c',
    'c 30 40 1',
    'c 30 50 2',
  ]);
});

test('take rejects a second sender of a series, detected by an earlier start', async (t) => {
  const { send, list } = createIntake(t);
  await send({ name: 'c', kind: 'sum', points: [{ start: 5n, time: 10n, int: 1 }] });
  const answer = await send({ name: 'c', kind: 'sum', points: [{ start: 4n, time: 20n, int: 1 }] });
  assert.match(answer.message, /service\.instance\.id/);
  assert.deepEqual(list(), ['c 5 10 1']);
});

test('take rejects a second scope with the same series', async (t) => {
  const { intake, list } = createIntake(t);
  const metrics = [{ name: 'g', points: [{ time: 10n, double: 1 }] }];
  const answer = await intake.take(encodeRequest({ scope: 'a', metrics }, { scope: 'b', metrics }));
  assert.match(answer.message, /differ in their scope alone \(1 of/);
  assert.deepEqual(list(), ['g 0 10 1']);
});

test('take keeps an integer series until a value is not an integer', async (t) => {
  const { send, collector } = createIntake(t);
  await send({ name: 'g', points: [{ time: 10n, int: 1 }] });
  await send({ name: 'g', points: [{ time: 20n, double: 2 }] });
  await send({ name: 'g', points: [{ time: 30n, double: 2.5 }] });
  await send({ name: 'g', points: [{ time: 40n, int: 3 }] });
  checkTables(collector.tables);
  const types = collector.tables.flatMap(({ series }) => series.map(({ metric }) => metric.valueType));
  assert.deepEqual(types, ['int', 'int', 'double', 'double']);
});

test('take answers garbage with malformed, forwards nothing of it and continues to work', async (t) => {
  const { intake, send, list } = createIntake(t);
  const whole = encodeRequest({ metrics: [{ name: 'g', points: [{ time: 10n, double: 1 }] }] });
  for (let length = 1; length < whole.length; length += 1) {
    const { kind } = await intake.take(whole.subarray(0, length));
    assert.equal(kind, 'malformed', `${length} bytes`);
  }
  assert.deepEqual(list(), []);
  assert.deepEqual(await send({ name: 'g', points: [{ time: 10n, double: 1 }] }), taken);
  assert.deepEqual(list(), ['g 0 10 1']);
});

test('take rejects endlessly nested lists', async (t) => {
  const { send } = createIntake(t);
  const nest = (depth: number): Record<string, unknown> =>
    depth === 0 ? {} : { arrayValue: { values: [nest(depth - 1)] } };
  const at = (depth: number) =>
    send({ name: 'g', points: [{ attributes: { a: nest(depth) }, time: BigInt(depth), double: 1 }] });
  assert.equal((await at(32)).kind, 'taken');
  assert.equal((await at(33)).kind, 'malformed');
});
