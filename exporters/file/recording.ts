import type { RecordedTable } from '../../src/recording/recorded-table.js';
import type { OutputFile } from './output-file.js';

/** Writes tables to files of one format. */
export interface Recording {
  /**
   * Opens the first file.
   * @throws Error when it cannot be written
   */
  open(): void;
  /**
   * Takes the first of these tables. All tables taken before must be in the file.
   * @returns the number of tables taken, at least one
   * @throws Error when no file can be opened for them; none was taken
   */
  take(tables: readonly RecordedTable[]): number;
  /**
   * Writes the tables taken.
   * @throws Error when that is currently impossible; the next call continues from there
   */
  drain(): void;
  /** Closes the file. */
  close(): void;
}

/** Encodes tables as lines. */
export interface LineFormat {
  /** Whether an existing file can be continued; if so, adopts its layout. */
  canContinue(file: OutputFile): boolean;
  /**
   * Ensures that the file has columns for everything in these tables.
   * @param rotate starts another file
   */
  prepare(tables: readonly RecordedTable[], file: OutputFile, rotate: () => void): void;
  /** The first lines of a file. */
  header(): Uint8Array;
  /** Complete lines. */
  encode(table: RecordedTable): Uint8Array;
}
