import { closeSync, readSync } from 'node:fs';
import { openWithoutWaiting } from './regular-file.js';

/** The time unit of procfs: USER_HZ is 100 on every architecture that Node supports. */
export const tickNs = 10_000_000;

/** CPU times since boot of one CPU, or of all, in ticks of 10 ms: the columns of `/proc/stat`. */
export interface CpuTimes {
  /** Includes `guest`. */
  readonly user: number;
  /** Includes `guestNice`. */
  readonly nice: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
  readonly irq: number;
  readonly softirq: number;
  readonly steal: number;
  readonly guest: number;
  readonly guestNice: number;
}

/** The CPU lines of `/proc/stat`. */
export interface MachineCpuTimes {
  readonly total: CpuTimes;
  /** By logical CPU number; offline CPUs are missing. */
  readonly byCpu: ReadonlyMap<number, CpuTimes>;
}

const space = 0x20;
const newline = 0x0a;
const minus = 0x2d;
const digit0 = 0x30;
const digit9 = 0x39;
const columns = 10;

/**
 * Reads a complete pseudo file from its start, through a descriptor that stays open.
 * @returns the number of bytes read; what does not fit into the buffer is left out
 */
export function readWhole(fd: number, buffer: Uint8Array): number {
  let length = 0;
  // A file of many records returns about a page per read, so only an empty read is its end.
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, length);
    length += read;
    if (read === 0 || length === buffer.length) return length;
  }
}

/** Opens a pseudo file, reads it completely and closes it. */
export function readPath(path: string, buffer: Uint8Array): number {
  const fd = openWithoutWaiting(path);
  try {
    return readWhole(fd, buffer);
  } finally {
    closeSync(fd);
  }
}

/**
 * Parses decimal integers that are separated by spaces, up to the end of the line or until `into` is full.
 * Creates no strings, which would dominate a scan of thousands of files.
 * @returns how many numbers were found
 */
export function parseNumbers(bytes: Uint8Array, from: number, into: Float64Array): number {
  let count = 0;
  let at = from;
  while (count < into.length) {
    while (bytes[at] === space) at++;
    const negative = bytes[at] === minus;
    if (negative) at++;
    const first = at;
    let value = 0;
    for (let byte = bytes[at] ?? 0; byte >= digit0 && byte <= digit9; byte = bytes[++at] ?? 0) {
      value = value * 10 + (byte - digit0);
    }
    if (at === first) return count;
    into[count++] = negative ? -value : value;
  }
  return count;
}

/**
 * Parses the CPU lines at the start of `/proc/stat`.
 * @throws Error if the line for all CPUs is missing, or the last one is incomplete
 */
export function parseCpuTimes(stat: Uint8Array): MachineCpuTimes {
  const byCpu = new Map<number, CpuTimes>();
  let total: CpuTimes | undefined;
  for (let at = 0; isCpuLine(stat, at); at = nextLine(stat, at)) {
    if (stat.indexOf(newline, at) < 0)
      throw new Error('Cannot parse /proc/stat: expected whole lines, found one without its end');
    if (stat[at + 3] === space) total = parseTimes(stat, at + 3);
    else byCpu.set(parseCpuNumber(stat, at + 3), parseTimes(stat, stat.indexOf(space, at)));
  }
  if (total === undefined)
    throw new Error('Cannot parse /proc/stat: expected a line that begins with "cpu ", found none');
  return { total, byCpu };
}

/**
 * Parses how many processes and threads were started since boot, from the end of `/proc/stat`.
 * @returns NaN if the file does not contain it
 */
export function parseForks(stat: Buffer): number {
  const label = '\nprocesses ';
  const at = stat.lastIndexOf(label);
  return at >= 0 && parseNumbers(stat, at + label.length, numbers) > 0 ? numbers[0] : NaN;
}

function isCpuLine(stat: Uint8Array, at: number): boolean {
  return stat[at] === 0x63 && stat[at + 1] === 0x70 && stat[at + 2] === 0x75;
}

function nextLine(stat: Uint8Array, at: number): number {
  const end = stat.indexOf(newline, at);
  return end < 0 ? stat.length : end + 1;
}

const numbers = new Float64Array(columns);

function parseCpuNumber(stat: Uint8Array, at: number): number {
  parseNumbers(stat, at, numbers);
  return numbers[0];
}

function parseTimes(stat: Uint8Array, at: number): CpuTimes {
  // Old kernels have fewer columns: the missing ones are 0.
  numbers.fill(0);
  parseNumbers(stat, at, numbers);
  const [user, nice, system, idle, iowait, irq, softirq, steal, guest, guestNice] = numbers;
  return { user, nice, system, idle, iowait, irq, softirq, steal, guest, guestNice };
}
