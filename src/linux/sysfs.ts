import { readdirSync } from 'node:fs';
import { isOutOfDescriptors } from '../errors.js';
import { libc } from './libc.js';
import { readRegularText } from './regular-file.js';

const pread = libc.func('long pread(int fd, void *buffer, unsigned long count, long offset)') as (
  ...args: [fd: number, buffer: Uint8Array, count: number, offset: number]
) => number;

/**
 * The text of a sysfs file without its line end; undefined when it is not here, may not be read or is not a file.
 * @throws Error when no descriptor is free: it may be here
 */
export function findText(path: string): string | undefined {
  try {
    return readRegularText(path).trim();
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return undefined;
  }
}

/**
 * The whole number in a sysfs file, rounded beyond 2^53; undefined when it is not here, may not be read, or holds
 * something else.
 */
export function findInteger(path: string): number | undefined {
  const text = findText(path);
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The names in a sysfs folder, in alphabetical order; none when it is not here.
 * @throws Error when no descriptor is free: it may be here
 */
export function findNames(path: string): readonly string[] {
  try {
    return readdirSync(path).toSorted();
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return [];
  }
}

/** The names of the folders in a folder; none when it is not here or may not be read. Links are left out. */
export function findFolders(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

/**
 * Reads a file from its start through a descriptor that stays open. Allocates nothing.
 * @returns the bytes read, -1 when the read failed
 */
export function readFromStart(fd: number, buffer: Uint8Array): number {
  return pread(fd, buffer, buffer.length, 0);
}

const preadToAddress = libc.func(
  'long pread(int fd, uintptr_t buffer, unsigned long count, long offset)',
) as (...args: [fd: number, buffer: number, count: number, offset: number]) => number;

/**
 * The same into memory at an address of `addressOf`, which costs less.
 * @returns the bytes read, -1 when the read failed
 */
export function readToAddress(fd: number, address: number, size: number): number {
  return preadToAddress(fd, address, size, 0);
}

/**
 * Parses the decimal counter that is all that the first `length` bytes hold. Kernels end it with a line end, so
 * one without has lost digits, too: a part of a number looks like any other.
 * @returns NaN for anything else: empty, torn, a text, or beyond what a double holds exactly
 */
export function parseCounter(bytes: Uint8Array, length: number): number {
  return parseDigits(bytes, 0, length);
}

/** The same of a number that may be below 0. */
export function parseInteger(bytes: Uint8Array, length: number): number {
  const minus = 45;
  return bytes[0] === minus ? -parseDigits(bytes, 1, length) : parseDigits(bytes, 0, length);
}

function parseDigits(bytes: Uint8Array, from: number, length: number): number {
  const newline = 10;
  const end = length - 1;
  if (end <= from || bytes[end] !== newline) return NaN;
  let value = 0;
  for (let at = from; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
}
