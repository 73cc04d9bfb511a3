import type { Meter } from '@opentelemetry/api';
import type { Log } from '../component/log.js';
import type { RunningSampler, SamplerRequest, Sampling } from '../component/sampling.js';
import { fastPeriodNs } from './real-time-guard.js';
import { createSamplerMetrics, SamplerChannel, type SamplerMetrics } from './sampler-channel.js';
import { SamplingThread, type ThreadContext } from './sampling-thread.js';

export interface SamplingContext {
  readonly log: Log;
  readonly meter: Meter;
  /** How long a sampler may take to stop before its thread is abandoned; 1.5 s by default. */
  readonly stopTimeoutMs?: number;
  /** Keeps wall time this number of nanoseconds ahead of CLOCK_MONOTONIC, even if the system clock is set. */
  readonly wallOffsetNs?: bigint;
  /** Called whenever a thread has started. */
  readonly onThread?: () => void;
  /** Called before a sampler with a period of at most 3 ms is opened. */
  readonly onFast?: () => void;
}

const minPeriodNs = 20_000;

/** Sampling in worker threads: one that samplers share, and a separate one for each sampler that requires it. */
export function createSampling(context: SamplingContext): Sampling {
  return new SamplingThreads(context);
}

class SamplingThreads implements Sampling {
  readonly #log: Log;
  readonly #context: ThreadContext;
  readonly #metrics: SamplerMetrics;
  readonly #threads = new Set<SamplingThread>();
  readonly #noted = new Set<string>();
  readonly #onFast: () => void;
  #shared: SamplingThread | undefined;
  #lastId = 0;
  #isShutDown = false;

  constructor(context: SamplingContext) {
    const {
      log,
      meter,
      stopTimeoutMs = 1500,
      wallOffsetNs,
      onThread = () => {},
      onFast = () => {},
    } = context;
    this.#metrics = createSamplerMetrics(meter);
    this.#log = log;
    this.#onFast = onFast;
    const note: ThreadContext['note'] = (level, message) => this.#noteOnce(level, message);
    this.#context = { log, stopTimeoutMs, wallOffsetNs, note, onThread };
  }

  async start(request: SamplerRequest): Promise<RunningSampler> {
    this.#check(request);
    if (request.periodNs <= fastPeriodNs) this.#onFast();
    const thread = this.#threadFor(request);
    const channel = new SamplerChannel(++this.#lastId, request, this.#metrics);
    await thread.open(channel);
    return {
      flush: () => thread.flush(channel),
      update: (options) => thread.update(channel, options),
      pause: () => thread.pause(channel),
      resume: () => thread.resume(channel),
      setPeriod: async (periodNs) => {
        this.#check({ ...request, periodNs });
        if (periodNs <= fastPeriodNs) this.#onFast();
        await thread.setPeriod(channel, periodNs);
      },
      get lastSignMs() {
        return channel.lastSignMs;
      },
      get isFailing() {
        return channel.isFailing;
      },
      stop: () => thread.close(channel),
    };
  }

  prepare(): void {
    if (!this.#isShutDown) this.#threadFor({});
  }

  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await Promise.all([...this.#threads].map((thread) => thread.shutdown()));
  }

  #check({ id, periodNs, flushMs }: SamplerRequest): void {
    if (this.#isShutDown)
      throw new Error(`Cannot sample for ${id}: expected sampling to run, found it shut down`);
    if (!(periodNs >= minPeriodNs && flushMs > 0)) {
      throw new RangeError(
        `Cannot sample for ${id}: expected a period of at least ${minPeriodNs} ns and a flush interval ` +
          `above 0 ms, found ${periodNs} ns and ${flushMs} ms`,
      );
    }
  }

  #threadFor({ ownThread = false }: Pick<SamplerRequest, 'ownThread'>): SamplingThread {
    for (const thread of this.#threads) if (!thread.isOpen) this.#threads.delete(thread);
    if (!ownThread && this.#shared?.isOpen === true) return this.#shared;
    const thread = new SamplingThread(this.#context);
    this.#threads.add(thread);
    if (!ownThread) this.#shared = thread;
    return thread;
  }

  #noteOnce(level: 'info' | 'warn', message: string): void {
    if (this.#noted.has(message)) return;
    this.#noted.add(message);
    this.#log[level](message);
  }
}
