import type { Meter } from '@opentelemetry/api';
import type { ConsumingComponent } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import type { Clock } from '../../src/linux/clock.js';
import {
  countHistograms,
  createHistogramEnding,
  type HistogramTable,
} from '../../src/model/histogram-table.js';
import { countPoints, type Table } from '../../src/model/table.js';

export interface MemoryLimiterOptions {
  readonly id: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly next: Consumer;
  readonly checkMs: number;
  readonly collectMs: number;
  /** Resident memory of the collector. */
  readBytes(): number;
  /** Collects garbage now. */
  collect(): void;
}

const describeBytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** Refuses tables while the collector uses too much memory. */
export class MemoryLimiter implements ConsumingComponent {
  readonly #limits: { readonly soft: number; readonly hard: number };
  readonly #options: MemoryLimiterOptions;
  readonly #refused;
  readonly #attributes;
  #timer: NodeJS.Timeout | undefined;
  #isRefusing = false;
  #collectedMs = -Infinity;

  constructor(limits: { readonly soft: number; readonly hard: number }, options: MemoryLimiterOptions) {
    this.#limits = limits;
    this.#options = options;
    this.#attributes = { processor: options.id };
    this.#refused = options.meter.createCounter('otelcol_processor_refused_metric_points', {
      unit: '{datapoint}',
      description: 'Points that a processor refused for lack of memory',
    });
  }

  start(): void {
    const { checkMs, log } = this.#options;
    const { soft, hard } = this.#limits;
    log.info(
      `Refusing tables above ${describeBytes(soft)} of resident memory; the limit is ${describeBytes(hard)}`,
    );
    this.#timer = setInterval(() => this.check(), checkMs).unref();
    this.check();
  }

  consume(table: Table): boolean {
    if (!this.#isRefusing) return this.#options.next.consume(table);
    // Ended series are small, and free memory elsewhere.
    if (table.ended)
      this.#options.next.consume({
        ...table,
        series: [],
        offsets: new Float64Array(0),
        values: new Float64Array(0),
      });
    this.#refused.add(countPoints(table), this.#attributes);
    return false;
  }

  consumeHistograms(table: HistogramTable): boolean {
    const { next } = this.#options;
    if (!this.#isRefusing) return passHistograms(next, table);
    if (table.ended) passHistograms(next, createHistogramEnding(table.ended, table.epoch));
    this.#refused.add(countHistograms(table), this.#attributes);
    return false;
  }

  shutdown(): void {
    clearInterval(this.#timer);
  }

  /** Checks the memory now. */
  check(): void {
    const { readBytes, collect, collectMs, clock, log } = this.#options;
    let bytes = readBytes();
    const nowMs = Number(clock.monotonicNs()) / 1e6;
    if (bytes > this.#limits.hard && nowMs - this.#collectedMs >= collectMs) {
      this.#collectedMs = nowMs;
      collect();
      bytes = readBytes();
    }
    const isHigh = bytes > this.#limits.soft;
    if (isHigh === this.#isRefusing) return;
    this.#isRefusing = isHigh;
    if (isHigh) {
      log.warn(
        `Refusing tables: expected at most ${describeBytes(this.#limits.soft)} of memory, found ${describeBytes(bytes)}; ` +
          'counters lose resolution, but no counts. Raise the limit, publish fewer series or shorten the queues',
      );
    } else log.info(`Recovered, accepting tables again with ${describeBytes(bytes)} of memory`);
  }
}
