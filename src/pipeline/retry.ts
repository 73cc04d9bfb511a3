import type { ExportError } from '../component/errors.js';
import type { ConfigOf, Schema } from '../config/schema.js';

/** Settings of exporters that send again what failed, as the Collector's exporters have them. */
export const retrySettings = {
  enabled: {
    doc: 'Whether a request that failed for the moment is sent again.',
    format: 'boolean',
    default: true,
  },
  initial_interval: {
    doc: 'Wait before the second attempt.',
    format: 'duration',
    default: '5s',
    min: 1,
  },
  randomization_factor: {
    doc: 'By which part a wait is made shorter or longer at random.',
    format: 'number',
    default: 0.5,
    min: 0,
    max: 1,
  },
  multiplier: {
    doc: 'How much longer each wait is than the one before.',
    format: 'number',
    default: 1.5,
    min: 1,
  },
  max_interval: {
    doc: 'Longest wait between two attempts.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  max_elapsed_time: {
    doc: 'How long a request is tried before it is dropped; 0: for ever.',
    format: 'duration',
    default: '5m',
  },
} as const satisfies Schema;

export type RetryConfig = ConfigOf<typeof retrySettings>;

/** The waits between the attempts to send one request. */
export class Backoff {
  readonly #config: RetryConfig;
  readonly #random: () => number;
  #intervalMs: number;

  /** @param random gives numbers from 0 up to 1 */
  constructor(config: RetryConfig, random: () => number = Math.random) {
    this.#config = config;
    this.#random = random;
    this.#intervalMs = config.initial_interval;
  }

  /**
   * How long to wait after a failed attempt: the next interval, or what the other side asked for where that is
   * longer.
   * @param elapsedMs since the first attempt began
   * @returns undefined when there shall be no further attempt
   */
  nextMs({ retryable, retryAfterMs = 0 }: ExportError, elapsedMs: number): number | undefined {
    if (!retryable || !this.#config.enabled) return undefined;
    const waitMs = Math.max(this.#nextIntervalMs(), retryAfterMs);
    const longestMs = this.#config.max_elapsed_time;
    return longestMs !== 0 && elapsedMs + waitMs > longestMs ? undefined : waitMs;
  }

  #nextIntervalMs(): number {
    const { randomization_factor: spread, multiplier, max_interval: maxIntervalMs } = this.#config;
    const intervalMs = Math.min(this.#intervalMs, maxIntervalMs);
    this.#intervalMs = intervalMs * multiplier;
    return intervalMs * (1 + spread * (2 * this.#random() - 1));
  }
}
