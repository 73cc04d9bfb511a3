import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { ReadingLoop } from '../component/reading-loop.js';
import type { RunningSampler } from '../component/sampling.js';
import type { Series } from '../model/series.js';

/** The parts of a receiver with a sampler: its sampler and its series. */
export interface SamplingReceiverOptions<Columns> {
  readonly context: Pick<ReceiverContext, 'id' | 'log' | 'sampling' | 'loops'>;
  readonly next: Consumer;
  /** The module that exports `openSampler`. */
  readonly module: URL;
  /** Passed to `openSampler`. Plain data that can be cloned. */
  readonly options: unknown;
  /** Time between two readings, at least 0.02 ms (50 kHz). */
  readonly intervalMs: number;
  /**
   * Chooses the period between readings, where it differs from the interval: at the start, and when another
   * interval is set at run time.
   */
  choosePeriodMs?(intervalMs: number): number;
  /** Time between two tables. */
  readonly flushMs: number;
  /** A source that can block for milliseconds gets a separate thread. */
  readonly ownThread?: boolean;
  /**
   * Creates the series of a sampler's columns, in order. Called before the first row and at every new generation.
   * @param columns the sampler's `columns`
   * @param start Unix time in nanoseconds of the first row of these series, at which counters are 0
   */
  createSeries(columns: Columns, start: bigint): readonly Series[];
}

/** A receiver whose sampler options can change at run time. */
export interface SamplingReceiver extends Component {
  /** Gives the sampler other options. Has no effect before the start. */
  update(options: unknown): Promise<void>;
}

/**
 * A receiver that reads a sampler on a sampling thread. Its start resolves when the sampler could be opened,
 * and otherwise rejects with UnavailableError.
 */
export function createSamplingReceiver<Columns>(options: SamplingReceiverOptions<Columns>): SamplingReceiver {
  const { context, next, module, flushMs, ownThread = false } = options;
  const { id, log, sampling, loops } = context;
  let running: RunningSampler | undefined;
  let leave: (() => void) | undefined;
  return {
    async start() {
      running = await sampling.start({
        id,
        module,
        options: options.options,
        periodNs: findPeriodNs(options, options.intervalMs),
        flushMs,
        ownThread,
        // The module and the series belong to the same receiver, which knows the type of its sampler's columns.
        describe: (columns, start) => options.createSeries(columns as Columns, start),
        next,
        log,
      });
      leave = loops?.join(new SamplingLoop(running, options));
    },
    async flush() {
      await running?.flush();
    },
    async update(changed) {
      await running?.update(changed);
    },
    async shutdown() {
      leave?.();
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
  };
}

type Pace = Pick<SamplingReceiverOptions<never>, 'choosePeriodMs'>;

function findPeriodNs({ choosePeriodMs }: Pace, intervalMs: number): number {
  return Math.round((choosePeriodMs?.(intervalMs) ?? intervalMs) * 1e6);
}

/** A running sampler, as controlled by the agent. */
class SamplingLoop implements ReadingLoop {
  readonly setting = 'sampling_interval';
  intervalMs: number;
  readonly #sampler: RunningSampler;
  readonly #options: Pace & { readonly flushMs: number };
  #isPaused = false;

  constructor(
    sampler: RunningSampler,
    options: Pace & { readonly flushMs: number; readonly intervalMs: number },
  ) {
    this.#sampler = sampler;
    this.#options = options;
    this.intervalMs = options.intervalMs;
  }

  get dueMs(): number {
    const everyMs = Math.max(this.#options.flushMs, this.intervalMs);
    return this.#isPaused ? Infinity : this.#sampler.lastSignMs + everyMs;
  }

  get isFailing(): boolean {
    return this.#sampler.isFailing;
  }

  pause(): Promise<void> {
    this.#isPaused = true;
    return this.#sampler.pause();
  }

  async resume(): Promise<void> {
    await this.#sampler.resume();
    this.#isPaused = false;
  }

  async setInterval(intervalMs: number): Promise<void> {
    await this.#sampler.setPeriod(findPeriodNs(this.#options, intervalMs));
    this.intervalMs = intervalMs;
  }
}
