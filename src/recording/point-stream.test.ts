import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramOf, rowOf } from '../model/histogram.fixture.js';
import type { AnySeries, Series } from '../model/series.js';
import { PointStream } from './decoder.js';

function namesOf(ended: readonly Pick<AnySeries, 'metric'>[] = []): readonly string[] {
  return ended.map(({ metric }) => metric.name);
}

/** What a stream emits: tables of numbers and of histograms, in order. */
function createStream() {
  const emitted: (readonly [kind: string, at: bigint, rows: number, ended: readonly string[]])[] = [];
  const stream = new PointStream({
    table: ({ epoch, offsets, ended }) => emitted.push(['numbers', epoch, offsets.length, namesOf(ended)]),
    histograms: ({ epoch, series, ended }) =>
      emitted.push(['histograms', epoch, series.length, namesOf(ended)]),
  });
  const gauge = (name: string, start = 0n): Series => ({
    metric: stream.book.metric({ name, unit: 'W', description: '', kind: 'gauge', valueType: 'double' }),
    resource: stream.book.resource({}),
    attributes: stream.book.attributes({}),
    start,
  });
  const histogram = (name: string, start = 0n) => ({
    metric: stream.book.metric({ ...histogramOf().metric, name }),
    resource: stream.book.resource({}),
    attributes: stream.book.attributes({}),
    start,
  });
  return { stream, emitted, gauge, histogram };
}

test('PointStream keeps numbers and histograms in the order of the recording', () => {
  const { stream, emitted, gauge, histogram } = createStream();
  const [number, counts] = [gauge('a'), histogram('h')];
  stream.add(stream.open(number, 1n), 1n, 1);
  stream.addHistogram(stream.open(counts, 2n), 2n, rowOf([1, 0, 0]));
  stream.addHistogram(stream.open(counts, 3n), 3n, rowOf([1, 1, 0]));
  stream.add(stream.open(number, 4n), 4n, 2);
  stream.flush();
  assert.deepEqual(emitted, [
    ['numbers', 1n, 1, []],
    ['histograms', 2n, 2, []],
    ['numbers', 4n, 1, []],
  ]);
});

test('PointStream ends numbers after histograms that came before, and the reverse', () => {
  const { stream, emitted, gauge, histogram } = createStream();
  const [number, counts] = [gauge('a'), histogram('h')];
  stream.add(stream.open(number, 1n), 1n, 1);
  stream.addHistogram(stream.open(counts, 2n), 2n, rowOf([1, 0, 0]));
  stream.end(number, 3n);
  stream.end(counts, 4n);
  stream.flush();
  assert.deepEqual(emitted, [
    ['numbers', 1n, 1, []],
    ['histograms', 2n, 1, []],
    ['numbers', 3n, 0, ['a']],
    ['histograms', 4n, 0, ['h']],
  ]);
});

test('PointStream ends a series that another start replaces, of either kind', () => {
  const { stream, emitted, gauge, histogram } = createStream();
  stream.add(stream.open(gauge('a', 1n), 1n), 1n, 1);
  const second = gauge('a', 2n);
  assert.equal(stream.open(second, 5n), second);
  stream.add(second, 5n, 2);
  stream.addHistogram(stream.open(histogram('h', 1n), 6n), 6n, rowOf([1, 0, 0]));
  stream.addHistogram(stream.open(histogram('h', 2n), 7n), 7n, rowOf([1, 0, 0]));
  stream.flush();
  assert.deepEqual(emitted, [
    ['numbers', 1n, 1, []],
    ['numbers', 5n, 0, ['a']],
    ['numbers', 5n, 1, []],
    ['histograms', 6n, 1, []],
    ['histograms', 7n, 0, ['h']],
    ['histograms', 7n, 1, []],
  ]);
});

test('PointStream ends no series that it does not know, and none twice', () => {
  const { stream, emitted, gauge, histogram } = createStream();
  stream.end(gauge('a'), 1n);
  stream.end(histogram('h'), 1n);
  stream.add(stream.open(gauge('a'), 2n), 2n, 1);
  stream.end(gauge('a', 7n), 3n);
  stream.end(gauge('a'), 4n);
  stream.end(gauge('a'), 5n);
  stream.flush();
  assert.deepEqual(emitted, [
    ['numbers', 2n, 1, []],
    ['numbers', 4n, 0, ['a']],
  ]);
});

test('PointStream distinguishes a number and a histogram of one name', () => {
  const { stream, emitted, gauge, histogram } = createStream();
  stream.add(stream.open(gauge('x'), 1n), 1n, 1);
  stream.addHistogram(stream.open(histogram('x'), 1n), 1n, rowOf([1, 0, 0]));
  stream.end(histogram('x'), 2n);
  stream.add(stream.open(gauge('x'), 3n), 3n, 1);
  stream.flush();
  assert.deepEqual(
    emitted.map(([kind, , , ended]) => [kind, ended]),
    [
      ['numbers', []],
      ['histograms', []],
      ['histograms', ['x']],
      ['numbers', []],
    ],
  );
});

test('PointStream finds the live series again, and a new one after its end', () => {
  const { stream, gauge } = createStream();
  const first = stream.open(gauge('a'), 1n);
  assert.equal(stream.open(gauge('a'), 2n), first);
  assert.equal(stream.open(first, 2n), first);
  stream.end(gauge('a'), 3n);
  assert.notEqual(stream.open(first, 4n), first);
});
