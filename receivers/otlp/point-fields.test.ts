import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { HistogramRow } from '../../src/model/histogram-table.js';
import { MessageWriter } from '../../src/otlp/wire.js';
import { createIntake } from './intake.fixture.js';

// Points whose fields are left out, come in another order or are of a later version: encoders that always write all of them
// do not show what becomes of these.

type Write = (writer: MessageWriter) => unknown;

const second = 1_795_000_000_000_000_000n;
const seconds = (count: number) => second + BigInt(count) * 1_000_000_000n;
const kinds = { gauge: 5, sum: 7, histogram: 9, exponential: 10 } as const;
const start = (at: bigint) => (writer: MessageWriter) => writer.fixed64(2, at);
const time = (at: bigint) => (writer: MessageWriter) => writer.fixed64(3, at);
const double = (value: number) => (writer: MessageWriter) => writer.double(4, value);
const int = (value: bigint) => (writer: MessageWriter) => writer.fixed64(6, value);
const flags = (value: number) => (writer: MessageWriter) => writer.integer(8, value);

const attribute =
  (key: string, field = 7) =>
  (writer: MessageWriter) => {
    const pair = writer.begin(field);
    const value = writer.text(1, key).begin(2);
    return writer.text(1, 'x').end(value).end(pair);
  };

/** A request with a metric `m` of this kind, whose points have these fields. */
function encode(kind: keyof typeof kinds, ...points: readonly (readonly Write[])[]): Uint8Array {
  const writer = new MessageWriter();
  const ends = [writer.begin(1), writer.begin(2), writer.begin(2)];
  writer.text(1, 'm');
  ends.push(writer.begin(kinds[kind]));
  for (const fields of points) {
    const point = writer.begin(1);
    for (const write of fields) write(writer);
    writer.end(point);
  }
  if (kind !== 'gauge') writer.integer(2, 2);
  if (kind === 'sum') writer.integer(3, 1);
  for (const end of ends.toReversed()) writer.end(end);
  return writer.finish();
}

function open(t: TestContext) {
  const parts = createIntake(t);
  return {
    ...parts,
    async reject(bytes: Uint8Array): Promise<readonly [number, string]> {
      const answer = await parts.intake.take(bytes);
      assert.equal(answer.kind, 'taken');
      return [answer.rejected, answer.message];
    },
  };
}

test('a point without a time is rejected after one with a time', async (t) => {
  const { reject, list } = open(t);
  const [rejected, message] = await reject(
    encode('gauge', [time(seconds(1)), double(1)], [double(2), attribute('a')]),
  );
  assert.equal(rejected, 1);
  assert.match(message, /expected a time between 1970 and 2262, found none/u);
  assert.deepEqual(list(), [`m 0 ${seconds(1)} 1`]);
});

test('a point without a start does not take that of the point before', async (t) => {
  const { reject, list } = open(t);
  const bytes = encode(
    'sum',
    [start(seconds(1)), time(seconds(9)), double(1)],
    [time(seconds(9)), double(2), attribute('a')],
  );
  assert.deepEqual(await reject(bytes), [0, '']);
  assert.deepEqual(list(), [`m ${seconds(1)} ${seconds(9)} 1`, `m{"a":"x"} 0 ${seconds(9)} 2`]);
});

test('instants are read to the nanosecond, with a start after which counting began', async (t) => {
  const { reject, list } = open(t);
  const [from, at] = [second + 987_654_321n, seconds(7) + 123_456_789n];
  const point = (value: number, when: bigint) => [start(from), time(when), double(value), attribute('a')];
  await reject(encode('sum', point(1, at)));
  await reject(encode('sum', point(2, at + 1n)));
  assert.deepEqual(list(), [`m{"a":"x"} ${from} ${at} 1`, `m{"a":"x"} ${from} ${at + 1n} 2`]);
});

const points = (at: number, value: number) => [
  [time(seconds(at)), double(value), attribute('a')],
  [time(seconds(at)), double(value + 1)],
  [time(seconds(at)), double(value + 2), attribute('a'), attribute('b')],
];
const expected = (at: number, value: number) => [
  `m{"a":"x"} 0 ${seconds(at)} ${value}`,
  `m 0 ${seconds(at)} ${value + 1}`,
  `m{"a":"x","b":"x"} 0 ${seconds(at)} ${value + 2}`,
];

test('points take turns with attributes and without, in the order of the last time and in another one', async (t) => {
  const { reject, list } = open(t);
  for (const at of [1, 2, 3]) {
    await reject(encode('gauge', ...points(at, 10 * at)));
    assert.deepEqual(list(), expected(at, 10 * at));
  }
  await reject(encode('gauge', ...points(4, 40).toReversed()));
  assert.deepEqual(list(), expected(4, 40).toReversed());
});

const exemplar = (writer: MessageWriter) => writer.text(5, 'passed over');

test('attributes that other fields stand between or follow are those of the same series', async (t) => {
  const { reject, list, intake } = open(t);
  const [a, b] = [attribute('a'), attribute('b')];
  for (const [i, fields] of [
    [a, b],
    [a, b],
    [a, double(9), b],
    [exemplar, a, b],
    [a, b, flags(0)],
  ].entries())
    await reject(encode('gauge', [time(seconds(i)), double(9), ...fields]));
  assert.deepEqual(
    list(),
    [0, 1, 2, 3, 4].map((i) => `m{"a":"x","b":"x"} 0 ${seconds(i)} 9`),
  );
  assert.equal(intake.series, 1);
});

/** A field whose content would be one with a value, if it were not passed over. */
const unknown = (writer: MessageWriter) => writer.text(14, '!12345678').double(15, 1);

