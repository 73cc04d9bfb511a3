import { createReadStream, type ReadStream } from 'node:fs';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { openRegularFile } from '../../src/linux/regular-file.js';
import { CsvDecoder } from '../../src/recording/csv-decoder.js';
import type { PointStream, Sink } from '../../src/recording/decoder.js';
import { standardInput } from '../../src/recording/find-recordings.js';
import { JsonLinesDecoder } from '../../src/recording/json-lines-decoder.js';
import { ParquetDecoder } from '../../src/recording/parquet-decoder.js';
import { openSqlite } from '../../src/sql/sqlite.js';
import { SqliteDecoder } from '../../src/sql/sqlite-decoder.js';
import type { Config } from './config.js';
import { detectFormat, openText, type ContentFormat } from './content.js';

/** Receives the contents of a file. */
export interface FileSink extends Omit<Sink, 'malformed'> {
  /** @param line its number in the file; undefined: the file has no lines */
  malformed(reason: string, line: number | undefined): void;
  /** The file ends in the middle of a line, for example after a crash. */
  torn(line: number): void;
}

/** Binary formats, as named in messages. */
const binaryNames = { parquet: 'Parquet', sqlite: 'SQLite' } as const;

interface LineDecoder {
  line(text: string): void;
}

/** Receives the contents of a file. */
export interface Target {
  readonly sink: FileSink;
  readonly stream: PointStream;
}

/**
 * Reads a file in pieces.
 * @throws Error if it cannot be opened, or has none of the formats
 */
export async function* readFile(path: string, format: Config['format'], target: Target): AsyncIterable<void> {
  const source = path === standardInput ? process.stdin : openStream(path);
  const text = await openText(source);
  if (typeof text === 'string') {
    source.destroy();
    checkBinary(path, format, text);
    yield* text === 'parquet' ? readParquet(path, target) : readSqlite(path, target);
    return;
  }
  const detected = await detectFormat(text);
  const found = format === 'auto' ? detected.format : format;
  yield* readText(detected.text, found, target);
}

/** @throws UnusableFileError for example for a FIFO, which would block */
function openStream(path: string): ReadStream {
  return createReadStream(path, { fd: openRegularFile(path) });
}

/** @throws Error if it cannot be read, or has another format than requested */
function checkBinary(path: string, format: Config['format'], found: keyof typeof binaryNames): void {
  const name = binaryNames[found];
  if (path === standardInput) throw new Error(`expected a file, found ${name} on the standard input`);
  if (format !== 'auto' && format !== found) throw new Error(`expected ${format}, found ${name}`);
}

async function* readSqlite(path: string, { sink, stream }: Target): AsyncIterable<void> {
  const database = openSqlite(path, { isReadOnly: true });
  try {
    const decoder = new SqliteDecoder(
      { ...sink, malformed: (reason) => sink.malformed(reason, undefined) },
      stream,
    );
    yield* decoder.read(database);
  } finally {
    database.close();
  }
}

async function* readParquet(path: string, { sink, stream }: Target): AsyncIterable<void> {
  const decoder = new ParquetDecoder(
    { ...sink, malformed: (reason) => sink.malformed(reason, undefined) },
    stream,
  );
  yield* decoder.read(await asyncBufferFromFile(path));
}

async function* readText(
  text: AsyncIterable<Buffer>,
  format: ContentFormat | undefined,
  { sink, stream }: Target,
): AsyncIterable<void> {
  const reader = new LineReader(format, sink, stream);
  for await (const lines of readLines(text)) {
    for (const line of lines) reader.read(line);
    yield;
  }
  reader.finish();
}

/** Reads lines in the format of a file, and counts them. */
class LineReader {
  readonly #format: ContentFormat | undefined;
  readonly #fileSink: FileSink;
  readonly #sink: Sink;
  readonly #stream: PointStream;
  #decoder: LineDecoder | undefined;
  #number = 0;
  /** Number of lines with points, and number of malformed ones. */
  #given = 0;
  #wrong = 0;
  #isWhole = true;

  constructor(format: ContentFormat | undefined, sink: FileSink, stream: PointStream) {
    this.#format = format;
    this.#fileSink = sink;
    this.#stream = stream;
    this.#sink = { ...sink, malformed: (reason) => this.#report(reason) };
  }

  read({ text, isWhole }: Line): void {
    this.#number += 1;
    this.#isWhole = isWhole;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (line.trim() === '') return;
    // A number at the end of an incomplete line may lack digits and still be valid, while an object needs its
    // last brace.
    if (!isWhole && this.#format === 'csv') this.#report('');
    else if (this.#decoder) this.#decode(this.#decoder, line);
    else this.#begin(line);
  }

  /** @throws Error if there are lines, and all are malformed */
  finish(): void {
    if (this.#wrong === 0 || this.#wrong < this.#given) return;
    throw new Error(`expected lines of the file exporter in ${this.#format}, found none`);
  }

  #decode(decoder: LineDecoder, line: string): void {
    this.#given += 1;
    decoder.line(line);
  }

  #begin(line: string): void {
    if (this.#format === 'csv') this.#decoder = new CsvDecoder(line, this.#sink, this.#stream);
    else if (this.#format === 'json') {
      this.#decoder = new JsonLinesDecoder(this.#sink, this.#stream);
      this.#decode(this.#decoder, line);
    } else
      throw new Error(
        'expected OTLP JSON lines, CSV or Parquet of the file exporter, or a database of sqlite, found something else',
      );
  }

  #report(reason: string): void {
    if (this.#isWhole) {
      this.#wrong += 1;
      this.#fileSink.malformed(reason, this.#number);
    } else this.#fileSink.torn(this.#number);
  }
}

const lineBreak = 10;

/** A line of a text. */
export interface Line {
  readonly text: string;
  /** False for the text after the last line break, which may be incomplete. */
  readonly isWhole: boolean;
}

/** Lines of this project have up to 1 MB; a much longer line means that the file is not text. */
const maxLineMegabytes = 64;

/**
 * The lines of a text, grouped by piece.
 * @throws Error if a line is too long
 */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncIterable<readonly Line[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(lineBreak);
    if (end < 0) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes <= maxLineMegabytes * 2 ** 20) continue;
      throw new Error(`expected lines of at most ${maxLineMegabytes} MiB, found a longer one`);
    }
    const whole = Buffer.concat([...rest, chunk.subarray(0, end)]).toString();
    const next = chunk.subarray(end + 1);
    rest = [next];
    restBytes = next.length;
    yield whole.split('\n').map((text) => ({ text, isWhole: true }));
  }
  const text = Buffer.concat(rest).toString();
  if (text !== '') yield [{ text, isWhole: false }];
}
