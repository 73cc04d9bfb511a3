/** An encoded request. */
export interface QueuedRequest {
  readonly bytes: Uint8Array;
  readonly points: number;
  /** Called once the request was delivered and nothing reads its bytes any more. */
  release?(): void;
  /** The first and the second half of its points as requests; undefined where it has only one. */
  split?(): readonly [QueuedRequest, QueuedRequest] | undefined;
}

/**
 * Where a sending queue keeps its requests, first in, first out. What was taken stays stored until it is removed, so
 * that a storage that outlives the process can return it after a crash.
 */
export interface QueueStorage {
  /** Requests that were not taken yet. */
  readonly length: number;
  append(request: QueuedRequest): void;
  /** The oldest request that was not taken yet. */
  take(): QueuedRequest | undefined;
  /** A request that was taken is delivered or given up: it is not needed any more. */
  remove(request: QueuedRequest): void;
  /** No request follows. Safe to call twice. */
  close(): void;
}

/** Requests in memory: the end of the process loses them. */
export class MemoryStorage implements QueueStorage {
  readonly #requests: QueuedRequest[] = [];

  get length(): number {
    return this.#requests.length;
  }

  append(request: QueuedRequest): void {
    this.#requests.push(request);
  }

  take(): QueuedRequest | undefined {
    return this.#requests.shift();
  }

  remove(_request: QueuedRequest): void {
    // It left the memory when it was taken.
  }

  close(): void {
    this.#requests.length = 0;
  }
}
