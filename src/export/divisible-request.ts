import type { QueuedRequest, StoredBytes } from '../component/queue-storage.js';

/** Splits the points of a request into two halves; undefined if it has only one point. */
export type Divide = (request: StoredBytes) => readonly [StoredBytes, StoredBytes] | undefined;

/** Creates requests, also from stored bytes, that can be halved until each is a single point. */
export function createDivisible(divide: Divide): (stored: StoredBytes) => QueuedRequest {
  const create = ({ bytes, points }: StoredBytes): QueuedRequest => {
    const split = (): readonly [QueuedRequest, QueuedRequest] | undefined => {
      const [first, second] = divide({ bytes, points }) ?? [];
      return first && second ? [create(first), create(second)] : undefined;
    };
    return { bytes, points, split };
  };
  return create;
}

const lineFeed = 10;

/** Splits requests of lines, with this many lines per point, at the end of a line. */
export function divideLines(linesPerPoint: number): Divide {
  return ({ bytes, points }) => {
    const middle = points >> 1;
    if (middle === 0) return undefined;
    let end = 0;
    for (let line = middle * linesPerPoint; line > 0; line -= 1) end = bytes.indexOf(lineFeed, end) + 1;
    return [
      { bytes: bytes.subarray(0, end), points: middle },
      { bytes: bytes.subarray(end), points: points - middle },
    ];
  };
}
