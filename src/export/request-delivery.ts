import { setImmediate as yieldToOthers, setTimeout as sleep } from 'node:timers/promises';
import type { QueuedRequest, QueueStorage } from '../component/queue-storage.js';
import { describeError, ExportError } from '../errors.js';
import type { DeliveryLog } from './delivery-log.js';
import type { DropReason, SendingQueueTelemetry } from './delivery-telemetry.js';
import { Backoff, SizeLimits, type RetryLimits } from './retry.js';

/** How the server answered a request that it accepted. */
export interface Delivery {
  /** Points that it accepted and discarded. */
  readonly rejectedPoints: number;
  /** Its reason; empty if it gave none. */
  readonly message: string;
}

/** A request that was accepted completely. */
export const wholeDelivery: Delivery = { rejectedPoints: 0, message: '' };

/** Sends requests to one destination. */
export interface Sender {
  /** For messages: the address. */
  readonly target: string;
  /**
   * Sends a request once.
   * @throws ExportError that says whether another attempt can succeed
   */
  send(request: QueuedRequest): Promise<Delivery>;
  /**
   * Aborts what is in progress, as far as possible, and closes every connection.
   * @param timeoutMs after which the rest is abandoned
   */
  close(timeoutMs?: number): void | Promise<void>;
}

export interface RequestDeliveryOptions {
  readonly sender: Sender;
  readonly retry: RetryLimits;
  readonly telemetry: SendingQueueTelemetry;
  readonly log: DeliveryLog;
  /** Where requests are queued. */
  readonly storage: Pick<QueueStorage, 'waiting' | 'isLasting'>;
  /** Called for points that were delivered or dropped. */
  settle(points: number): void;
}

/** Delivers requests: retries transient failures, and splits requests that are too large. */
export class RequestDelivery {
  readonly #options: RequestDeliveryOptions;
  readonly #draining = new AbortController();
  /** The server asked not to be contacted until then, by `performance.now()`. */
  #pausedUntilMs = 0;
  /** The smallest size that the server refused although it accepts smaller parts. */
  #refusedBytes = Infinity;
  #isClosed = false;

  constructor(options: RequestDeliveryOptions) {
    this.#options = options;
  }

  /**
   * Delivers or drops a request.
   * @returns false when some of it is to be sent after the next start
   */
  async deliver(request: QueuedRequest): Promise<boolean> {
    const limits = new SizeLimits(this.#refusedBytes);
    const isDone = await this.#deliver(request, limits);
    this.#refusedBytes = limits.learnt;
    return isDone;
  }

  /** Makes only one further attempt per request. */
  drain(): void {
    this.#draining.abort();
  }

  /** Stops counting what is in progress. May be called twice. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#options.sender.close(timeoutMs);
  }

  countDrop(reason: DropReason, points: number, message = ''): void {
    const { telemetry, log } = this.#options;
    telemetry.dropped(reason, points);
    log.dropped(reason, points, message);
  }

  /** Sends a request, in parts if it is too large, and drops what cannot be delivered. */
  async #deliver(request: QueuedRequest, limits: SizeLimits): Promise<boolean> {
    const error = limits.refuse(request) ? limits.error : await this.#send(request);
    if (this.#isClosed) return false;
    if (error?.isTooLarge) limits.refused(request, error);
    const halves = limits.refuse(request) ? request.split?.() : undefined;
    if (halves) {
      if (error) this.#options.log.split(request.bytes.length, error.message);
      return this.#deliverParts(halves, limits);
    }
    if (error && this.#isKept(error)) return false;
    if (error) this.#giveUp(request, error);
    else limits.delivered();
    this.#options.settle(request.points);
    return true;
  }

  /** Whether what could not be sent before the shutdown is stored for the next start. */
  #isKept({ retryable }: ExportError): boolean {
    return retryable && this.#options.storage.isLasting && this.#draining.signal.aborted;
  }

  async #deliverParts(parts: readonly QueuedRequest[], limits: SizeLimits): Promise<boolean> {
    for (const part of parts) {
      // Splitting a request of thousands of points that are each too large takes time.
      await yieldToOthers();
      if (this.#isClosed || !(await this.#deliver(part, limits))) return false;
    }
    return true;
  }

  /** @returns the reason why it could not be delivered */
  async #send(request: QueuedRequest): Promise<ExportError | undefined> {
    const { retry, log } = this.#options;
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
      log.failed(error.message);
      await this.#wait(waitMs);
    }
  }

  /** Waits, but not longer than until the shutdown starts. */
  async #wait(ms: number): Promise<void> {
    await waitAtMost(ms, this.#draining.signal);
  }

  /** @returns the error, if any */
  async #attempt(request: QueuedRequest): Promise<ExportError | undefined> {
    try {
      const delivery = await this.#options.sender.send(request);
      if (!this.#isClosed) this.#delivered(request, delivery);
      return undefined;
    } catch (error) {
      if (error instanceof ExportError) return error;
      return new ExportError(describeError(error), { retryable: false, cause: error });
    }
  }

  #delivered(request: QueuedRequest, { rejectedPoints, message }: Delivery): void {
    const { telemetry, log, storage } = this.#options;
    request.release?.();
    this.#pausedUntilMs = 0;
    telemetry.sent(request.points - rejectedPoints);
    log.delivered(storage.waiting);
    if (rejectedPoints > 0) this.countDrop('partial_success', rejectedPoints, message);
    else if (message !== '') log.warned(message);
  }

  #giveUp(request: QueuedRequest, { retryable, message }: ExportError): void {
    if (!retryable) this.countDrop('rejected', request.points, message);
    else if (this.#draining.signal.aborted) this.countDrop('shutdown', request.points, message);
    else this.countDrop('retries_exhausted', request.points, message);
  }
}

/** Node replaces a longer timeout (24 days) by 1 ms. */
const longestWaitMs = 2 ** 31 - 1;

/** Ends early, without an error, when the signal is aborted. */
export async function waitAtMost(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, longestWaitMs), undefined, { signal }).catch(() => undefined);
}
