import type { QueuedRequest, StoredBytes } from '../component/queue-storage.js';

/** The first and the second half of the points of a request; undefined where it has only one. */
export type Divide = (request: StoredBytes) => readonly [StoredBytes, StoredBytes] | undefined;

/** Makes requests, also of stored bytes, that can be cut into halves until each is a single point. */
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

/** Cuts requests of lines, of which each point has this many, at the end of a line. */
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
