import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { PointStream } from './decoder.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';
import { createSink, flatten, sortPoints } from './recording.fixture.js';

function createSeries(id: number, valueType: 'int' | 'double' = 'double'): Series {
  return {
    metric: { name: 'x', unit: '', description: '', kind: 'gauge', valueType },
    resource: { attributes: {} },
    attributes: { id },
    start: 0n,
  };
}

function encode(tables: Parameters<JsonLinesEncoder['add']>[0][], lineBytes?: number): readonly string[] {
  const encoder = new JsonLinesEncoder(lineBytes);
  for (const table of tables) encoder.add(table);
  return encoder.take().toString().trimEnd().split('\n');
}

test('JsonLinesEncoder splits a table into lines up to a maximum length, by rows and by columns', () => {
  const series = Array.from({ length: 40 }, (_, id) => createSeries(id));
  const table = {
    series,
    epoch: 1_800_000_000_000_000_000n,
    offsets: Float64Array.from({ length: 20 }, (_, row) => row),
    values: Float64Array.from({ length: 800 }, (_, cell) => cell / 7),
  };
  const lines = encode([table], 5000);
  assert.ok(lines.length > 20);
  assert.ok(Math.max(...lines.map((line) => line.length)) <= 5000);
  const sink = createSink();
  const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
  for (const line of lines) decoder.line(line);
  assert.deepEqual(sortPoints(flatten(sink.tables)), sortPoints(flatten([table])));
});

test('JsonLinesEncoder writes integers beyond 2^53 with all digits, within 64 bits', () => {
  const values = Float64Array.of(2 ** 60, -(2 ** 62), 1e300, 2.6);
  const [line] = encode([
    { series: [createSeries(0, 'int')], epoch: 1n, offsets: Float64Array.of(0, 1, 2, 3), values },
  ]);
  const written = [...line.matchAll(/"asInt":"(-?\d+)"/gu)].map(([, digits]) => digits);
  assert.deepEqual(written, ['1152921504606846976', '-4611686018427387904', '9223372036854774784', '3']);
});

test('JsonLinesEncoder marks the metric of a gap, and ends a series a millisecond after its last row', () => {
  const series = [createSeries(0)];
  const gap = { series, epoch: 1n, offsets: Float64Array.of(0), values: Float64Array.of(NaN) };
  const end = {
    series: [],
    epoch: 2n,
    offsets: new Float64Array(0),
    values: new Float64Array(0),
    ended: series,
  };
  const [first, second] = encode([gap, end]);
  const point = '{"dataPoints":[{"attributes":[{"key":"id","value":{"intValue":"0"}}],"timeUnixNano":';
  assert.ok(
    first.includes(
      `${point}"1","flags":1}]},"metadata":[{"key":"joulemetry.gap","value":{"stringValue":"double"}}]}`,
    ),
  );
  assert.ok(second.endsWith(`${point}"1000002","flags":1}]}}]}]}]}`), second);
});
