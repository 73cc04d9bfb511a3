import type { Context } from '../component/component.js';
import type { QueuedRequest, QueueStorage, StoredBytes, StoredRequest } from '../component/queue-storage.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError } from '../errors.js';
import { DeliveryLog } from './delivery-log.js';
import { SendingQueueTelemetry, type DropReason } from './delivery-telemetry.js';
import { MemoryStorage } from './memory-storage.js';
import { RequestDelivery, waitAtMost, type Sender } from './request-delivery.js';
import { limitRetries, type RetryConfig } from './retry.js';

/** Settings of exporters that queue encoded requests until they are delivered. */
export const sendingQueueSettings = {
  queue_bytes: {
    doc: 'Maximum size of all encoded requests that wait or are being sent.',
    format: 'byte_size',
    default: '64MiB',
    min: 1,
  },
  num_consumers: {
    doc: 'Maximum number of concurrent requests. With 1, the points of a series arrive in order.',
    format: 'int',
    default: 1,
    min: 1,
    max: 100,
  },
  drop: {
    doc: 'What happens when the queue is full. `oldest`: the oldest requests are dropped. `newest`: new tables are refused.',
    format: ['oldest', 'newest'],
    default: 'oldest',
  },
  storage: {
    doc: 'Extension that stores waiting requests, such as `file_storage`, so that they survive the end of the process. Unset: they wait in memory.',
    format: 'string',
    references: 'extension',
    default: null,
  },
} as const satisfies Schema;

/** Time for closing connections, even if requests have used up the time of a shutdown. */
const minCloseMs = 200;
/** Time for a sender to abandon what does not end. */
const abandonMs = 50;

export interface SendingQueueConfig {
  readonly sending_queue: ConfigOf<typeof sendingQueueSettings>;
  readonly retry_on_failure: RetryConfig;
}

export interface QueueOptions {
  /** Where requests are queued; by default in memory. */
  readonly storage?: QueueStorage | undefined;
  /** Rebuilds a splittable request from stored bytes. */
  readonly restore?: ((stored: StoredBytes) => QueuedRequest) | undefined;
}

/** Queues requests until they are delivered, up to a limit, and retries those whose failure is transient. */
export class SendingQueue {
  readonly #config: SendingQueueConfig;
  readonly #telemetry: SendingQueueTelemetry;
  readonly #log: DeliveryLog;
  readonly #storage: QueueStorage;
  readonly #restore: (stored: StoredBytes) => QueuedRequest;
  readonly #delivery: RequestDelivery;
  readonly #consumers = new Set<Promise<void>>();
  /** Consumers with a request; those that finish are not counted even before their promises settle. */
  #busy = 0;
  /** Bytes of everything queued or in flight. */
  #bytes = 0;
  #points = 0;
  #isClosed = false;

