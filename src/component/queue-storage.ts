/** An encoded request. */
export interface QueuedRequest {
  readonly bytes: Uint8Array;
  readonly points: number;
  /** Called once the request was delivered, or stored, and nothing reads its bytes any more. */
  release?(): void;
  /** The first and the second half of its points as requests; undefined where it has only one. */
  split?(): readonly [QueuedRequest, QueuedRequest] | undefined;
}

/** What a storage returns of a request. */
export type StoredBytes = Pick<QueuedRequest, 'bytes' | 'points'>;

/** A request in a storage. */
export interface StoredRequest {
  /** Of its bytes. */
  readonly size: number;
  readonly points: number;
  /** Whether it has waited longer than the storage keeps requests. */
  readonly isExpired: boolean;
  /** The request. One that is read back has bytes and points only; that fails where it is damaged or cannot be read. */
  load(): QueuedRequest | Promise<StoredBytes>;
}

/**
 * Where a sending queue keeps its requests, first in, first out. What was taken stays stored until it is removed, so
 * that a storage that outlives the process can return it after a crash.
 */
export interface QueueStorage {
  /** Whether requests are there again after the end of the process. */
  readonly isLasting: boolean;
  /** Requests that were not taken yet; after opening, those of an earlier run. */
  readonly waiting: { readonly requests: number; readonly bytes: number; readonly points: number };
  /** @returns false when there is no place for it */
  append(request: QueuedRequest): boolean;
  /** The oldest request that was not taken yet. */
  take(): StoredRequest | undefined;
  /** A request that was taken is delivered or given up: it is not needed any more. */
  remove(request: StoredRequest): void;
  /** No request follows. Safe to call twice. */
  close(): void | Promise<void>;
}
