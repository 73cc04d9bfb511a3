import type { RecordedTable } from '../../src/recording/recorded-table.js';
import type { OutputFile } from './output-file.js';

/** Tables on their way into files of one format. */
export interface Recording {
  /**
   * Opens the first file.
   * @throws Error when it cannot be written at all
   */
  open(): void;
  /**
   * Takes the first of these tables. Everything that was taken before is in the file.
   * @returns how many were taken, at least one
   * @throws Error when no file can be had for them: none was taken
   */
  take(tables: readonly RecordedTable[]): number;
  /**
   * Writes what was taken.
   * @throws Error when that cannot be, now; the next call goes on where this one stopped
   */
  drain(): void;
  /** Closes the file. */
  close(): void;
}

/** How lines are made of tables. */
export interface LineFormat {
  /** Whether an existing file can be continued, and if so goes on as that one does. */
  canContinue(file: OutputFile): boolean;
  /**
   * Sees to it that the file has a place for everything in these tables.
   * @param rotate begins another file
   */
  prepare(tables: readonly RecordedTable[], file: OutputFile, rotate: () => void): void;
  /** The first lines of a file. */
  header(): Uint8Array;
  /** Whole lines. */
  encode(table: RecordedTable): Uint8Array;
}
