import { gzipSync } from 'node:zlib';
import type { Table } from '../../src/model/table.js';
import { compressZstd } from '../../src/recording/zstd.js';
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

  take(tables: readonly Table[]): number {
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
export function findEndOfLines(file: Pick<OutputFile, 'size' | 'read'>): number {
  for (let to = file.size; to > 0;) {
    const from = Math.max(0, to - stepBytes);
    const at = file.read(from, to - from).lastIndexOf(lineBreak);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}
