import { setImmediate as yieldToOthers, setTimeout as sleep } from 'node:timers/promises';
import type { QueuedRequest, QueueStorage } from '../component/queue-storage.js';
import { describeError, ExportError } from '../errors.js';
import type { DeliveryLog } from './delivery-log.js';
import type { DropReason, SendingQueueTelemetry } from './delivery-telemetry.js';
import { Backoff, SizeLimits, type RetryLimits } from './retry.js';

/** What the other side made of a request that it took. */
export interface Delivery {
  /** Points that it took and threw away. */
  readonly rejectedPoints: number;
  /** Its reason, empty when it gave none. */
  readonly message: string;
}

/** Of a request of which all was taken. */
export const wholeDelivery: Delivery = { rejectedPoints: 0, message: '' };

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

export interface CourierOptions {
  readonly sender: Sender;
  readonly retry: RetryLimits;
  readonly telemetry: SendingQueueTelemetry;
  readonly log: DeliveryLog;
  /** Where requests wait for their turn. */
  readonly storage: Pick<QueueStorage, 'waiting' | 'isLasting'>;
  /** Called for points that are delivered or given up. */
  settle(points: number): void;
}

/** Delivers requests: again where that can help, and in parts where they are too large. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #draining = new AbortController();
  /** Until when, by `performance.now()`, the other side asked to be left alone. */
  #pausedUntilMs = 0;
  /** The smallest size of which the other side takes parts alone. */
  #refusedBytes = Infinity;
  #isClosed = false;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /**
   * Delivers a request, or gives it up.
   * @returns false when some of it is to be sent after the next start
   */
  async deliver(request: QueuedRequest): Promise<boolean> {
    const limits = new SizeLimits(this.#refusedBytes);
    const isDone = await this.#deliver(request, limits);
    this.#refusedBytes = limits.learnt;
    return isDone;
  }

  /** Makes the attempts that follow the last ones. */
  drain(): void {
    this.#draining.abort();
  }

  /** Counts nothing of what is under way any more. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#options.sender.close();
  }

  countDrop(reason: DropReason, points: number, message = ''): void {
    const { telemetry, log } = this.#options;
    telemetry.dropped(reason, points);
    log.dropped(reason, points, message);
  }

  /** Sends a request, in parts where it is too large, and gives up what cannot be delivered. */
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

  /** Whether what could not be sent before the shutdown can be sent after the next start. */
  #isKept({ retryable }: ExportError): boolean {
    return retryable && this.#options.storage.isLasting && this.#draining.signal.aborted;
  }

  async #deliverParts(parts: readonly QueuedRequest[], limits: SizeLimits): Promise<boolean> {
    for (const part of parts) {
      // A request of thousands of points that are too large, each by itself, takes its time.
      await yieldToOthers();
      if (this.#isClosed || !(await this.#deliver(part, limits))) return false;
    }
    return true;
  }

  /** @returns why it could not be delivered */
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

  /** Waits, but not beyond the beginning of the shutdown. */
  async #wait(ms: number): Promise<void> {
    await waitAtMost(ms, this.#draining.signal);
  }

  /** @returns what went wrong */
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

/** Node takes a longer wait (24 days) for one of a millisecond. */
const longestWaitMs = 2 ** 31 - 1;

/** Ends early, and without an error, when the signal is aborted. */
export async function waitAtMost(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, longestWaitMs), undefined, { signal }).catch(() => undefined);
}
