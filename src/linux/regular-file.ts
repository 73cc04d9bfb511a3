import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { describeError, findErrorCode } from '../errors.js';

/** A readable path that is not what was expected: a FIFO, a device, a folder, too large a file. */
export class UnusableFileError extends Error {
  override readonly name = 'UnusableFileError';
}

/**
 * Opens a regular file for reading. A FIFO without a writer would block the whole program, and a device may
 * have no end, so both are refused, if possible without opening them.
 * @returns the descriptor, to be closed by the caller
 * @throws UnusableFileError if it is not a regular file, or the system's error
 */
export function openRegularFile(path: string): number {
  requireRegular(statSync(path));
  const fd = openWithoutWaiting(path);
  try {
    requireRegular(fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Opens a file for a bounded read, with one system call: for files below a root such as `/proc`, which are
 * opened by the thousand. A FIFO does not block: without a writer it is empty, with a writer reading fails.
 * @returns the descriptor, to be closed by the caller
 */
export function openWithoutWaiting(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}

/**
 * For files that foreign code opens, which would block on a FIFO.
 * @throws UnusableFileError if it is something other than a regular file
 */
export function requireRegularFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) requireRegular(stats);
}

/** Opens a folder, and nothing else. @returns the descriptor, to be closed by the caller */
export function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Limit for files of the kernel and the system, the largest of which have some hundred kilobytes. */
export const maxSystemFileBytes = 16 * 1024 * 1024;

/**
 * Reads a complete regular file. Files of procfs and sysfs have no size or a wrong one, so the size is ignored.
 * @throws UnusableFileError if it is not a regular file or longer than `maxBytes`, or the system's error
 */
export function readRegularFile(path: string, maxBytes = maxSystemFileBytes): Buffer {
  const fd = openRegularFile(path);
  try {
    return readBounded(fd, maxBytes);
  } finally {
    closeSync(fd);
  }
}

/** The same as a text. */
export function readRegularText(path: string, maxBytes = maxSystemFileBytes): string {
  return readRegularFile(path, maxBytes).toString('utf8');
}

/**
 * The text of a file that may not exist yet, such as one of state.
 * @returns undefined if it does not exist
 * @throws Error naming the path, if it cannot be read
 */
export function findRegularText(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch (error) {
    if (findErrorCode(error) === 'ENOENT') return undefined;
    throw new Error(`Cannot read ${path}: ${describeError(error)}`, { cause: error });
  }
}

/** Changes when the file is written, replaced, removed or created. */
export function readFileStamp(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats ? [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ') : 'none';
}

function readBounded(fd: number, maxBytes: number): Buffer {
  const { size } = fstatSync(fd);
  let buffer = Buffer.allocUnsafe(Math.min(Math.max(size, 4095), maxBytes) + 1);
  for (let length = 0; ;) {
    const read = size > maxBytes ? size : readSync(fd, buffer, length, buffer.length - length, null);
    length += read;
    if (length > maxBytes) throw new UnusableFileError(`expected at most ${maxBytes} bytes, found more`);
    if (read === 0) return buffer.subarray(0, length);
    if (length === buffer.length) {
      buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes + 1));
    }
  }
}

function requireRegular(stats: Stats): void {
  if (stats.isFile()) return;
  throw new UnusableFileError(`expected a regular file, found ${describeKind(stats)}`);
}

function describeKind(stats: Stats): string {
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSocket()) return 'a socket';
  return stats.isBlockDevice() ? 'a block device' : 'a character device';
}

/** Describes why a file could not be read, without its path, which the caller adds: the errno or what was found. */
export function describeReadError(error: unknown): string {
  if (error instanceof UnusableFileError) return error.message;
  return findErrorCode(error) ?? String(error);
}
