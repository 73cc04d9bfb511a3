import { closeSync, readSync } from 'node:fs';
import { openWithoutWaiting } from './regular-file.js';

/** A tick of the times in procfs: USER_HZ is 100 on every architecture that Node runs on. */
export const tickNs = 10_000_000;

/** What a CPU, or all of them, did since boot, in ticks of 10 ms: the columns of `/proc/stat`. */
export interface CpuTimes {
  /** Holds `guest`, too. */
  readonly user: number;
  /** Holds `guestNice`, too. */
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

/** What `/proc/stat` says of the CPUs. */
export interface MachineCpuTimes {
  readonly total: CpuTimes;
  /** By logical CPU number; a CPU that is offline is not among them. */
  readonly byCpu: ReadonlyMap<number, CpuTimes>;
}

const space = 0x20;
const newline = 0x0a;
const minus = 0x2d;
const digit0 = 0x30;
const digit9 = 0x39;
const columns = 10;

/**
 * Reads a pseudo file whole, from its start, through a descriptor that stays open.
 * @returns how many bytes were read; what does not fit into the buffer is left out
 */
export function readWhole(fd: number, buffer: Uint8Array): number {
  let length = 0;
  // A file of many records gives about a page at a time, so only an empty read is its end.
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, length);
    length += read;
    if (read === 0 || length === buffer.length) return length;
  }
}

/** Opens a pseudo file, reads it whole and closes it. */
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
 * Makes no string: a scan of thousands of files would spend its time on them.
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
 * Parses the CPU lines of `/proc/stat`, which stand first.
 * @throws Error when there is no line for all CPUs together, or the last one is torn
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
 * Parses how many processes and threads were born since boot, from the end of `/proc/stat`.
 * @returns NaN when the file does not say
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
  // Old kernels have fewer columns: what they do not count is 0.
  numbers.fill(0);
  parseNumbers(stat, at, numbers);
  const [user, nice, system, idle, iowait, irq, softirq, steal, guest, guestNice] = numbers;
  return { user, nice, system, idle, iowait, irq, softirq, steal, guest, guestNice };
}
