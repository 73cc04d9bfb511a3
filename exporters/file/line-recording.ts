import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describeError } from '../../src/errors.js';
import { parseCsvHeader, parseMetricColumn } from '../../src/recording/csv-columns.js';
import { CsvEncoder, headerOf } from '../../src/recording/csv-encoder.js';
import { isFigureColumn } from '../../src/recording/csv-histograms.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import type { RecordedTable } from '../../src/recording/recorded-table.js';
import { compressZstd } from '../../src/zstd.js';
import type { Config } from './config.js';
import { OutputFile } from './output-file.js';
import type { LineFormat, Recording } from './recording.js';
import type { Rotation } from './rotation.js';

/** Bytes that are encoded, compressed and written in one go. */
const chunkBytes = 1024 * 1024;

type Compression = Config['compression'];

/** Tables as lines of text, in one file after another. */
export class LineRecording implements Recording {
  readonly #config: Config;
  readonly #format: LineFormat;
  readonly #rotation: Rotation;
  readonly #file: OutputFile;
  /** What was taken last. */
  #lines: Buffer = Buffer.alloc(0);

  constructor(config: Config & { readonly path: string }, format: LineFormat, rotation: Rotation) {
    this.#config = config;
    this.#format = format;
    this.#rotation = rotation;
    this.#file = new OutputFile(config.path);
  }

  open(): void {
    const file = this.#file;
    file.open();
    if (file.size === 0) return;
    if (!this.#config.append) this.#rotation.replace(file);
    else if (!this.#continue()) this.#rotation.rotate(file);
  }

  take(tables: readonly RecordedTable[]): number {
    if (this.#file.isGone()) this.#reopen();
    this.#format.prepare(tables, this.#file, () => this.#rotation.rotate(this.#file));
    const lines: Uint8Array[] = [];
    let bytes = 0;
    for (const table of tables) {
      if (bytes >= chunkBytes) break;
      const encoded = this.#format.encode(table);
      lines.push(encoded);
      bytes += encoded.length;
    }
    this.#lines = Buffer.concat(lines);
    this.#put();
    return lines.length;
  }

  drain(): void {
    // What is torn in a file that was taken away goes into the next one as a whole.
    if (this.#file.hasRest && this.#file.isGone()) {
      this.#reopen();
      this.#put();
    }
    this.#file.finish();
  }

  close(): void {
    this.#file.close();
  }

  /** @returns whether the file can be continued, once a line that a crash left torn was cut off */
  #continue(): boolean {
    const file = this.#file;
    // Whether the last piece of a compressed file is whole shows only when all of it is read.
    if (this.#config.compression !== 'none') return false;
    // First: what is not ours is kept as it is.
    if (!this.#format.canContinue(file)) return false;
    const end = findEndOfLines(file);
    if (end !== file.size) file.truncate(end);
    return true;
  }

  #put(): void {
    const compress = compressors[this.#config.compression];
    const chunk = compress(this.#lines);
    if (this.#rotation.isDue(this.#file, chunk.length)) this.#rotation.rotate(this.#file);
    const isFirst = this.#file.size === 0;
    this.#file.put(isFirst ? compress(Buffer.concat([this.#format.header(), this.#lines])) : chunk);
  }

  #reopen(): void {
    this.#file.close();
    this.#file.open();
    // Another program may have put another file in its place.
    if (this.#file.size > 0) this.#rotation.rotate(this.#file);
  }
}

/** Whole members and frames: whatever follows, what was written before can be read. */
const compressors: Readonly<Record<Compression, (bytes: Buffer) => Uint8Array>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: compressZstd,
};

const stepBytes = 64 * 1024;
const lineBreak = 10;

/** Where the last whole line of a file ends. What follows was being written when the program stopped. */
function findEndOfLines(file: Pick<OutputFile, 'size' | 'read'>): number {
  for (let to = file.size; to > 0;) {
    const from = Math.max(0, to - stepBytes);
    const at = file.read(from, to - from).lastIndexOf(lineBreak);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

/** A file up to this long gets further columns; a longer one ends and another one begins. */
const maxWidenedBytes = 8 * 1024 * 1024;
const longestHeaderBytes = 256 * 1024;

/** CSV whose columns are the same in all lines of a file. */
export class CsvFormat implements LineFormat {
  readonly #attributeColumns: readonly string[];
  readonly #isPlain: boolean;
  readonly #encoder: CsvEncoder;

  /** @param isPlain the file is not compressed */
  constructor(attributeColumns: readonly string[], isPlain: boolean) {
    this.#attributeColumns = attributeColumns;
    this.#isPlain = isPlain;
    this.#encoder = new CsvEncoder(attributeColumns);
  }

  canContinue(file: OutputFile): boolean {
    const [line = ''] = file.read(0, longestHeaderBytes).toString().split('\n', 1);
    const columns = parseCsvHeader(line).filter(isColumnOfTables);
    if (line !== headerOf(this.#attributeColumns, columns)) return false;
    this.#encoder.columns = columns;
    return true;
  }

  prepare(tables: readonly RecordedTable[], file: OutputFile, rotate: () => void): void {
    const missing = this.#encoder.findMissing(tables);
    if (missing.length === 0) return;
    const columns = [...this.#encoder.columns, ...missing];
    if (file.size > 0) {
      if (this.#isPlain && file.isRegular && file.size <= maxWidenedBytes) this.#widen(file, columns);
      else rotate();
    }
    this.#encoder.columns = columns;
  }

  header(): Uint8Array {
    return Buffer.from(this.#encoder.header());
  }

  encode(table: RecordedTable): Uint8Array {
    return Buffer.from(this.#encoder.encode(table));
  }

  /** Puts a file with further, empty columns in the place of this one, in one step. */
  #widen(file: OutputFile, columns: readonly string[]): void {
    const [, ...lines] = file.read(0, file.size).toString().split('\n');
    const commas = ','.repeat(columns.length - this.#encoder.columns.length);
    const rows = lines.slice(0, -1).map((line) => line + commas);
    const text = [headerOf(this.#attributeColumns, columns), ...rows, ''].join('\n');
    const widened = `${file.path}.new`;
    try {
      writeFileSync(widened, text, { mode: 0o600 });
      renameSync(widened, file.path);
    } catch (error) {
      rmSync(widened, { force: true });
      throw new Error(`Cannot add columns to ${file.path}: ${describeError(error)}`, { cause: error });
    }
    file.close();
    file.open();
  }
}

/** Whether a column of a file depends on its tables. */
function isColumnOfTables(head: string): boolean {
  return parseMetricColumn(head) !== undefined || isFigureColumn(head);
}

/** How lines of metrics, logs and traces begin, also those of the Collector. */
const firstField = '{"resource';

/** OTLP JSON lines. */
export class JsonFormat implements LineFormat {
  readonly #encoder = new JsonLinesEncoder();

  canContinue(file: OutputFile): boolean {
    return file.read(0, firstField.length).toString() === firstField;
  }

  prepare(): void {}

  header(): Uint8Array {
    return new Uint8Array(0);
  }

  encode(table: RecordedTable): Uint8Array {
    this.#encoder.add(table);
    return this.#encoder.take();
  }
}
