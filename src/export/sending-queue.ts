import { setImmediate as yieldToOthers, setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../component/component.js';
import type { QueuedRequest, QueueStorage, StoredBytes, StoredRequest } from '../component/queue-storage.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError, ExportError } from '../errors.js';
import { DeliveryLog } from './delivery-log.js';
import { SendingQueueTelemetry, type DropReason } from './delivery-telemetry.js';
import { MemoryStorage } from './memory-storage.js';
import { Backoff, limitRetries, SizeLimits, type RetryConfig, type RetryLimits } from './retry.js';

/** Settings of exporters that keep encoded requests until they are delivered. */
export const sendingQueueSettings = {
  queue_bytes: {
    doc: 'Maximum bytes of encoded requests that wait or are being sent.',
    format: 'byte_size',
    default: '64MiB',
    min: 1,
  },
  num_consumers: {
    doc: 'Concurrent requests; with 1 the points of a series arrive in order.',
    format: 'int',
    default: 1,
    min: 1,
    max: 100,
  },
  drop: {
    doc: 'What happens when the queue is full: the oldest requests are dropped, or the newest tables are refused.',
    format: ['oldest', 'newest'],
    default: 'oldest',
  },
  storage: {
    doc: 'Extension that stores what waits, so that the end of the process does not lose it: `file_storage`. Not set: in memory.',
    format: 'string',
    references: 'extension',
    default: null,
  },
} as const satisfies Schema;

export interface SendingQueueConfig {
  readonly sending_queue: ConfigOf<typeof sendingQueueSettings>;
  readonly retry_on_failure: RetryConfig;
}

/** What the other side made of a request that it took. */
export interface Delivery {
  /** Points that it took and threw away. */
  readonly rejectedPoints: number;
  /** Its reason, empty when it gave none. */
  readonly message: string;
}

/** Where requests go. */
export interface Sender {
  /** For messages: the address. */
  readonly target: string;
  /**
   * Sends a request once.
   * @throws ExportError that says whether another attempt can help
   */
  send(request: QueuedRequest): Promise<Delivery>;
  /** Gives up what is under way, as far as that is possible, and releases every connection. */
  close(): void | Promise<void>;
}

export interface QueueOptions {
  /** Where requests wait; in memory otherwise. */
  readonly storage?: QueueStorage | undefined;
  /** Makes a request of what was stored, one that can be split. */
  readonly restore?: ((stored: StoredBytes) => QueuedRequest) | undefined;
}

/** Keeps requests until they are delivered, within bounds, and sends them again where that can help. */
export class SendingQueue {
  readonly #config: SendingQueueConfig;
  readonly #retry: RetryLimits;
  readonly #sender: Sender;
  readonly #telemetry: SendingQueueTelemetry;
  readonly #log: DeliveryLog;
  readonly #storage: QueueStorage;
  readonly #restore: (stored: StoredBytes) => QueuedRequest;
  readonly #consumers = new Set<Promise<void>>();
  readonly #draining = new AbortController();
  /** Consumers that have a request: they count as gone before their promises settle. */
  #busy = 0;
  /** Of everything that waits or is under way. */
  #bytes = 0;
  #points = 0;
  /** Until when, by `performance.now()`, the other side asked to be left alone. */
  #pausedUntilMs = 0;
  /** The smallest size of which the other side takes parts alone. */
  #refusedBytes = Infinity;
  #isClosed = false;
  /** At the shutdown: the rest stays in the storage. */
  #isKeeping = false;

  constructor(config: SendingQueueConfig, context: Context, sender: Sender, options: QueueOptions = {}) {
    const { storage = new MemoryStorage(), restore = (stored) => stored } = options;
    this.#config = config;
    this.#sender = sender;
    this.#storage = storage;
    this.#retry = limitRetries(config.retry_on_failure, storage.isLasting);
    this.#restore = restore;
    this.#log = new DeliveryLog(context.log, sender.target);
    this.#telemetry = new SendingQueueTelemetry(context, {
      capacityBytes: config.sending_queue.queue_bytes,
      readBytes: () => this.#bytes,
      readInFlight: () => this.#busy,
    });
    this.#resume();
  }

  /** Whether this many bytes would be taken, if need be in the place of older ones. */
  hasRoom(bytes: number): boolean {
    const { drop, queue_bytes: capacity } = this.#config.sending_queue;
    return drop === 'oldest' || this.#bytes + bytes <= capacity;
  }

  /**
   * How full the queue is, from 0 to 1.
   * @param requestBytes what the next request may take
   */
  readBacklog(requestBytes: number): number {
    const usable = Math.max(1, this.#config.sending_queue.queue_bytes - requestBytes);
    return Math.min(1, this.#bytes / usable);
  }

  /** Counts points that were never made into a request. */
  refuse(points: number): void {
    this.#countDrop('queue_full', points);
  }

  /** Takes a request; what has no room is dropped, be it an older one or this one. */
  offer(request: QueuedRequest): void {
    this.#makeRoom(request.bytes.length);
    if (this.#bytes + request.bytes.length > this.#config.sending_queue.queue_bytes) {
      this.#countDrop('queue_full', request.points);
      return;
    }
    if (!this.#storage.append(request)) {
      this.#countDrop('storage_failed', request.points);
      return;
    }
    this.#bytes += request.bytes.length;
    this.#points += request.points;
    if (this.#busy < this.#config.sending_queue.num_consumers) this.#addConsumer();
  }

  /**
   * Sends what waits, each request once more at most, and ends. Safe to call twice.
   * @param timeoutMs after which the rest is dropped, unless it is stored
   */
  async shutdown(timeoutMs: number): Promise<void> {
    this.#draining.abort();
    const deadline = performance.now() + timeoutMs;
    await withinTime(Promise.all(this.#consumers), deadline);
    this.#leave();
    this.#points = 0;
    this.#isClosed = true;
    await withinTime(Promise.resolve(this.#storage.close()), deadline);
    this.#telemetry.close();
    this.#log.close();
    await withinTime(Promise.resolve(this.#sender.close()), deadline);
  }

  /** Begins with what an earlier run has left. */
  #resume(): void {
    const { requests, bytes, points } = this.#storage.waiting;
    if (requests === 0) return;
    this.#bytes = bytes;
    this.#points = points;
    this.#log.resumed(this.#storage.waiting);
    for (let i = Math.min(requests, this.#config.sending_queue.num_consumers); i > 0; i--)
      this.#addConsumer();
  }

  /** What was not delivered until the shutdown is lost, or waits for the next start. */
  #leave(): void {
    if (this.#points === 0) return;
    if (this.#storage.isLasting) this.#log.kept({ points: this.#points, bytes: this.#bytes });
    else this.#countDrop('shutdown', this.#points);
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
      const limits = new SizeLimits(this.#refusedBytes);
      await this.#deliver(request, limits);
      if (this.#isClosed || this.#isKeeping) break;
      this.#storage.remove(stored);
      this.#refusedBytes = limits.learnt;
    }
    this.#busy -= 1;
  }

  /** @returns undefined when it is lost */
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

  /** Gives up a request that was not sent. */
  #drop(stored: StoredRequest, reason: DropReason, message = ''): void {
    this.#storage.remove(stored);
    this.#forget(stored);
    this.#countDrop(reason, stored.points, message);
  }

  #forget({ size, points }: Pick<StoredRequest, 'size' | 'points'>): void {
    this.#bytes -= size;
    this.#points -= points;
  }

  /** Sends a request, in parts where it is too large, and gives up what cannot be delivered. */
  async #deliver(request: QueuedRequest, limits: SizeLimits): Promise<void> {
    const error = limits.refuse(request) ? limits.error : await this.#send(request);
    if (this.#isClosed) return;
    if (error?.isTooLarge) limits.refused(request, error);
    const halves = limits.refuse(request) ? request.split?.() : undefined;
    if (halves) {
      if (error) this.#log.split(request.bytes.length, error.message);
      await this.#deliverParts(request, halves, limits);
      return;
    }
    if (error && this.#isKept(error)) {
      this.#isKeeping = true;
      return;
    }
    if (error) this.#giveUp(request, error);
    else limits.delivered();
    this.#forget({ size: request.bytes.length, points: request.points });
  }

  /** Whether what could not be sent before the shutdown can be sent after the next start. */
  #isKept({ retryable }: ExportError): boolean {
    return retryable && this.#storage.isLasting && this.#draining.signal.aborted;
  }

  async #deliverParts(whole: QueuedRequest, parts: readonly QueuedRequest[], limits: SizeLimits) {
    this.#bytes += parts.reduce((sum, { bytes }) => sum + bytes.length, -whole.bytes.length);
    for (const part of parts) {
      // A request of thousands of points that are too large, each by itself, takes its time.
      await yieldToOthers();
      if (!this.#isClosed && !this.#isKeeping) await this.#deliver(part, limits);
    }
  }

  /** @returns why it could not be delivered */
  async #send(request: QueuedRequest): Promise<ExportError | undefined> {
    const retry = this.#retry;
    const backoff = new Backoff(retry);
    const sinceMs = performance.now();
    const pauseMs = this.#pausedUntilMs - sinceMs;
    if (retry.enabled && pauseMs > 0) await this.#wait(backoff.shorten(pauseMs, 0));
    for (;;) {
      const isLast = this.#draining.signal.aborted;
      const error = await this.#attempt(request);
      if (error === undefined || this.#isClosed) return error;
      this.#pausedUntilMs = performance.now() + (error.retryAfterMs ?? 0);
      const waitMs = isLast ? undefined : backoff.nextMs(error, performance.now() - sinceMs);
      if (waitMs === undefined) return error;
      this.#log.failed(error.message);
      await this.#wait(waitMs);
    }
  }

  /** Waits, but not beyond the beginning of the shutdown. */
  async #wait(ms: number): Promise<void> {
    await wait(ms, this.#draining.signal);
  }

  /** @returns what went wrong */
  async #attempt(request: QueuedRequest): Promise<ExportError | undefined> {
    try {
      const delivery = await this.#sender.send(request);
      if (!this.#isClosed) this.#delivered(request, delivery);
      return undefined;
    } catch (error) {
      if (error instanceof ExportError) return error;
      return new ExportError(describeError(error), { retryable: false, cause: error });
    }
  }

  #delivered(request: QueuedRequest, { rejectedPoints, message }: Delivery): void {
    request.release?.();
    this.#pausedUntilMs = 0;
    this.#telemetry.sent(request.points - rejectedPoints);
    this.#log.delivered({
      requests: this.#storage.waiting.requests,
      bytes: this.#bytes - request.bytes.length,
    });
    if (rejectedPoints > 0) this.#countDrop('partial_success', rejectedPoints, message);
    else if (message !== '') this.#log.warned(message);
  }

  #giveUp(request: QueuedRequest, { retryable, message }: ExportError): void {
    if (!retryable) this.#countDrop('rejected', request.points, message);
    else if (this.#draining.signal.aborted) this.#countDrop('shutdown', request.points, message);
    else this.#countDrop('retries_exhausted', request.points, message);
  }

  #countDrop(reason: DropReason, points: number, message = ''): void {
    this.#telemetry.dropped(reason, points);
    this.#log.dropped(reason, points, message);
  }
}

/** Node takes a longer wait (24 days) for one of a millisecond. */
const longestWaitMs = 2 ** 31 - 1;

/** Ends early, and without an error, when the signal is aborted. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, longestWaitMs), undefined, { signal }).catch(() => undefined);
}

/** Waits for something until a point in time of `performance.now()` at the latest. */
async function withinTime(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  const timer = new AbortController();
  const ended = work.finally(() => timer.abort());
  await Promise.race([ended, wait(Math.max(0, deadlineMs - performance.now()), timer.signal)]);
}
