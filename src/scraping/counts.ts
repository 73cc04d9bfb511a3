const space = 0x20;
const digit0 = 0x30;
const digit9 = 0x39;

/**
 * Counts of the kernel: whole numbers of up to 64 bits, which a double cannot hold. Each is kept as billions
 * and remainder.
 */
export class Counts {
  readonly billions: Float64Array;
  readonly units: Float64Array;

  constructor(width: number) {
    this.billions = new Float64Array(width);
    this.units = new Float64Array(width);
  }

  /** Sets a count from a number. */
  set(column: number, count: number): void {
    this.billions[column] = 0;
    this.units[column] = count;
  }

  /** Copies a count. */
  copy(column: number, from: Counts, fromColumn: number): void {
    this.billions[column] = from.billions[fromColumn];
    this.units[column] = from.units[fromColumn];
  }

  /**
   * Parses space-separated counts, until the text has another character or every column is set.
   * @returns the number of counts found
   */
  parse(bytes: Uint8Array, from: number): number {
    let at = from;
    for (let column = 0; column < this.units.length; column++) {
      at = this.parseOne(column, bytes, at);
      if (at < 0) return column;
    }
    return this.units.length;
  }

  /**
   * Parses one count, with optional leading spaces.
   * @returns its end; -1, leaving the count unchanged, if there is no number
   */
  parseOne(column: number, bytes: Uint8Array, from: number): number {
    let at = from;
    while (bytes[at] === space) at++;
    const first = at;
    while (isDigit(bytes[at])) at++;
    if (at === first) return -1;
    const split = Math.max(first, at - 9);
    this.billions[column] = parseDigits(bytes, first, split);
    this.units[column] = parseDigits(bytes, split, at);
    return at;
  }

  /** A count as a number, rounded beyond 2^53. */
  read(column: number): number {
    return this.billions[column] * 1e9 + this.units[column];
  }

  /** The difference from an earlier count; exact below 2^53. */
  since(earlier: Counts, column: number): number {
    const billions = this.billions[column] - earlier.billions[column];
    return billions * 1e9 + (this.units[column] - earlier.units[column]);
  }
}

/** Beyond the end of the bytes there is no digit. */
function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= digit0 && byte <= digit9;
}

function parseDigits(bytes: Uint8Array, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) number = number * 10 + bytes[at] - digit0;
  return number;
}
