import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import { createIntake } from './intake.fixture.js';
import { encodeRequest, type Described, type Point } from './request.fixture.js';

// Requests that are valid and unusual, as SDKs and Collectors may send them.

const noFlag = 0;
const noRecordedValue = 1;

test('take accepts a request without resources and scopes', async (t) => {
  const { intake, collector, list } = createIntake(t);
  const metrics = [{ name: 'g', points: [{ time: 10n, double: 1 }] }];
  const bytes = encodeRequest({ scope: null, resource: null, metrics });
  assert.deepEqual(await intake.take(bytes), { kind: 'taken', rejected: 0, message: '' });
  assert.deepEqual(collector.tables[0]?.series[0]?.resource.attributes, {});
  assert.deepEqual(list(), ['g 0 10 1']);
  // The same with empty messages.
  await intake.take(
    encodeRequest({ scope: '', resource: {}, metrics: [{ name: 'g', points: [{ time: 20n, double: 2 }] }] }),
  );
  assert.deepEqual(list(), ['g 0 20 2']);
  assert.equal(intake.series, 1);
});

test('take passes over the exemplars of points', async (t) => {
  const { send, list, collector } = createIntake(t);
  const exemplars = [
    {
      timeUnixNano: { low: 9, high: 0 },
      asDouble: 0.5,
      traceId: new Uint8Array(16),
      spanId: new Uint8Array(8),
    },
    { timeUnixNano: { low: 9, high: 0 }, asInt: { low: 1, high: 0 } },
  ];
  const histogram = { count: 1, sum: 2, explicitBounds: [1], bucketCounts: [0, 1] };
  await send(
    { name: 'c', kind: 'sum', points: [{ start: 5n, time: 10n, int: 3, exemplars }] },
    { name: 'h', kind: 'histogram', points: [{ start: 5n, time: 10n, histogram, exemplars }] },
  );
  assert.deepEqual(list(), ['c 5 10 3']);
  assert.deepEqual(collector.histograms[0]?.counts, Float64Array.of(1));
});

test('take accepts integers and doubles in one metric', async (t) => {
  const { send, list, collector } = createIntake(t);
  const [a, b] = [{ of: 'a' }, { of: 'b' }];
  await send({
    name: 'g',
    points: [
      { attributes: a, time: 10n, int: 1 },
      { attributes: b, time: 10n, double: 1.5 },
      { attributes: a, time: 20n, double: 2.5 },
      { attributes: b, time: 20n, int: 2 },
    ],
  });
  checkTables(collector.tables);
  assert.deepEqual(
    list().filter((line) => !line.startsWith('end ')),
    ['g{"of":"a"} 0 10 1', 'g{"of":"b"} 0 10 1.5', 'g{"of":"a"} 0 20 2.5', 'g{"of":"b"} 0 20 2'],
  );
});

const at = (time: bigint, int: number): Point => ({ start: 5n, time, int });
const counter = (...points: readonly Point[]): Described => ({ name: 'c', kind: 'sum', points });

test('take orders the points of a series that come in any order, in several parts of a request', async (t) => {
  const { intake, list, collector } = createIntake(t);
  const outcome = await intake.take(
    encodeRequest(
      { metrics: [counter(at(40n, 4), at(10n, 1)), counter(at(30n, 3))] },
      { metrics: [counter(at(20n, 2), at(30n, 3))] },
    ),
  );
  assert.equal(outcome.kind === 'taken' && outcome.rejected, 0);
  checkTables(collector.tables);
  assert.deepEqual(list(), ['c 5 10 1', 'c 5 20 2', 'c 5 30 3', 'c 5 40 4']);
});

test('take keeps a counter that had no recorded value for a time, whatever the point contains', async (t) => {
  const { send, list } = createIntake(t);
  for (const [time, int, flags] of [
    [10n, 100, noFlag],
    [20n, 0, noRecordedValue],
    [30n, 120, noFlag],
  ] as const)
    await send({ name: 'c', kind: 'sum', points: [{ start: 5n, time, int, flags }] });
  assert.deepEqual(list(), ['c 5 10 100', 'c 5 20 NaN', 'c 5 30 120']);
});

test('take keeps a counter without a start, and long attributes', async (t) => {
  const { send, collector, list } = createIntake(t);
  const long = 'x'.repeat(1_000_000);
  for (const time of [10n, 20n])
    await send({ name: 'c', kind: 'sum', points: [{ time, int: 3, attributes: { long } }] });
  const series = new Set(collector.tables.flatMap((table) => table.series));
  assert.deepEqual(
    [...series].map(({ start, attributes }) => [start, attributes['long'] === long]),
    [[0n, true]],
  );
  assert.equal(list().length, 2);
});