  constructor(config: SendingQueueConfig, context: Context, sender: Sender, options: QueueOptions = {}) {
    const { storage = new MemoryStorage(), restore = (stored) => stored } = options;
    this.#config = config;
    this.#storage = storage;
    this.#restore = restore;
    this.#log = new DeliveryLog(context.log, sender.target);
    this.#telemetry = new SendingQueueTelemetry(context, {
      capacityBytes: config.sending_queue.queue_bytes,
      readBytes: () => this.#bytes,
      readInFlight: () => this.#busy,
    });
    this.#delivery = new RequestDelivery({
      sender,
      retry: limitRetries(config.retry_on_failure, storage.isLasting),
      telemetry: this.#telemetry,
      log: this.#log,
      storage,
      settle: (points) => (this.#points -= points),
    });
    this.#resume();
  }

  /** Whether the last delivery attempt failed. */
  get isFailing(): boolean {
    return this.#log.isOutage;
  }

  /** Whether this many bytes would be accepted, possibly by dropping older requests. */
  hasRoom(bytes: number): boolean {
    const { drop, queue_bytes: capacity } = this.#config.sending_queue;
    return drop === 'oldest' || this.#bytes + bytes <= capacity;
  }

  /**
   * Fill level of the queue, from 0 to 1.
   * @param requestBytes size to reserve for the next request
   */
  readBacklog(requestBytes: number): number {
    const usable = Math.max(1, this.#config.sending_queue.queue_bytes - requestBytes);
    return Math.min(1, this.#bytes / usable);
  }

  /** Counts refused points that never became a request. */
  refuse(points: number): void {
    this.#delivery.countDrop('queue_full', points);
  }

  /** Queues a request; if there is no room, an older one or this one is dropped. */
  offer(request: QueuedRequest): void {
    this.#makeRoom(request.bytes.length);
    if (this.#bytes + request.bytes.length > this.#config.sending_queue.queue_bytes) {
      this.#delivery.countDrop('queue_full', request.points);
      return;
    }
    if (!this.#storage.append(request)) {
      this.#delivery.countDrop('storage_failed', request.points);
      return;
    }
    this.#bytes += request.bytes.length;
    this.#points += request.points;
    if (this.#busy < this.#config.sending_queue.num_consumers) this.#addConsumer();
  }

  /**
   * Sends queued requests, each once more at most, and ends. Safe to call twice.
   * @param timeoutMs after which the rest is dropped, unless it is stored
   */
  async shutdown(timeoutMs: number): Promise<void> {
    this.#delivery.drain();
    const deadline = performance.now() + timeoutMs;
    await withinTime(Promise.all(this.#consumers), deadline);
    this.#leave();
    this.#points = 0;
    this.#isClosed = true;
    const now = performance.now();
    const closeEnd = Math.max(now + minCloseMs, deadline);
    const closing = this.#delivery.close(closeEnd - now);
    await withinTime(Promise.resolve(this.#storage.close()), deadline);
    this.#telemetry.close();
    this.#log.close();
    await withinTime(closing, closeEnd + abandonMs);
  }

  /** Continues with the requests of an earlier run. */
  #resume(): void {
    const { requests, bytes, points } = this.#storage.waiting;
    if (requests === 0) return;
    this.#bytes = bytes;
    this.#points = points;
    this.#log.resumed(this.#storage.waiting);
    for (let i = Math.min(requests, this.#config.sending_queue.num_consumers); i > 0; i--)
      this.#addConsumer();
  }

  /** Requests that the shutdown did not deliver are lost, or stay stored until the next start. */
  #leave(): void {
    if (this.#points === 0) return;
    if (this.#storage.isLasting) this.#log.kept({ points: this.#points, bytes: this.#bytes });
    else this.#delivery.countDrop('shutdown', this.#points);
  }

  #makeRoom(bytes: number): void {
    const { drop, queue_bytes: capacity } = this.#config.sending_queue;
    if (drop !== 'oldest') return;
    while (this.#bytes + bytes > capacity) {
      const oldest = this.#storage.take();
      if (oldest === undefined) return;
      this.#drop(oldest, 'queue_full');
    }
  }

  #addConsumer(): void {
    const consumer = this.#consume().finally(() => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
  }

  async #consume(): Promise<void> {
    this.#busy += 1;
    for (let stored = this.#storage.take(); stored; stored = this.#storage.take()) {
      const loaded = this.#load(stored);
      const request = loaded instanceof Promise ? await loaded : loaded;
      if (request === undefined) continue;
      const isDone = await this.#delivery.deliver(request);
      // Stored requests are sent after the next start; if a backend is gone, the rest stays stored as well.
      if (this.#isClosed || !isDone) break;
      this.#storage.remove(stored);
      this.#bytes -= stored.size;
    }
    this.#busy -= 1;
  }

  /** @returns undefined if it is lost */
  #load(stored: StoredRequest): QueuedRequest | undefined | Promise<QueuedRequest | undefined> {
    if (!stored.isExpired) {
      const loaded = stored.load();
      return loaded instanceof Promise ? this.#read(stored, loaded) : loaded;
    }
    this.#drop(stored, 'expired');
    return undefined;
  }

  async #read(stored: StoredRequest, bytes: Promise<StoredBytes>): Promise<QueuedRequest | undefined> {
    try {
      return this.#restore(await bytes);
    } catch (error) {
      this.#drop(stored, 'storage_failed', describeError(error));
      return undefined;
    }
  }

  /** Drops a request that was not sent. */
  #drop(stored: StoredRequest, reason: DropReason, message = ''): void {
    if (this.#isClosed) return;
    this.#storage.remove(stored);
    this.#bytes -= stored.size;
    this.#points -= stored.points;
    this.#delivery.countDrop(reason, stored.points, message);
  }
}

/** Waits for a promise, but not beyond an instant of `performance.now()`. */
async function withinTime(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  const timer = new AbortController();
  const ended = work.finally(() => timer.abort());
  await Promise.race([ended, waitAtMost(Math.max(0, deadlineMs - performance.now()), timer.signal)]);
}
