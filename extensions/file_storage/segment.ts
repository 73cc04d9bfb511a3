import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
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
const magic = Buffer.from('JMQ1');
/** Bytes that are searched at a time for the next header. */
const searchBytes = 64 * 1024;
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

/** What of a file cannot be read. */
export interface Damage {
  /** Bytes of an incomplete record at the end. */
  readonly torn: number;
  /** Bytes between records that are none. */
  readonly skipped: number;
}

/** A file of requests, written once from front to back, and deleted when all of them are done. */
export class Segment {
  readonly path: string;
  /** Open while the file is being written. */
  #fd: number | undefined;
  #size = 0;
  /** Records that are not done. */
  #remaining = 0;
  /** Whether the file's entry in its folder is on the device. */
  #isListed = false;

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

  /**
   * Flushes what was added to the device, with the file's entry in its folder. The file may be closed or deleted
   * meanwhile: this uses a descriptor of its own.
   * @throws the system's error
   */
  async sync(): Promise<void> {
    await flush(this.path);
    if (this.#isListed) return;
    await flush(dirname(this.path));
    this.#isListed = true;
  }

  /**
   * Reads the headers of a file of an earlier run, one per step. An incomplete record at the end is removed; where
   * there is no header, the next one is searched.
   * @param records receives the queued ones
   * @throws the system's error
   */
  *scan(records: SegmentRecord[]): Generator<void, Damage> {
    const fd = openSync(this.path, 'r+');
    try {
      const { size } = fstatSync(fd);
      const header = Buffer.alloc(headerBytes);
      let skipped = 0;
      let at = 0;
      for (; at < size; yield) {
        const bytesRead = readSync(fd, header, 0, headerBytes, at);
        const record = bytesRead === headerBytes ? parseHeader(header, at) : undefined;
        const next = record ? at + headerBytes + record.size : yield* findHeader(fd, at + 1, size);
        if (next === undefined || next > size) break;
        if (record === undefined) skipped += next - at;
        else if (header[stateAt] !== done[0]) records.push(record);
        at = next;
      }
      if (at < size) ftruncateSync(fd, at);
      this.#size = at;
      this.#remaining = records.length;
      return { torn: size - at, skipped };
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
  magic.copy(header);
  header.writeUInt32LE(size, 4);
  header.writeUInt32LE(points, 8);
  header.writeUInt32LE(crc, 12);
  header.writeDoubleLE(storedMs, 16);
  header.writeUInt32LE(crc32(header.subarray(0, checkAt)), checkAt);
  return header;
}

/** @returns undefined if it is not a header */
function parseHeader(header: Buffer, at: number): SegmentRecord | undefined {
  if (!header.subarray(0, magic.length).equals(magic)) return undefined;
  if (header.readUInt32LE(checkAt) !== crc32(header.subarray(0, checkAt))) return undefined;
  return {
    at,
    size: header.readUInt32LE(4),
    points: header.readUInt32LE(8),
    crc: header.readUInt32LE(12),
    storedMs: header.readDoubleLE(16),
  };
}

/** The place of the first header from an offset on, searched a part of the file per step. */
function* findHeader(fd: number, from: number, size: number): Generator<void, number | undefined> {
  const part = Buffer.alloc(searchBytes);
  // Parts overlap, so that a header is whole in one of them.
  for (let at = from; at + headerBytes <= size; at += searchBytes - headerBytes + 1) {
    const bytes = part.subarray(0, readSync(fd, part, 0, searchBytes, at));
    for (let i = bytes.indexOf(magic); i >= 0; i = bytes.indexOf(magic, i + 1)) {
      const header = bytes.subarray(i, i + headerBytes);
      if (header.length === headerBytes && parseHeader(header, at + i)) return at + i;
    }
    yield;
  }
  return undefined;
}

/**
 * Writes the content of a file, or the entries of a folder, to the device, in a thread of libuv.
 * @throws the system's error
 */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A write may be partial, for example on a disk that gets full: the next one then reports why. */
function writeAll(fd: number, parts: readonly Uint8Array[], at: number): void {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const written = writevSync(fd, parts, at);
  if (written === total) return;
  const whole = Buffer.concat(parts);
  for (let from = written; from < total;) from += writeSync(fd, whole, from, total - from, at + from);
}
