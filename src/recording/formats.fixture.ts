import { CsvDecoder } from './csv-decoder.js';
import { CsvEncoder } from './csv-encoder.js';
import { PointStream } from './decoder.js';
import type { FlatHistogram } from './histogram-tables.fixture.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { JsonLinesEncoder } from './json-lines-encoder.js';
import { ParquetDecoder } from './parquet-decoder.js';
import { ParquetEncoder } from './parquet-encoder.js';
import type { RecordedTable } from './recorded-table.js';
import { createSink, type FlatPoint } from './recording.fixture.js';

/** A format of recordings, with its encoder and decoder. */
interface Format {
  readonly name: string;
  readonly hasDescriptions: boolean;
  /** Decodes the file to which the encoder wrote the tables. */
  roundTrip(tables: readonly RecordedTable[]): Promise<ReturnType<typeof createSink>>;
}

/** All formats that can be written and read. */
export const formats: readonly Format[] = [
  { name: 'JSON lines', hasDescriptions: true, roundTrip: throughJsonLines },
  { name: 'CSV', hasDescriptions: false, roundTrip: throughCsv },
  { name: 'Parquet', hasDescriptions: true, roundTrip: throughParquet },
];

/** CSV has no descriptions. */
export function withoutDescriptions<Point extends Pick<FlatPoint | FlatHistogram, 'metric'>>(
  points: readonly Point[],
): readonly Point[] {
  return points.map((point) => ({ ...point, metric: { ...point.metric, description: '' } }));
}

/** The lines of a file, without the last line break. */
export function linesOf(bytes: Uint8Array | string): readonly string[] {
  const text = bytes.toString();
  return text === '' ? [] : text.replace(/\n$/u, '').split('\n');
}

/** A CSV file with a column for `hw.id`. */
export function writeCsv(tables: readonly RecordedTable[]): string {
  const encoder = new CsvEncoder(['hw.id']);
  encoder.columns = encoder.findMissing(tables);
  return encoder.header() + tables.map((table) => encoder.encode(table)).join('');
}

/** A Parquet file with a column for `hw.id` and a row group per table, in which footers were replaced as it grew. */
export function writeParquet(tables: readonly RecordedTable[]): ArrayBuffer {
  const encoder = new ParquetEncoder(['hw.id']);
  const groups = tables.map((table) => encoder.encode([table]));
  encoder.footer();
  return new Uint8Array(Buffer.concat([...groups, encoder.encode([]), encoder.footer()])).buffer;
}

async function throughJsonLines(tables: readonly RecordedTable[]) {
  const encoder = new JsonLinesEncoder();
  for (const table of tables) encoder.add(table);
  const sink = createSink();
  const decoder = new JsonLinesDecoder(sink, new PointStream(sink));
  for (const line of linesOf(encoder.take())) decoder.line(line);
  return sink;
}

async function throughCsv(tables: readonly RecordedTable[]) {
  const sink = createSink();
  const [header = '', ...rows] = linesOf(writeCsv(tables));
  const stream = new PointStream(sink);
  const decoder = new CsvDecoder(header, sink, stream);
  for (const row of rows) decoder.line(row);
  stream.flush();
  return sink;
}

async function throughParquet(tables: readonly RecordedTable[]) {
  const sink = createSink();
  const stream = new PointStream(sink);
  for await (const _ of new ParquetDecoder(sink, stream).read(writeParquet(tables)));
  stream.flush();
  return sink;
}
