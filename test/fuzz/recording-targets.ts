import type { Table } from '../../src/model/table.js';
import { CsvDecoder } from '../../src/recording/csv-decoder.js';
import { CsvEncoder } from '../../src/recording/csv-encoder.js';
import { PointStream, type Sink } from '../../src/recording/decoder.js';
import { JsonLinesDecoder } from '../../src/recording/json-lines-decoder.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import { ParquetDecoder } from '../../src/recording/parquet-decoder.js';
import { ParquetEncoder } from '../../src/recording/parquet-encoder.js';
import { texts, type Target } from './target.js';

function encodeParquet(table: Table): Buffer {
  const encoder = new ParquetEncoder(['hw.id']);
  return Buffer.concat([encoder.encode([table]), encoder.encode([table]), encoder.footer()]);
}

/** What was read is written again: an instant or a number that no format can hold would show there. */
export const sink: Sink = { table: writeAgain, malformed: throwReason, unsupported: () => {} };

/** Recordings of a table. */
export function createRecordingTargets(table: Table): readonly Target[] {
  const json = new JsonLinesEncoder();
  json.add(table);
  const csv = new CsvEncoder(['hw.id']);
  csv.metricColumns = csv.findMissing([table]);
  return [
    {
      name: 'JSON lines',
      examples: [json.take()],
      parse(input) {
        const stream = new PointStream(sink);
        const decoder = new JsonLinesDecoder(sink, stream);
        for (const line of input.toString().split('\n')) decoder.line(line);
        stream.flush();
      },
    },
    {
      name: 'CSV',
      examples: texts(csv.header() + csv.encode(table)),
      parse(input) {
        const [header, ...lines] = input.toString().split('\n');
        const stream = new PointStream(sink);
        const decoder = new CsvDecoder(header, sink, stream);
        for (const line of lines) decoder.line(line);
        stream.flush();
      },
    },
    {
      name: 'Parquet',
      examples: [encodeParquet(table)],
      async parse(input) {
        const stream = new PointStream(sink);
        const file = input.buffer.slice(input.byteOffset, input.byteOffset + input.length);
        // ArrayBuffers of Node are no shared ones.
        for await (const _ of new ParquetDecoder(sink, stream).read(file as ArrayBuffer));
        stream.flush();
      },
    },
  ];
}

/** What a user would read is looked at like an error that ends a file. */
function throwReason(reason: string): void {
  throw new Error(reason);
}

export function writeAgain(table: Table): void {
  const csv = new CsvEncoder([]);
  csv.metricColumns = csv.findMissing([table]);
  csv.encode(table);
  new JsonLinesEncoder().add(table);
}
