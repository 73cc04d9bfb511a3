import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import type { Table } from '../model/table.js';
import { CsvDecoder } from './csv-decoder.js';
import { CsvEncoder } from './csv-encoder.js';
import { PointStream } from './decoder.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';
import { ParquetDecoder } from './parquet-decoder.js';
import { ParquetEncoder } from './parquet-encoder.js';
import { anyTables, createSink, flatten, type FlatPoint } from './recording.fixture.js';

function linesOf(bytes: Uint8Array | string): readonly string[] {
  return bytes.toString().trimEnd().split('\n');
}

test('JsonLinesDecoder reads back what JsonLinesEncoder wrote, whatever the tables', () => {
  fc.assert(
    fc.property(anyTables, (tables) => {
      const encoder = new JsonLinesEncoder();
      for (const table of tables) encoder.add(table);
      const sink = createSink();
      const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
      for (const line of linesOf(encoder.take())) decoder.line(line);
      assert.deepEqual(sink.notes, []);
      assert.deepEqual(flatten(sink.tables), flatten(tables));
    }),
  );
});

/** CSV has no place for descriptions. */
function withoutDescription(points: readonly FlatPoint[]): readonly FlatPoint[] {
  return points.map((point) => ({ ...point, metric: { ...point.metric, description: '' } }));
}

function writeCsv(tables: readonly Table[]): string {
  const encoder = new CsvEncoder(['hw.id']);
  encoder.metricColumns = encoder.findMissing(tables);
  return encoder.header() + tables.map((table) => encoder.encode(table)).join('');
}

test('CsvDecoder reads back what CsvEncoder wrote, whatever the tables', () => {
  fc.assert(
    fc.property(anyTables, (tables) => {
      const sink = createSink();
      const [header, ...rows] = linesOf(writeCsv(tables));
      const stream = new PointStream(sink);
      const decoder = new CsvDecoder(header, sink, stream);
      for (const row of rows) decoder.line(row);
      stream.flush();
      assert.deepEqual(sink.notes, []);
      assert.deepEqual(flatten(sink.tables), withoutDescription(flatten(tables)));
    }),
  );
});

test('ParquetDecoder reads back what ParquetEncoder wrote, whatever the tables', async () => {
  await fc.assert(
    fc.asyncProperty(anyTables, async (tables) => {
      const encoder = new ParquetEncoder(['hw.id']);
      const groups = tables.map((table) => encoder.encode([table]));
      encoder.footer();
      const bytes = Buffer.concat([...groups, encoder.encode([]), encoder.footer()]);
      const sink = createSink();
      const stream = new PointStream(sink);
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
      for await (const _ of new ParquetDecoder(sink, stream).read(file));
      stream.flush();
      assert.deepEqual(sink.notes, []);
      assert.deepEqual(flatten(sink.tables), flatten(tables));
    }),
  );
});

test('JsonLinesDecoder survives any JSON in the place of what it looks for', () => {
  const anyPoint = fc.record(
    {
      timeUnixNano: fc.jsonValue(),
      startTimeUnixNano: fc.jsonValue(),
      asDouble: fc.jsonValue(),
      flags: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const anyList = fc.oneof(fc.jsonValue(), fc.array(anyPoint));
  const anyMetric = fc.record({ name: fc.jsonValue(), gauge: fc.record({ dataPoints: anyList }) });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(anyMetric)), (metrics) => {
      const sink = createSink();
      const resourceMetrics = [{ resource: metrics, scopeMetrics: [{ metrics }] }];
      new JsonLinesDecoder(sink, new PointStream(sink)).line(JSON.stringify({ resourceMetrics }));
    }),
    {
      examples: [
        [[{ name: '', gauge: { dataPoints: [{ flags: { toString: 1 }, asDouble: { valueOf: 1 } }] } }]],
      ],
    },
  );
});
