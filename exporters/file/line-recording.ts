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

/** Maximum bytes that are encoded, compressed and written at once. */
const chunkBytes = 1024 * 1024;

type Compression = Config['compression'];

/** Tables as lines of text, in one file after another. */
export class LineRecording implements Recording {
  readonly #config: Config;
  readonly #format: LineFormat;
  readonly #rotation: Rotation;
  readonly #file: OutputFile;
  /** The lines taken last. */
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
    // A line that is incomplete in a removed file is written completely to the next one.
    if (this.#file.hasRest && this.#file.isGone()) {
      this.#reopen();
      this.#put();
    }
    this.#file.finish();
  }

  close(): void {
    this.#file.close();
  }

  /** @returns whether the file can be continued, after removing an incomplete line at its end */
  #continue(): boolean {
    const file = this.#file;
    // Reading the whole file would be needed to check the end of a compressed file.
    if (this.#config.compression !== 'none') return false;
    // Checked first: a file of foreign content is not changed.
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
    // Another program may have replaced the file.
    if (this.#file.size > 0) this.#rotation.rotate(this.#file);
  }
}

/** Complete members and frames: what was written before stays readable, whatever follows. */
const compressors: Readonly<Record<Compression, (bytes: Buffer) => Uint8Array>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: compressZstd,
};

const stepBytes = 64 * 1024;
const lineBreak = 10;

/** Where the last complete line of a file ends. A partial line after it was being written when the program stopped. */
function findEndOfLines(file: Pick<OutputFile, 'size' | 'read'>): number {
  for (let to = file.size; to > 0;) {
    const from = Math.max(0, to - stepBytes);
    const at = file.read(from, to - from).lastIndexOf(lineBreak);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

/** A file up to this size is rewritten with further columns; a larger one is ended and another one started. */
const maxWidenedBytes = 8 * 1024 * 1024;
const longestHeaderBytes = 256 * 1024;

/** CSV with the same columns in all lines of a file. */
export class CsvFormat implements LineFormat {
  readonly #attributeColumns: readonly string[];
  readonly #isPlain: boolean;
  readonly #encoder: CsvEncoder;

  /** @param isPlain whether the file is uncompressed */
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

  /** Atomically replaces the file by one with further, empty columns. */
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

/** Whether a column exists only in some tables. */
function isColumnOfTables(head: string): boolean {
  return parseMetricColumn(head) !== undefined || isFigureColumn(head);
}

/** The start of every OTLP JSON line of metrics, logs and traces, including the Collector's. */
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
