const minInt64 = -(2 ** 63);
/** The greatest double below 2^63. */
const maxInt64 = 2 ** 63 - 1024;

/** The shortest decimal text that gives this very double again, exponents as Go writes them. */
export function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  const hasSmallExponent = value < 1e-6 && value > -1e-6 && text.at(-3) === 'e';
  return hasSmallExponent ? `${text.slice(0, -1)}0${text.at(-1)}` : text;
}

/** The whole number nearest to a value, in plain digits, within the limits of 64 bits. */
export function intText(value: number): string {
  const whole = Math.max(minInt64, Math.min(maxInt64, Math.round(value)));
  // Beyond 2^53 a double may print with zeros or an exponent in the place of its last digits.
  return Number.isSafeInteger(whole) ? String(whole + 0) : BigInt(whole).toString();
}
