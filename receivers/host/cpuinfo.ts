import { bounded } from '../../src/linux/plausible.js';

/** No CPU runs at 100 GHz; a driver that gives -1 means some thousand. */
const maxHertz = 1e11;

/** A frequency of the kernel in hertz; NaN when it is impossible or 0, which stands for unknown. */
export function checkHertz(hertz: number): number {
  return hertz === 0 ? Number.NaN : bounded(hertz, maxHertz);
}

/**
 * Parses the frequency of each CPU from `/proc/cpuinfo`, in hertz by logical CPU number; NaN where it is unknown.
 * Only x86 has it there.
 */
export function parseCpuinfo(text: Buffer): Map<number, number> {
  const frequencies = new Map<number, number>();
  for (let at = findCpu(text, 0); at >= 0;) {
    const next = findCpu(text, at + 1);
    const mhz = text.indexOf('\ncpu MHz\t\t:', at, 'latin1');
    const isOwn = mhz >= 0 && (next < 0 || mhz < next);
    const cpu = parseValue(text, at);
    if (isOwn && Number.isSafeInteger(cpu) && cpu >= 0) {
      frequencies.set(cpu, checkHertz(Math.round(1e6 * parseValue(text, mhz + 1))));
    }
    at = next;
  }
  return frequencies;
}

/** Where the next CPU begins; -1 when there is none. */
function findCpu(text: Buffer, from: number): number {
  return text.indexOf('processor\t:', from, 'latin1');
}

/** The number that follows the colon of a line; NaN when there is none. */
function parseValue(text: Buffer, line: number): number {
  const end = text.indexOf('\n', line, 'latin1');
  const from = text.indexOf(':', line, 'latin1') + 1;
  const value = text.toString('latin1', from, end < 0 ? text.length : end).trim();
  return value === '' ? Number.NaN : Number(value);
}
