import type { ConfigOf, Schema } from '../component/schema.js';
import type { ExportError } from '../errors.js';

/** Settings for retries, as in the Collector's exporters. */
export const retrySettings = {
  enabled: {
    doc: 'Whether a request is sent again if it failed with a temporary error.',
    format: 'boolean',
    default: true,
  },
  initial_interval: {
    doc: 'Time to wait before the second attempt.',
    format: 'duration',
    default: '5s',
    min: 1,
  },
  randomization_factor: {
    doc: 'Maximum fraction by which each wait is randomly shortened or lengthened.',
    format: 'number',
    default: 0.5,
    min: 0,
    max: 1,
  },
  multiplier: {
    doc: 'Factor by which each wait is longer than the previous one, up to `max_interval`.',
    format: 'number',
    default: 1.5,
    min: 1,
  },
  max_interval: {
    doc: 'Maximum time to wait between two attempts.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  max_elapsed_time: {
    doc: 'How long a request is retried before it is dropped. 0: no limit. Unset: 5m, or no limit if `sending_queue.storage` is set.',
    format: 'duration',
    default: null,
  },
} as const satisfies Schema;

export type RetryConfig = ConfigOf<typeof retrySettings>;

/** How long a request that is only in memory is retried, as in the Collector. */
const maxElapsedMs = 5 * 60_000;

/** The settings with the default maximum time. */
export type RetryLimits = RetryConfig & { readonly max_elapsed_time: number };

/** @param isLasting whether requests survive the end of the process */
export function limitRetries(config: RetryConfig, isLasting: boolean): RetryLimits {
  return { ...config, max_elapsed_time: config.max_elapsed_time ?? (isLasting ? 0 : maxElapsedMs) };
}

/**
 * The delays between attempts to send one request. Which failures are retryable is decided by each sender from
 * the codes of its protocol: `retry-codes.ts` of an exporter.
 */
export class Backoff {
  readonly #config: RetryLimits;
  readonly #random: () => number;
  #intervalMs: number;
  #isOver = false;

  /** @param random returns numbers from 0 up to 1 */
  constructor(config: RetryLimits, random: () => number = Math.random) {
    this.#config = config;
    this.#random = random;
    this.#intervalMs = config.initial_interval;
  }

  /**
   * Delay after a failed attempt: the next interval, or what the server asked for if that is longer, limited by
   * the maximum time, after which the request gets its last attempt.
   * @param elapsedMs since the first attempt started
   * @returns undefined if there is no further attempt
   */
  nextMs({ retryable, retryAfterMs = 0 }: ExportError, elapsedMs: number): number | undefined {
    const { enabled, max_elapsed_time: longestMs } = this.#config;
    if (!retryable || !enabled || this.#isOver) return undefined;
    if (longestMs !== 0 && elapsedMs >= longestMs) return undefined;
    return this.shorten(Math.max(this.#nextIntervalMs(), retryAfterMs), elapsedMs);
  }

  /** Limits a delay to the remaining time. The attempt after a shortened delay is the last. */
  shorten(waitMs: number, elapsedMs: number): number {
    const { max_elapsed_time: longestMs } = this.#config;
    if (longestMs === 0 || elapsedMs + waitMs < longestMs) return waitMs;
    this.#isOver = true;
    return longestMs - elapsedMs;
  }

  #nextIntervalMs(): number {
    const { randomization_factor: spread, multiplier, max_interval: maxIntervalMs } = this.#config;
    const intervalMs = Math.min(this.#intervalMs, maxIntervalMs);
    this.#intervalMs = intervalMs * multiplier;
    return intervalMs * (1 + spread * (2 * this.#random() - 1));
  }
}

interface Sized {
  readonly bytes: Uint8Array;
  readonly points: number;
}

/**
 * Sizes that the server refused while one request was split. Parts of at least that size are not sent: they are
 * split first or, if they are a single point, dropped.
 */
export class SizeLimits {
  #parts: number;
  #points = Infinity;
  #isPartDelivered = false;
  /** The last refusal. */
  error: ExportError | undefined;

  /** @param parts the size of several points that was refused before */
  constructor(parts: number) {
    this.#parts = parts;
  }

  /** The size limit for the next request: none, unless parts were accepted. */
  get learnt(): number {
    return this.#isPartDelivered ? this.#parts : Infinity;
  }

  /** Whether a part of this size or smaller was refused. */
  refuse({ bytes, points }: Sized): boolean {
    return bytes.length >= (points > 1 ? this.#parts : this.#points);
  }

  /** A part was accepted. */
  delivered(): void {
    this.#isPartDelivered = true;
  }

  /** A part was refused for its size. */
  refused({ bytes, points }: Sized, error: ExportError): void {
    this.error = error;
    if (points > 1) this.#parts = Math.min(this.#parts, bytes.length);
    else this.#points = Math.min(this.#points, bytes.length);
  }
}
