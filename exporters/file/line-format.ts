import type { Table } from '../../src/model/table.js';
import type { OutputFile } from './output-file.js';

/** How lines are made of tables. */
export interface LineFormat {
  /** Whether an existing file can be continued, and if so goes on as that one does. */
  canContinue(file: OutputFile): boolean;
  /**
   * Sees to it that the file has a place for everything in these tables.
   * @param rotate begins another file
   */
  prepare(tables: readonly Table[], file: OutputFile, rotate: () => void): void;
  /** The first lines of a file. */
  header(): Uint8Array;
  /** Whole lines. */
  encode(table: Table): Uint8Array;
}
