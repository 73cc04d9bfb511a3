import type { Table } from '../../src/model/table.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import type { LineFormat } from './line-format.js';
import type { OutputFile } from './output-file.js';

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
