import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { readRegularFile } from '../../src/linux/regular-file.js';
import { ParquetEncoder } from '../../src/recording/parquet-encoder.js';
import { isHistograms, type RecordedTable } from '../../src/recording/recorded-table.js';
import type { Config } from './config.js';
import { OutputFile } from './output-file.js';
import type { Recording } from './recording.js';
import type { Rotation } from './rotation.js';

/** With more row groups, the footer, which is written at every flush, gets larger than the data. */
const maxRowGroups = 1000;
const maxRows = 200_000;
const maxFooterBytes = 256 * 1024 * 1024;
const magic = 'PAR1';
/** Offset of the footer, as a double. */
const sidecarHeadBytes = 8;

/**
 * Tables as Parquet, in one file after another. At every flush a row group replaces the footer and a new footer
 * follows, so that the file is complete after it. Meanwhile the old footer is kept next to the file: if the
 * write is interrupted, the next start restores it.
 */
export class ParquetRecording implements Recording {
  readonly #config: Config;
  readonly #rotation: Rotation;
  readonly #file: OutputFile;
  readonly #footerPath: string;
  #encoder: ParquetEncoder;
  /** Offset of the footer. */
  #dataEnd = 0;
  #footer: Uint8Array = new Uint8Array(0);
  #lastFooter: Uint8Array = new Uint8Array(0);
  /** The last row group with its footer. */
  #written: Uint8Array = new Uint8Array(0);
  #writtenAt = 0;
  /** Whether the last write was undone. */
  #isUndone = false;
  /** The tables taken last. */
  #tables: readonly RecordedTable[] = [];

  constructor(config: Config & { readonly path: string }, rotation: Rotation) {
    this.#config = config;
    this.#rotation = rotation;
    this.#file = new OutputFile(config.path);
    this.#footerPath = `${config.path}.footer`;
    this.#encoder = new ParquetEncoder(config.attribute_columns);
  }

  open(): void {
    const file = this.#file;
    file.open();
    this.#mend();
    if (file.size > 0 && this.#config.append) this.#rotation.rotate(file);
    else if (file.size > 0) this.#rotation.replace(file);
  }

  take(tables: readonly RecordedTable[]): number {
    if (this.#file.isGone()) this.#reopen();
    const isFull = this.#encoder.rowGroups >= maxRowGroups;
    if (this.#dataEnd > 0 && (isFull || this.#rotation.isDue(this.#file, 0))) {
      this.#rotation.rotate(this.#file);
      this.#restart();
    }
    const count = countWithin(tables, maxRows);
    this.#tables = tables.slice(0, count);
    this.#put();
    return count;
  }

  drain(): void {
    // Data that is incomplete in a removed file is written completely to the next one.
    if (this.#isUndone && this.#file.isGone()) {
      this.#reopen();
      this.#put();
    } else if (this.#isUndone) this.#file.put(this.#written, this.#writtenAt);
    this.#isUndone = true;
    try {
      this.#file.finish();
    } catch (error) {
      this.#undo();
      throw error;
    }
    this.#isUndone = false;
  }

  close(): void {
    // After an incomplete write, the previous footer is needed.
    if (!this.#file.hasRest) rmSync(this.#footerPath, { force: true });
    this.#file.close();
  }

  #put(): void {
    if (this.#dataEnd > 0) writeFileSync(this.#footerPath, this.#sidecar(), { mode: 0o600 });
    const group = this.#encoder.encode(this.#tables);
    this.#lastFooter = this.#footer;
    this.#footer = this.#encoder.footer();
    this.#written = Buffer.concat([group, this.#footer]);
    this.#writtenAt = this.#dataEnd;
    this.#file.put(this.#written, this.#writtenAt);
    this.#dataEnd += group.length;
  }

  /** Restores the footer that was being replaced, so that the file can be read while the disk is full. */
  #undo(): void {
    try {
      this.#file.put(this.#lastFooter, this.#writtenAt);
      this.#file.finish();
      this.#file.truncate(this.#file.size);
    } catch {
      // The caller logs why the file cannot be written; the footer is also next to it.
    }
  }

  #reopen(): void {
    this.#file.close();
    this.#file.open();
    if (this.#file.size > 0) this.#rotation.rotate(this.#file);
    this.#restart();
  }

  #restart(): void {
    rmSync(this.#footerPath, { force: true });
    this.#encoder = new ParquetEncoder(this.#config.attribute_columns);
    this.#dataEnd = 0;
    this.#footer = new Uint8Array(0);
  }

  /** Offset of the footer, followed by the footer. */
  #sidecar(): Uint8Array {
    const at = Buffer.alloc(sidecarHeadBytes);
    at.writeDoubleLE(this.#dataEnd);
    return Buffer.concat([at, this.#footer]);
  }

  /** Restores the footer that was being replaced when the last run was killed. */
  #mend(): void {
    if (!existsSync(this.#footerPath)) return;
    const file = this.#file;
    const sidecar = readRegularFile(this.#footerPath, maxFooterBytes);
    const footer = sidecar.subarray(sidecarHeadBytes);
    const footerAt = footer.length === 0 ? Infinity : sidecar.readDoubleLE();
    // The replacement is longer than the footer: if the file did not grow, its old end is intact.
    const isLonger = file.size > footerAt + footer.length;
    if (footerAt <= file.size && !(isLonger && this.#endsWithMagic())) {
      file.put(footer, footerAt);
      file.finish();
      file.truncate(file.size);
    }
    rmSync(this.#footerPath);
  }

  #endsWithMagic(): boolean {
    const { size } = this.#file;
    return size >= magic.length && this.#file.read(size - magic.length, magic.length).toString() === magic;
  }
}

/** How many of these tables have at most this many points together, counting buckets as points; at least one. */
function countWithin(tables: readonly RecordedTable[], maxPoints: number): number {
  let points = 0;
  const count = tables.findIndex((table) => (points += sizeOf(table)) > maxPoints);
  return count < 0 ? tables.length : Math.max(1, count);
}

function sizeOf(table: RecordedTable): number {
  return isHistograms(table) ? table.series.length + table.buckets.length : table.values.length;
}
