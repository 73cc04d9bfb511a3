import { elementAt } from '../../src/element.js';
import type { SqlRequest } from '../../src/sql/sql-request.js';

// Binary format of COPY: https://www.postgresql.org/docs/current/sql-copy.html

const signature = Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1');
/** After the signature: flags, and the length of an extension. */
const headBytes = signature.length + 8;
const trailer = -1;
const trailerBytes = 2;
/** Number of fields, then three fields, each a length and 8 bytes: bigint, timestamptz, double precision. */
const rowBytes = 2 + 3 * 12;
/** The length of a NULL field, which has no bytes. */
const nullLength = -1;
const fields = 3;
const fieldBytes = 8;
/** Unix time in microseconds of PostgreSQL's epoch, 2000-01-01. */
const epochUs = 946_684_800_000_000n;

/** Microseconds since PostgreSQL's epoch, rounded down; microseconds are its resolution. */
function toMicroseconds(unixNs: bigint): bigint {
  const remainder = unixNs % 1000n;
  return (unixNs - (remainder < 0n ? remainder + 1000n : remainder)) / 1000n - epochUs;
}

/** The points of a request as rows (series_id, time, value) in the binary format of COPY. */
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
    // The points of a row are consecutive and share their instant.
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
