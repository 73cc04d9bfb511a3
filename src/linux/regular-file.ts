import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { describeError, findErrorCode } from '../errors.js';

/** A path that may be read, but does not name what was expected: a FIFO, a device, a folder, too large a file. */
export class UnusableFileError extends Error {
  override readonly name = 'UnusableFileError';
}

/**
 * Opens a regular file for reading. A FIFO without a writer would block the whole program, and a device may have no
 * end, so both are refused, and neither is opened where it can be recognised before.
 * @returns the descriptor, to be closed by the caller
 * @throws UnusableFileError when it is not a regular file, or the system's error
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
 * Opens a file of which a bounded number of bytes is read, with one system call: for files below a root such as
 * `/proc`, which are opened by the thousand. A FIFO without a writer is empty, and one with a writer cannot be read.
 * @returns the descriptor, to be closed by the caller
 */
export function openWithoutWaiting(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}

/**
 * For files that another program part opens, which would wait for a FIFO.
 * @throws UnusableFileError when there is something else than a regular file
 */
export function requireRegularFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) requireRegular(stats);
}

/** Opens a folder, and nothing else. @returns the descriptor, to be closed by the caller */
export function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Limit for files of the kernel and of the system, the longest of which have some hundred kilobytes. */
export const maxSystemFileBytes = 16 * 1024 * 1024;

/**
 * Reads a regular file whole. Files of procfs and sysfs give no size or a wrong one, so what counts is what is read.
 * @throws UnusableFileError when it is not a regular file or longer than `maxBytes`, or the system's error
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
 * @returns undefined: there is none
 * @throws Error that names the path, when it cannot be read
 */
export function findRegularText(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch (error) {
    if (findErrorCode(error) === 'ENOENT') return undefined;
    throw new Error(`Cannot read ${path}: ${describeError(error)}`, { cause: error });
  }
}

/** Differs from the one before once the file was written, replaced, removed or created. */
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

/** Why a file could not be read, without its path, which the caller names: the errno or what was found. */
export function describeReadError(error: unknown): string {
  if (error instanceof UnusableFileError) return error.message;
  return findErrorCode(error) ?? String(error);
}
