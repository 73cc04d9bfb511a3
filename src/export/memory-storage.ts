import type { QueuedRequest, QueueStorage, StoredRequest } from '../component/queue-storage.js';

/** Requests in memory: they are lost when the process ends. */
export class MemoryStorage implements QueueStorage {
  readonly isLasting: boolean = false;
  readonly #requests: QueuedRequest[] = [];
  #bytes = 0;
  #points = 0;

  get waiting(): QueueStorage['waiting'] {
    return { requests: this.#requests.length, bytes: this.#bytes, points: this.#points };
  }

  append(request: QueuedRequest): boolean {
    this.#requests.push(request);
    this.#bytes += request.bytes.length;
    this.#points += request.points;
    return true;
  }

  take(): StoredRequest | undefined {
    const request = this.#requests.shift();
    if (request === undefined) return undefined;
    const { points } = request;
    const size = request.bytes.length;
    this.#bytes -= size;
    this.#points -= points;
    return { size, points, isExpired: false, load: () => request };
  }

  remove(_request: StoredRequest): void {
    // It left memory when it was taken.
  }

  close(): void {
    this.#requests.length = 0;
  }
}
