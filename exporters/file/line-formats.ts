import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeError } from '../../src/errors.js';
import type { Table } from '../../src/model/table.js';
import { parseCsvHeader, parseMetricColumn } from '../../src/recording/csv-columns.js';
import { CsvEncoder, headerOf } from '../../src/recording/csv-encoder.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import type { OutputFile } from './output-file.js';
import type { LineFormat } from './recording.js';

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
    const metrics = parseCsvHeader(line).filter((head) => parseMetricColumn(head) !== undefined);
    if (line !== headerOf(this.#attributeColumns, metrics)) return false;
    this.#encoder.metricColumns = metrics;
    return true;
  }

  prepare(tables: readonly Table[], file: OutputFile, rotate: () => void): void {
    const missing = this.#encoder.findMissing(tables);
    if (missing.length === 0) return;
    const columns = [...this.#encoder.metricColumns, ...missing];
    if (file.size > 0) {
      if (this.#isPlain && file.isRegular && file.size <= maxWidenedBytes) this.#widen(file, columns);
      else rotate();
    }
    this.#encoder.metricColumns = columns;
  }

  header(): Uint8Array {
    return Buffer.from(this.#encoder.header());
  }

  encode(table: Table): Uint8Array {
    return Buffer.from(this.#encoder.encode(table));
  }

  /** Puts a file with further, empty columns in the place of this one, in one step. */
  #widen(file: OutputFile, columns: readonly string[]): void {
    const [, ...lines] = file.read(0, file.size).toString().split('\n');
    const commas = ','.repeat(columns.length - this.#encoder.metricColumns.length);
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

  encode(table: Table): Uint8Array {
    this.#encoder.add(table);
    return this.#encoder.take();
  }
}
