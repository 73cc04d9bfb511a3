import type { Table } from '../model/table.js';

/** Some rows of a table. */
export interface Rows {
  readonly values: Float64Array;
  /** Columns of the table. */
  readonly width: number;
  /** Of every row of the table, the low and the high half of its Unix time in nanoseconds. */
  readonly times: Uint32Array;
  readonly first: number;
  readonly count: number;
  /** Whether a value of these rows is NaN. */
  readonly hasGaps: boolean;
}

const half = 2 ** 32;

/** All rows of a table. */
export function createRows({ series, epoch, offsets, values }: Table): Rows {
  const times = splitTimes(epoch, offsets);
  return {
    values,
    width: series.length,
    times,
    first: 0,
    count: offsets.length,
    hasGaps: hasGap(values, 0, values.length),
  };
}

/** Some of these rows. */
export function sliceRows(rows: Rows, first: number, count: number): Rows {
  if (first === 0 && count === rows.count) return rows;
  const { values, width } = rows;
  const hasGaps = rows.hasGaps && hasGap(values, first * width, (first + count) * width);
  return { ...rows, first, count, hasGaps };
}

/** The sum of a 64-bit epoch and of doubles, exact and without a BigInt per row. */
function splitTimes(epoch: bigint, offsets: Float64Array): Uint32Array {
  const epochLow = Number(BigInt.asUintN(32, epoch));
  const epochHigh = Number(BigInt.asUintN(32, epoch >> 32n));
  const times = new Uint32Array(offsets.length * 2);
  offsets.forEach((offset, row) => {
    const offsetHigh = Math.floor(offset / half);
    const low = epochLow + (offset - offsetHigh * half);
    // Storing into 32 bits drops what is carried over.
    times[row * 2] = low;
    times[row * 2 + 1] = epochHigh + offsetHigh + (low >= half ? 1 : 0);
  });
  return times;
}

function hasGap(values: Float64Array, from: number, to: number): boolean {
  for (let cell = from; cell < to; cell += 1) if (Number.isNaN(values[cell])) return true;
  return false;
}
