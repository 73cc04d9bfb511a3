import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/**
 * A record is a header and the request. Numbers are little-endian.
 *
 * | Bytes    | What                                                       |
 * | -------- | ---------------------------------------------------------- |
 * | 0 to 3   | `JMQ1`                                                     |
 * | 4 to 7   | length of the request                                      |
 * | 8 to 11  | number of points                                           |
 * | 12 to 15 | CRC-32 of the request                                      |
 * | 16 to 23 | when it was stored: Unix time in milliseconds, as a double |
 * | 24 to 27 | CRC-32 of the preceding bytes                              |
 * | 28       | 0: queued; 1: done                                         |
 * | 29 to 31 | 0                                                          |
 */
const headerBytes = 32;
const magic = 0x3151_4d4a;
const checkAt = 24;
const stateAt = 28;
const done = Uint8Array.of(1);

/** Measurements are readable by the owner only. */
const mode = 0o600;

/** Location of a request, and the contents of its header. */
export interface SegmentRecord {
  /** Offset of the header in the file. */
  readonly at: number;
  /** Bytes of the request. */
  readonly size: number;
  readonly points: number;
  readonly storedMs: number;
  readonly crc: number;
}

/** A file of requests, written once from front to back, and deleted when all of them are done. */
export class Segment {
  readonly path: string;
  /** Open while the file is being written. */
  #fd: number | undefined;
  #size = 0;
  /** Records that are not done. */
  #remaining = 0;

  constructor(path: string) {
    this.path = path;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Adds a request; creates the file with the first one. A write that a full disk cuts off is undone.
   * @throws the system's error
   */
  append(bytes: Uint8Array, points: number): SegmentRecord {
    this.#fd ??= openSync(this.path, 'wx+', mode);
    const record = { at: this.#size, size: bytes.length, points, storedMs: Date.now(), crc: crc32(bytes) };
    try {
      writeAll(this.#fd, [createHeader(record), bytes], record.at);
    } catch (error) {
      ftruncateSync(this.#fd, record.at);
      throw error;
    }
    this.#size += headerBytes + bytes.length;
    this.#remaining += 1;
    return record;
  }

  /** Flushes what was added to the device, in a thread of libuv. */
  sync(callback: (error: Error | null) => void): void {
    if (this.#fd === undefined) callback(null);
    else fdatasync(this.#fd, callback);
  }

  /**
   * Reads the headers of a file of an earlier run, one per step.
   * @param records receives the queued ones
   * @returns the number of bytes of an incomplete record at the end, which are removed
   * @throws the system's error
   */
  *scan(records: SegmentRecord[]): Generator<void, number> {
    const fd = openSync(this.path, 'r+');
    try {
      const { size } = fstatSync(fd);
      const header = Buffer.alloc(headerBytes);
      let at = 0;
      for (; at < size; yield) {
        const bytesRead = readSync(fd, header, 0, headerBytes, at);
        const record = bytesRead === headerBytes ? parseHeader(header, at) : undefined;
        if (record === undefined || at + headerBytes + record.size > size) break;
        if (header[stateAt] === 0) records.push(record);
        at += headerBytes + record.size;
      }
      if (at < size) ftruncateSync(fd, at);
      this.#size = at;
      this.#remaining = records.length;
      return size - at;
    } finally {
      closeSync(fd);
    }
  }

  /** @throws Error when it cannot be read or its checksum is wrong */
  async read({ at, size, crc }: SegmentRecord): Promise<Uint8Array> {
    const file = await open(this.path, 'r');
    try {
      const bytes = new Uint8Array(size);
      const { bytesRead } = await file.read(bytes, 0, size, at + headerBytes);
      if (bytesRead < size) throw this.#damaged(at, `${size} bytes`, `${bytesRead}`);
      if (crc32(bytes) !== crc) throw this.#damaged(at, 'its checksum', 'another');
      return bytes;
    } finally {
      await file.close();
    }
  }

  /**
   * Marks a request as done.
   * @returns whether it was the last queued one
   * @throws the system's error
   */
  finish({ at }: SegmentRecord): boolean {
    this.#remaining -= 1;
    if (this.#fd === undefined) {
      const fd = openSync(this.path, 'r+');
      try {
        writeSync(fd, done, 0, 1, at + stateAt);
      } finally {
        closeSync(fd);
      }
    } else {
      writeSync(this.#fd, done, 0, 1, at + stateAt);
    }
    return this.isDone;
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  /** No request follows. May be called twice. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** @throws the system's error */
  delete(): void {
    this.close();
    unlinkSync(this.path);
  }

  #damaged(at: number, expected: string, found: string): Error {
    return new Error(
      `Cannot read a stored request at byte ${at} of ${this.path}: expected ${expected}, found ${found}`,
    );
  }
}

function createHeader({ size, points, crc, storedMs }: SegmentRecord): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(size, 4);
  header.writeUInt32LE(points, 8);
  header.writeUInt32LE(crc, 12);
  header.writeDoubleLE(storedMs, 16);
  header.writeUInt32LE(crc32(header.subarray(0, checkAt)), checkAt);
  return header;
}

/** @returns undefined if it is not a header */
function parseHeader(header: Buffer, at: number): SegmentRecord | undefined {
  if (header.readUInt32LE(0) !== magic) return undefined;
  if (header.readUInt32LE(checkAt) !== crc32(header.subarray(0, checkAt))) return undefined;
  return {
    at,
    size: header.readUInt32LE(4),
    points: header.readUInt32LE(8),
    crc: header.readUInt32LE(12),
    storedMs: header.readDoubleLE(16),
  };
}

/** A write may be partial, for example on a disk that gets full: the next one then reports why. */
function writeAll(fd: number, parts: readonly Uint8Array[], at: number): void {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const written = writevSync(fd, parts, at);
  if (written === total) return;
  const whole = Buffer.concat(parts);
  for (let from = written; from < total;) from += writeSync(fd, whole, from, total - from, at + from);
}
