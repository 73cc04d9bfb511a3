import { elementAt } from '../../src/element.js';

/** Signedness of raw readings: IPMI 2.0, table 43-1, sensor units 1. */
export type AnalogFormat = 'unsigned' | 'ones_complement' | 'twos_complement';

const formats: readonly (AnalogFormat | undefined)[] = [
  'unsigned',
  'ones_complement',
  'twos_complement',
  undefined,
];

/** The format in the two highest bits of sensor units 1; undefined: the sensor has no analog reading. */
export function formatOf(units1: number): AnalogFormat | undefined {
  return formats[(units1 >> 6) & 3];
}

/** `y = L((m x + b 10^k1) 10^k2)`: IPMI 2.0, section 36.3. */
export interface Factors {
  readonly m: number;
  readonly b: number;
  /** Exponent of `b`. */
  readonly k1: number;
  /** Exponent of the result. */
  readonly k2: number;
}

/** Converts two's complement with a width in bits. */
function toSigned(bits: number, value: number): number {
  const half = 2 ** (bits - 1);
  return value >= half ? value - 2 * half : value;
}

/**
 * Parses the six bytes of factors from byte 24 of a full record, or behind the next reading in the response to
 * `Get Sensor Reading Factors`.
 */
export function parseFactors(bytes: Uint8Array): Factors {
  const [m, mHigh, b, bHigh, , exponents] = Array.from({ length: 6 }, (_, i) => elementAt(bytes, i)) as [
    ...numbers: [number, number, number, number, number, number],
  ];
  return {
    m: toSigned(10, m | ((mHigh & 0xc0) << 2)),
    b: toSigned(10, b | ((bHigh & 0xc0) << 2)),
    k1: toSigned(4, exponents & 0x0f),
    k2: toSigned(4, exponents >> 4),
  };
}

/** Decodes the byte of a reading. */
export function decodeRaw(raw: number, format: AnalogFormat): number {
  if (format === 'unsigned' || raw < 0x80) return raw;
  return format === 'twos_complement' ? raw - 0x100 : -(~raw & 0xff);
}

/** Linearization functions by number: IPMI 2.0, table 43-1, linearization. */
const linearizations: readonly ((x: number) => number)[] = [
  (x) => x,
  Math.log,
  Math.log10,
  Math.log2,
  Math.exp,
  (x) => 10 ** x,
  (x) => 2 ** x,
  (x) => 1 / x,
  (x) => x ** 2,
  (x) => x ** 3,
  Math.sqrt,
  Math.cbrt,
];

/** From this number on, the factors depend on the reading, and must be requested from the controller. */
export const firstNonLinear = 0x70;

/**
 * Converts a reading to the unit of its sensor.
 * @returns NaN if the result is undefined, or the linearization is unknown
 */
export function convertReading(
  raw: number,
  format: AnalogFormat,
  { m, b, k1, k2 }: Factors,
  linearization: number,
): number {
  const linearize = linearization >= firstNonLinear ? linearizations[0] : linearizations[linearization];
  if (linearize === undefined) return NaN;
  const sum = m * decodeRaw(raw, format) + scaleByTen(b, k1);
  const value = linearize(scaleByTen(sum, k2));
  return Number.isFinite(value) ? value : NaN;
}

/** Divides by the power of ten if the exponent is negative: 12 / 10 is 1.2, and 12 * 0.1 is not. */
function scaleByTen(value: number, exponent: number): number {
  return exponent < 0 ? value / 10 ** -exponent : value * 10 ** exponent;
}
