const [tab, newline, space, plus, minus, point, digit0, digit9] = [
  0x09, 0x0a, 0x20, 0x2b, 0x2d, 0x2e, 0x30, 0x39,
];
const [upperE, lowerE] = [0x45, 0x65];

/** Powers of ten that a double holds exactly. */
const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** A number with this many digits is below 2^53. */
const maxDigits = 15;
const maxExponent = 22;

/**
 * Parses a number before a blank or the end of the line, rounded like `Number`. Allocates nothing for numbers
 * of up to 15 digits: the digits and the power of ten are exact, so that their quotient is rounded only once.
 * @param target receives the number at `slot`
 * @returns its end
 * @throws Error if there is no number
 */
export function parseNumber(bytes: Buffer, from: number, target: Float64Array, slot: number): number {
  let at = from;
  const sign = bytes[at];
  if (sign === minus || sign === plus) at++;
  let mantissa = 0;
  let digits = 0;
  let exponent = 0;
  const first = at;
  let byte = bytes[at];
  while (byte >= digit0 && byte <= digit9) {
    mantissa = mantissa * 10 + (byte - digit0);
    if (mantissa > 0) digits++;
    byte = bytes[++at];
  }
  let length = at - first;
  if (byte === point) {
    const fraction = ++at;
    byte = bytes[at];
    while (byte >= digit0 && byte <= digit9) {
      mantissa = mantissa * 10 + (byte - digit0);
      if (mantissa > 0) digits++;
      byte = bytes[++at];
    }
    exponent = fraction - at;
    length -= exponent;
  }
  if (length > 0 && (byte === lowerE || byte === upperE)) {
    let power = 0;
    const powerSign = bytes[++at];
    if (powerSign === minus || powerSign === plus) at++;
    byte = bytes[at];
    // A number needs at least one digit.
    if (!(byte >= digit0 && byte <= digit9)) length = 0;
    while (byte >= digit0 && byte <= digit9) {
      power = power * 10 + (byte - digit0);
      byte = bytes[++at];
    }
    exponent += powerSign === minus ? -power : power;
  }
  const isPlain = length > 0 && (byte === newline || byte === space || byte === tab);
  if (!isPlain) return parseOther(bytes, from, target, slot);
  if (digits > maxDigits || exponent < -maxExponent || exponent > maxExponent) {
    target[slot] = Number(bytes.toString('latin1', from, at));
    return at;
  }
  const size = exponent < 0 ? mantissa / powers[-exponent] : mantissa * powers[exponent];
  target[slot] = sign === minus ? -size : size;
  return at;
}

const special: ReadonlyMap<string, number> = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-infinity', -Infinity],
]);

function parseOther(bytes: Buffer, from: number, target: Float64Array, slot: number): number {
  let end = from;
  while (end < bytes.length && bytes[end] !== newline && bytes[end] !== space && bytes[end] !== tab) end++;
  const text = bytes.toString('latin1', from, end);
  const known = special.get(text.toLowerCase());
  if (known === undefined && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu.test(text))
    throw new Error(`expected a number, found ${JSON.stringify(text.slice(0, 40))}`);
  target[slot] = known ?? Number(text);
  return end;
}
