/** Bytes that a value takes at most: `-1.2345678901234567e-100`. */
export const maxValueBytes = 26;

const zero = 48;
const minus = 45;
const point = 46;

/**
 * Writes a value as Go's ParseFloat takes it, with the digits of `String(value)`: as few as lead back to it. Whole numbers
 * up to 2^53 and beyond have no exponent.
 * @param value not NaN
 * @returns the index behind its last byte
 */
export function writeValue(value: number, out: Uint8Array, at: number): number {
  const size = Math.abs(value);
  const isWhole = size <= Number.MAX_SAFE_INTEGER && Math.floor(size) === size;
  if (!isWhole && !isNanoDecimal(size)) return writeText(describe(value), out, at);
  let to = at;
  if (value < 0) out[to++] = minus;
  return isWhole ? writeWhole(size, out, to) : writeNanoDecimal(size, out, to);
}

function describe(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function writeText(text: string, out: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/**
 * Whether a value is a whole number of billionths, as joules and seconds that were counted are. No two decimals of at most
 * 15 digits are the same double, so those of the billionths are the digits that lead back to it.
 */
function isNanoDecimal(size: number): boolean {
  // Below, there is an exponent.
  if (!(size >= 1e-6 && size < 1e6)) return false;
  return Math.round(size * 1e9) / 1e9 === size;
}

function writeNanoDecimal(size: number, out: Uint8Array, at: number): number {
  const billionths = Math.round(size * 1e9);
  const whole = Math.floor(billionths / 1e9);
  const from = writeWhole(whole, out, at);
  out[from] = point;
  let to = writeDigits(billionths - whole * 1e9, 9, out, from + 1);
  while (out[to - 1] === zero) to -= 1;
  return to;
}

function writeWhole(whole: number, out: Uint8Array, at: number): number {
  if (whole < 1e9) return writeDigits(whole, countDigits(whole), out, at);
  const high = Math.floor(whole / 1e9);
  const to = writeDigits(high, countDigits(high), out, at);
  return writeDigits(whole - high * 1e9, 9, out, to);
}

function countDigits(whole: number): number {
  let count = 1;
  for (let limit = 10; whole >= limit; limit *= 10) count += 1;
  return count;
}

/** @param whole below 10^9: these are divided as 32-bit numbers */
function writeDigits(whole: number, count: number, out: Uint8Array, at: number): number {
  let rest = whole | 0;
  for (let i = at + count - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    out[i] = zero + rest - next * 10;
    rest = next;
  }
  return at + count;
}
