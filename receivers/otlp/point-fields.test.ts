import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageWriter } from '../../src/otlp/wire.js';
import { HistogramReader } from './histogram-reader.js';
import {
  attribute,
  double,
  encode,
  flags,
  int,
  open,
  second,
  seconds,
  start,
  time,
  type Write,
} from './point-fields.fixture.js';
import { PointReader } from './point-reader.js';
import { Rejections } from './rejections.js';
import { RequestReader } from './request-reader.js';
import { SeriesRegistry } from './series-registry.js';

test('a point without a time is rejected after one with a time', async (t) => {
  const { reject, list } = open(t);
  const [rejected, message] = await reject(
    encode('gauge', [time(seconds(1)), double(1)], [double(2), attribute('a')]),
  );
  assert.equal(rejected, 1);
  assert.match(message, /expected a time between 1970 and 2262, found none/u);
  assert.deepEqual(list(), [`m 0 ${seconds(1)} 1`]);
});

test('a point without a start does not take that of the previous point', async (t) => {
  const { reject, list } = open(t);
  const bytes = encode(
    'sum',
    [start(seconds(1)), time(seconds(9)), double(1)],
    [time(seconds(9)), double(2), attribute('a')],
  );
  assert.deepEqual(await reject(bytes), [0, '']);
  assert.deepEqual(list(), [`m ${seconds(1)} ${seconds(9)} 1`, `m{"a":"x"} 0 ${seconds(9)} 2`]);
});

test('timestamps are read to the nanosecond, with a start after which counting began', async (t) => {
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

test('points with and without attributes alternate, in the same order as before and in another one', async (t) => {
  const { reject, list } = open(t);
  for (const at of [1, 2, 3]) {
    await reject(encode('gauge', ...points(at, 10 * at)));
    assert.deepEqual(list(), expected(at, 10 * at));
  }
  await reject(encode('gauge', ...points(4, 40).toReversed()));
  assert.deepEqual(list(), expected(4, 40).toReversed());
});

const exemplar = (writer: MessageWriter) => writer.text(5, 'passed over');

test('attributes before, between and behind other fields belong to the same series', async (t) => {
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

/** A field whose content would be one with a value if it were not skipped. */
const unknown = (writer: MessageWriter) => writer.text(14, '!12345678').double(15, 1);

test('fields with known numbers and other types are skipped', async (t) => {
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

test('64-bit integers are read with their sign', async (t) => {
  const { reject, list } = open(t);
  const values = [-1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n, 2n ** 32n, -(2n ** 32n) - 1n, 2n ** 62n];
  for (const [i, value] of values.entries()) await reject(encode('gauge', [time(seconds(i)), int(value)]));
  assert.deepEqual(
    list().map((line) => Number(line.split(' ').at(-1))),
    values.map(Number),
  );
});

test('each point of a series sets when one was last seen', () => {
  const registry = new SeriesRegistry(10);
  const reader = new RequestReader(registry, new PointReader(registry), new HistogramReader(registry));
  const kindsOfPoints = [
    encode('gauge', [time(seconds(1)), double(1)]),
    encode('histogram', [time(seconds(1)), attribute('a', 9)]),
  ];
  for (const now of [77, 99]) {
    for (const bytes of kindsOfPoints) {
      registry.beginRequest(now);
      assert.equal([...reader.read(bytes, new Rejections())].length, 0);
    }
    assert.deepEqual(
      [...registry.live].map(({ seenMs }) => seenMs),
      [now, now],
    );
  }
});
