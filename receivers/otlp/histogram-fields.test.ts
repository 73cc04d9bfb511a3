import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistogramRow } from '../../src/model/histogram-table.js';
import { MessageWriter } from '../../src/otlp/wire.js';
import { WireCursor } from '../../src/otlp/wire-cursor.js';
import { HistogramFields, maxBuckets } from './histogram-fields.js';
import { attribute, encode, open, seconds, start, time, type Write } from './point-fields.fixture.js';
import { PointHead } from './point-head.js';
import { SeriesRegistry } from './series-registry.js';

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

/** Fields whose content would be an offset and a count, if they were not passed over. */
const confusing = (writer: MessageWriter) => writer.text(15, '\b\u0005').text(14, '!12345678');

test('unknown fields of histograms and their sides are passed over, and a side without an offset has 0', async (t) => {
  const parts = open(t);
  await parts.reject(encode('histogram', [time(seconds(2)), count(3n), confusing]));
  const positive = (writer: MessageWriter) => {
    const begin = writer.begin(8);
    confusing(writer);
    return writer.integer(2, 3).end(begin);
  };
  await parts.reject(encode('exponential', [time(seconds(3)), count(3n), positive, confusing]));
  const rows = listRows(parts);
  assert.deepEqual(
    rows.map((row) => [row.count, row.buckets]),
    [
      [3, []],
      [3, [0, 3]],
    ],
  );
  assert.equal(rows[1]?.layout.kind === 'exponential_histogram' && rows[1].layout.positiveOffset, 0);
});

test('HistogramFields.read stores no more numbers than one above the maximum', () => {
  const sent = 3 * maxBuckets;
  const head = new PointHead(new SeriesRegistry(1));
  const fields = new HistogramFields();
  const read = (isExplicit: boolean, write: Write) => {
    const writer = new MessageWriter();
    write(writer);
    const cursor = new WireCursor();
    cursor.open(writer.finish());
    fields.read(cursor, head, isExplicit);
    return [fields.counts.length, fields.bounds.length];
  };
  const repeat = (writer: MessageWriter, write: Write) => {
    for (let i = 0; i < sent; i += 1) write(writer);
  };
  const packed = 'x'.repeat(8 * sent);
  const most = maxBuckets + 1;
  assert.deepEqual(
    [
      read(true, (writer) => repeat(writer, () => writer.fixed64(6, 1n).double(7, 1))),
      read(true, (writer) => writer.text(6, packed).text(7, packed)),
      read(false, (writer) => {
        const begin = writer.begin(8);
        writer.text(2, packed);
        repeat(writer, () => writer.integer(2, 1));
        writer.end(begin);
      }),
    ],
    [
      [most, most],
      [most, most],
      [most, 0],
    ],
  );
});
