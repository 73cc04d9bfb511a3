import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { CsvDecoder } from '../../src/recording/csv-decoder.js';
import { CsvEncoder } from '../../src/recording/csv-encoder.js';
import { PointStream, type Sink } from '../../src/recording/decoder.js';
import { JsonLinesDecoder } from '../../src/recording/json-lines-decoder.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import { ParquetDecoder } from '../../src/recording/parquet-decoder.js';
import { ParquetEncoder } from '../../src/recording/parquet-encoder.js';
import type { RecordedTable } from '../../src/recording/recorded-table.js';
import { texts, type Target } from './target.js';

function encodeParquet(...tables: readonly RecordedTable[]): Buffer {
  const encoder = new ParquetEncoder(['hw.id']);
  const groups = tables.map((table) => encoder.encode([table]));
  return Buffer.concat([...groups, encoder.footer()]);
}

/** Parsed input is written again: this reveals an instant or a number that no format can hold. */
export const sink: Sink = {
  table: writeAgain,
  histograms: writeAgain,
  malformed: throwReason,
  unsupported: () => {},
};

/** Recordings of a table. */
export function createRecordingTargets(table: Table, histograms: HistogramTable): readonly Target[] {
  const json = new JsonLinesEncoder();
  json.add(table);
  json.add(histograms);
  const csv = new CsvEncoder(['hw.id']);
  csv.columns = csv.findMissing([table, histograms]);
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
      examples: texts(csv.header() + csv.encode(table) + csv.encode(histograms)),
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
      examples: [encodeParquet(table, table), encodeParquet(table, histograms)],
      async parse(input) {
        const stream = new PointStream(sink);
        const file = input.buffer.slice(input.byteOffset, input.byteOffset + input.length);
        // ArrayBuffers of Node are never SharedArrayBuffers.
        for await (const _ of new ParquetDecoder(sink, stream).read(file as ArrayBuffer));
        stream.flush();
      },
    },
  ];
}

/** A reason shown to users is checked like an error that ends a file. */
function throwReason(reason: string): void {
  throw new Error(reason);
}

export function writeAgain(table: RecordedTable): void {
  const csv = new CsvEncoder([]);
  csv.columns = csv.findMissing([table]);
  csv.encode(table);
  new JsonLinesEncoder().add(table);
}
