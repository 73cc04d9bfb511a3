import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, gaugeOf, lineOf, ours } from './json-lines.fixture.js';

const histogramPoint = (at: number, count: number) => ({
  timeUnixNano: String(at),
  count: String(count),
  bucketCounts: [String(count), '0'],
  explicitBounds: [1],
});
const histogramOf = (points: readonly object[], more: object = {}) => ({
  name: 'h',
  unit: 's',
  histogram: { dataPoints: points, aggregationTemporality: 2, ...more },
});

test('JsonLinesDecoder reads the histograms of a line in order of time, after its numbers', () => {
  const { histogramTables, tables, notes } = decode(
    lineOf([
      histogramOf([histogramPoint(30, 3), histogramPoint(10, 1), histogramPoint(20, 2)]),
      gaugeOf([{ timeUnixNano: '40', asDouble: 1 }]),
    ]),
  );
  assert.deepEqual([notes, tables.length, histogramTables.length], [[], 1, 1]);
  const [table] = histogramTables;
  assert.deepEqual(
    [table?.epoch, [...(table?.offsets ?? [])], [...(table?.counts ?? [])]],
    [10n, [0, 10, 20], [1, 2, 3]],
  );
});

test('JsonLinesDecoder ends a histogram of its own project a millisecond before the point that ends it', () => {
  const end = { timeUnixNano: String(20 + 1_000_000), flags: 1 };
  for (const [scope, at] of [
    [ours, 20n],
    [undefined, 1_000_020n],
  ] as const) {
    const line = lineOf([histogramOf([histogramPoint(20, 2), end])], scope);
    const { histogramTables } = decode(line);
    const [rows, ending] = histogramTables;
    assert.deepEqual([rows?.counts.length, ending?.epoch, ending?.ended?.length], [1, at, 1]);
  }
});

test('JsonLinesDecoder keeps a histogram with a gap that the metadata mark', () => {
  const metadata = [{ key: 'joulemetry.gap', value: { stringValue: 'histogram' } }];
  const gap = { timeUnixNano: '30', flags: 1 };
  const { histogramTables } = decode(
    lineOf([{ ...histogramOf([histogramPoint(20, 2), gap]), metadata }], ours),
  );
  const [table, ...others] = histogramTables;
  assert.deepEqual([[...(table?.counts ?? [])], others.length, table?.ended], [[2, NaN], 0, undefined]);
});

test('JsonLinesDecoder reports a histogram whose buckets do not match, and reads no point of that line', () => {
  const wrong = { ...histogramPoint(20, 2), count: '7' };
  const { histogramTables, notes } = decode(
    lineOf([histogramOf([wrong])]),
    lineOf([histogramOf([histogramPoint(30, 3)])]),
  );
  assert.deepEqual(notes, [
    'Cannot read histogram "h": expected buckets that add up to the count of 7, found 2',
  ]);
  assert.deepEqual(
    histogramTables.map(({ counts }) => Array.from(counts)),
    [[3]],
  );
});