test('fields with known numbers and other types are passed over', async (t) => {
  const { reject, list } = open(t);
  const others: Write[] = [1, 2, 3, 4, 6, 7].map((field) => (writer) => writer.integer(field, 1));
  const bytes = encode('gauge', [time(seconds(1)), double(7), ...others, unknown]);
  assert.deepEqual(await reject(bytes), [0, '']);
  assert.deepEqual(list(), [`m 0 ${seconds(1)} 7`]);
});

test('a point without a value, or flagged as such, is a gap', async (t) => {
  const { reject, list } = open(t);
  const at = (i: number, ...fields: readonly Write[]) =>
    reject(encode('gauge', [time(seconds(i)), ...fields]));
  await at(0, double(1));
  await at(1);
  await at(2, double(3), flags(1));
  await at(3, double(4), flags(2));
  await at(4, int(5n), flags(3));
  await at(5, double(6));
  assert.deepEqual(
    list().map((line) => line.split(' ').at(-1)),
    ['1', 'NaN', 'NaN', '4', 'NaN', '6'],
  );
});

test('integers of 64 bits are read with their sign', async (t) => {
  const { reject, list } = open(t);
  const values = [-1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n, 2n ** 32n, -(2n ** 32n) - 1n, 2n ** 62n];
  for (const [i, value] of values.entries()) await reject(encode('gauge', [time(seconds(i)), int(value)]));
  assert.deepEqual(
    list().map((line) => Number(line.split(' ').at(-1))),
    values.map(Number),
  );
});

/** The rows of histograms that arrived since the last call. */
function listRows({ collector }: ReturnType<typeof open>) {
  return collector.histograms.splice(0).flatMap((table) =>
    table.series.map(({ attributes, start: from }, number) => {
      const { count, sum, min, max, layout, buckets } = new HistogramRow().read(table, number);
      const at = table.epoch + BigInt(table.offsets[number] ?? 0);
      return { attributes, from, at, count, sum, min, max, layout, buckets: [...buckets] };
    }),
  );
}

const count = (value: bigint) => (writer: MessageWriter) => writer.fixed64(4, value);
const sum = (value: number) => (writer: MessageWriter) => writer.double(5, value);

test('a histogram of which only instants and a count are sent has nothing of the one before', async (t) => {
  const parts = open(t);
  const full: Write[] = [
    start(seconds(1)),
    time(seconds(2)),
    count(3n),
    sum(4),
    (writer) => writer.fixed64(6, 1n).fixed64(6, 2n),
    (writer) => writer.double(7, 10),
    (writer) => writer.double(11, 0.5).double(12, 12),
    attribute('a', 9),
  ];
  const bytes = encode('histogram', full, [time(seconds(2)), count(9n)]);
  assert.deepEqual(await parts.reject(bytes), [0, '']);
  assert.deepEqual(listRows(parts), [
    {
      attributes: { a: 'x' },
      from: seconds(1),
      at: seconds(2),
      count: 3,
      sum: 4,
      min: 0.5,
      max: 12,
      buckets: [1, 2],
      layout: { kind: 'histogram', bounds: Float64Array.of(10) },
    },
    {
      attributes: {},
      from: 0n,
      at: seconds(2),
      count: 9,
      sum: NaN,
      min: NaN,
      max: NaN,
      buckets: [],
      layout: { kind: 'histogram', bounds: new Float64Array(0) },
    },
  ]);
});

const side = (field: number, offset: number) => (writer: MessageWriter) => {
  const begin = writer.begin(field);
  return writer.integer(1, offset).integer(2, 1).integer(2, 300).end(begin);
};

test('an exponential histogram of which nothing is sent but instants has nothing of the one before', async (t) => {
  const parts = open(t);
  const full: Write[] = [
    start(seconds(1)),
    time(seconds(2)),
    count(605n),
    sum(4),
    (writer) => writer.integer(6, 3).fixed64(7, 3n),
    side(8, 4),
    side(9, 5),
    (writer) => writer.double(12, -7).double(13, 8).double(14, 0.25),
    attribute('a', 1),
  ];
  const bytes = encode('exponential', full, [time(seconds(2))]);
  assert.deepEqual(await parts.reject(bytes), [0, '']);
  const kind = 'exponential_histogram';
  assert.deepEqual(listRows(parts), [
    {
      attributes: { a: 'x' },
      from: seconds(1),
      at: seconds(2),
      count: 605,
      sum: 4,
      min: -7,
      max: 8,
      layout: {
        kind,
        scale: -2,
        zeroThreshold: 0.25,
        positiveOffset: 2,
        positiveCount: 2,
        negativeOffset: -3,
        negativeCount: 2,
      },
      buckets: [3, 1, 300, 1, 300],
    },
    {
      attributes: {},
      from: 0n,
      at: seconds(2),
      count: 0,
      sum: NaN,
      min: NaN,
      max: NaN,
      layout: {
        kind,
        scale: 0,
        zeroThreshold: 0,
        positiveOffset: 0,
        positiveCount: 0,
        negativeOffset: 0,
        negativeCount: 0,
      },
      buckets: [0],
    },
  ]);
});

test('counts of histograms have 64 bits, and a flag makes one a gap', async (t) => {
  const parts = open(t);
  await parts.reject(encode('histogram', [time(seconds(1)), count(2n ** 40n + 5n), sum(1)]));
  await parts.reject(
    encode('histogram', [time(seconds(2)), count(2n ** 41n), sum(1), (writer) => writer.integer(10, 1)]),
  );
  await parts.reject(
    encode('histogram', [time(seconds(3)), count(2n ** 42n), (writer) => writer.integer(10, 2)]),
  );
  assert.deepEqual(
    listRows(parts).map((row) => row.count),
    [2 ** 40 + 5, NaN, 2 ** 42],
  );
});
