import type { StoredBytes } from '../component/queue-storage.js';
import { elementAt } from '../element.js';
import { ExportError } from '../errors.js';
import { createDivisible } from '../export/divisible-request.js';
import type { EncodedSeries } from './series-record.js';

// A request to a database: arrays of instants, values and series indexes, and their series. It is
// self-contained, so that it does not depend on earlier requests.
//
//   4 bytes each   magic, points, ends, series
//   8 bytes each   the instants of the points, then those of the ends; Unix time in nanoseconds
//   8 bytes each   the values of the points
//   4 bytes each   the index of the series, for every point and every end
//   series         8 bytes id, 4 bytes length, and the text of encodeSeries
//
// In the byte order of this machine: stored requests are for the next start, not for another machine.

const magic = 0x31515351;
const headBytes = 16;
/** Per point, without its series. */
export const pointBytes = 20;
/** Per series, without its text. */
export const seriesHeadBytes = 12;

/** The parts of a request, in arrays that share memory with it. */
export interface SqlRequest {
  readonly points: number;
  readonly ends: number;
  /** Of all points, then of all ends: after its end, a series has no further point. */
  readonly times: BigInt64Array;
  /** NaN: a gap. */
  readonly values: Float64Array;
  /** Of all points, then of all ends: indexes in `series`. */
  readonly indexes: Uint32Array;
  readonly series: readonly EncodedSeries[];
}

/** The bytes of a request. */
export function buildRequest({ points, ends, times, values, indexes, series }: SqlRequest): Buffer {
  const texts = series.reduce((sum, { text }) => sum + seriesHeadBytes + text.length, 0);
  const fixed = headBytes + 8 * (2 * points + ends) + 4 * (points + ends);
  const bytes = Buffer.allocUnsafeSlow(fixed + texts);
  new Uint32Array(bytes.buffer, 0, 4).set([magic, points, ends, series.length]);
  new BigInt64Array(bytes.buffer, headBytes, points + ends).set(times.subarray(0, points + ends));
  const valuesAt = headBytes + 8 * (points + ends);
  new Float64Array(bytes.buffer, valuesAt, points).set(values.subarray(0, points));
  new Uint32Array(bytes.buffer, valuesAt + 8 * points, points + ends).set(indexes.subarray(0, points + ends));
  let at = fixed;
  for (const { id, text } of series) {
    at = bytes.writeBigInt64LE(id, at);
    at = bytes.writeUInt32LE(text.length, at);
    at += text.copy(bytes, at);
  }
  return bytes;
}

/**
 * Parses a request.
 * @throws ExportError, not retryable, if the bytes are invalid
 */
export function parseRequest(bytes: Uint8Array): SqlRequest {
  // Typed arrays must be aligned to the size of their elements.
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const head = bytes.length < headBytes ? undefined : new Uint32Array(buffer, byteOffset, 4);
  const [found = 0, points = 0, ends = 0, count = 0] = head ?? [];
  const entries = points + ends;
  const fixed = headBytes + 8 * (points + entries) + 4 * entries;
  if (found !== magic || bytes.length < fixed) throw otherBytes();
  const valuesAt = byteOffset + headBytes + 8 * entries;
  const indexes = new Uint32Array(buffer, valuesAt + 8 * points, entries);
  if (indexes.some((index) => index >= count)) throw otherBytes();
  return {
    points,
    ends,
    times: new BigInt64Array(buffer, byteOffset + headBytes, entries),
    values: new Float64Array(buffer, valuesAt, points),
    indexes,
    series: parseSeries(Buffer.from(buffer, byteOffset + fixed, bytes.length - fixed), count),
  };
}

function parseSeries(bytes: Buffer, count: number): readonly EncodedSeries[] {
  const series: EncodedSeries[] = [];
  let at = 0;
  while (series.length < count) {
    const textAt = at + seriesHeadBytes;
    const end = textAt > bytes.length ? Infinity : textAt + bytes.readUInt32LE(at + 8);
    if (end > bytes.length) throw otherBytes();
    series.push({ id: bytes.readBigInt64LE(at), text: bytes.subarray(textAt, end) });
    at = end;
  }
  return series;
}

function otherBytes(): ExportError {
  return new ExportError('expected a request of an exporter to a database, found other bytes', {
    retryable: false,
  });
}

/** A request that can be halved until it is a single point. */
export const createSqlRequest = createDivisible(({ bytes, points }) => {
  const middle = points >> 1;
  if (middle === 0) return undefined;
  const whole = parseRequest(bytes);
  return [selectEntries(whole, 0, middle), selectEntries(whole, middle, points)];
});

/** Some of the points and ends, in order, with their series. */
function selectEntries(request: SqlRequest, from: number, to: number): StoredBytes {
  const { points, times, values, indexes, series } = request;
  const used = new Map<number, number>();
  const own = indexes.slice(from, to).map((index) => {
    const known = used.get(index) ?? used.size;
    used.set(index, known);
    return known;
  });
  const ownPoints = Math.max(0, Math.min(to, points) - from);
  const bytes = buildRequest({
    points: ownPoints,
    ends: to - from - ownPoints,
    times: times.subarray(from, to),
    values: values.subarray(from, from + ownPoints),
    indexes: own,
    series: Array.from(used.keys(), (index) => elementAt(series, index)),
  });
  return { bytes, points: to - from };
}
