import { elementAt } from '../../src/element.js';
import type { SqlRequest } from '../../src/sql/sql-request.js';

// The binary format of COPY: https://www.postgresql.org/docs/current/sql-copy.html

const signature = Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1');
/** After the signature: flags, and the length of an extension. */
const headBytes = signature.length + 8;
const trailer = -1;
const trailerBytes = 2;
/** Count of fields, then three lengths with their 8 bytes: bigint, timestamptz, double precision. */
const rowBytes = 2 + 3 * 12;
/** A field that is NULL has this length, and no bytes. */
const nullLength = -1;
const fields = 3;
const fieldBytes = 8;
/** Unix time of the epoch of PostgreSQL, 2000-01-01, in microseconds. */
const epochUs = 946_684_800_000_000n;

/** Microseconds of PostgreSQL, its resolution, rounded down. */
function toMicroseconds(unixNs: bigint): bigint {
  const remainder = unixNs % 1000n;
  return (unixNs - (remainder < 0n ? remainder + 1000n : remainder)) / 1000n - epochUs;
}

/** The points of a request as rows (series_id, time, value) for COPY in binary format. */
export function encodeCopy({ points, times, values, indexes, series }: SqlRequest): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + points * rowBytes + trailerBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  signature.copy(bytes);
  bytes.fill(0, signature.length, headBytes);
  const ids = BigInt64Array.from(series, ({ id }) => id);
  let at = headBytes;
  let [unixNs, us] = [0n, toMicroseconds(0n)];
  for (let i = 0; i < points; i++) {
    const time = elementAt(times, i);
    // The points of a row follow one another.
    if (time !== unixNs) [unixNs, us] = [time, toMicroseconds(time)];
    const value = values[i];
    view.setInt16(at, fields);
    view.setInt32(at + 2, fieldBytes);
    view.setBigInt64(at + 6, ids[indexes[i]]);
    view.setInt32(at + 14, fieldBytes);
    view.setBigInt64(at + 18, us);
    at += 26;
    const isGap = Number.isNaN(value);
    view.setInt32(at, isGap ? nullLength : fieldBytes);
    at += 4;
    if (isGap) continue;
    view.setFloat64(at, value);
    at += fieldBytes;
  }
  view.setInt16(at, trailer);
  return bytes.subarray(0, at + trailerBytes);
}
