/** An encoded request. */
export interface QueuedRequest {
  readonly bytes: Uint8Array;
  readonly points: number;
  /** Called once the request was delivered or stored, when nothing reads its bytes any more. */
  release?(): void;
  /** Splits its points into two requests; undefined if it has only one point. */
  split?(): readonly [QueuedRequest, QueuedRequest] | undefined;
}

/** A request as read back from a storage. */
export type StoredBytes = Pick<QueuedRequest, 'bytes' | 'points'>;

/** A request in a storage. */
export interface StoredRequest {
  /** Size in bytes. */
  readonly size: number;
  readonly points: number;
  /** Whether it is older than the maximum age of the storage. */
  readonly isExpired: boolean;
  /**
   * The request. A request that is read back has bytes and points only; reading fails if it is damaged or
   * unreadable.
   */
  load(): QueuedRequest | Promise<StoredBytes>;
}

/**
 * Where a sending queue keeps its requests, first in, first out. A taken request stays stored until it is
 * removed, so that a storage that outlives the process can return it after a crash.
 */
export interface QueueStorage {
  /** Whether requests survive the end of the process. */
  readonly isLasting: boolean;
  /** Requests that were not taken yet; after opening, those of an earlier run. */
  readonly waiting: { readonly requests: number; readonly bytes: number; readonly points: number };
  /** @returns false when the storage is full */
  append(request: QueuedRequest): boolean;
  /** Takes the oldest request that was not taken yet. */
  take(): StoredRequest | undefined;
  /** Removes a taken request, which was delivered or dropped. */
  remove(request: StoredRequest): void;
  /** No request follows. May be called twice. */
  close(): void | Promise<void>;
}
