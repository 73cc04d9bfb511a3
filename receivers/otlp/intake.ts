import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ReceiverContext } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import { describeError } from '../../src/errors.js';
import type { NoAccess } from '../../src/http/basic-auth.js';
import { runInSlices } from '../../src/linux/slices.js';
import { createHistogramEnding } from '../../src/model/histogram-table.js';
import type { HistogramSeries, Series } from '../../src/model/series.js';
import { createEnding } from '../../src/model/table.js';
import { HistogramReader } from './histogram-reader.js';
import { HistogramWriter } from './histogram-writer.js';
import { isHistogram, isNumeric, joinHalves, type LiveSeries } from './live-series.js';
import { PointReader } from './point-reader.js';
import { Rejections } from './rejections.js';
import { RequestReader } from './request-reader.js';
import { PendingHistograms } from './rows.js';
import { SeriesRegistry } from './series-registry.js';
import { TableWriter } from './table-writer.js';
import { IntakeTelemetry, type Refusal } from './telemetry.js';

const accessRefusals: Readonly<Record<NoAccess, string>> = {
  denied:
    'Cannot take the request: expected a user and a password in "authorization", found none that is right',
  busy: 'Cannot accept the request now: expected few passwords to be compared, found many',
};

/** The outcome of a request that was not taken. */
export interface Failure {
  readonly kind: 'malformed' | 'busy' | 'failed';
  readonly message: string;
}

/** The outcome of a request. */
export type Outcome =
  { readonly kind: 'taken'; readonly rejected: number; readonly message: string } | Failure;

export interface IntakeOptions {
  readonly maxSeries: number;
  /** A series without points ends after this time. */
  readonly expiryMs: number;
}

/**
 * Queue utilization above which requests are refused. Requests are refused as a whole, so senders can repeat
 * them unchanged.
 */
const maxBacklog = 0.9;
/** Maximum total size of the requests that are queued or being read. */
const maxWaitingBytes = 64 * 1024 * 1024;
const maxSweepMs = 10_000;

/** Reads requests one after another and forwards their points. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  readonly #registry: SeriesRegistry;
  readonly #points: PointReader;
  readonly #histograms: HistogramReader;
  readonly #reader: RequestReader;
  readonly #writer: TableWriter;
  readonly #histogramWriter: HistogramWriter;
  readonly #telemetry: IntakeTelemetry;
  #turn: Promise<unknown> = Promise.resolve();
  #waitingBytes = 0;
  /** When a request was last refused temporarily. */
  #refusedMs = -Infinity;
  #isClosed = false;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: IntakeOptions, context: ReceiverContext, next: Consumer) {
    this.#options = options;
    this.#context = context;
    this.#next = next;
    this.#registry = new SeriesRegistry(options.maxSeries);
    this.#points = new PointReader(this.#registry);
    this.#histograms = new HistogramReader(this.#registry);
    this.#reader = new RequestReader(this.#registry, this.#points, this.#histograms);
    this.#writer = new TableWriter(this.#registry, next);
    this.#histogramWriter = new HistogramWriter(this.#registry, next);
    this.#telemetry = new IntakeTelemetry(context, () => this.series);
  }

  /** The number of live series. */
  get series(): number {
    return this.#registry.size;
  }

  start(): void {
    const sweepMs = Math.min(maxSweepMs, this.#options.expiryMs / 4);
    this.#sweep = setInterval(() => void this.#inTurn(() => this.#endSilent()), sweepMs).unref();
  }

  /** Refuses further requests, and waits until those being read are answered. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    await this.#turn;
    await yieldToOthers();
    this.#telemetry.close();
  }

  /**
   * Takes an ExportMetricsServiceRequest. Never rejects.
   * @param bytes must not change before the promise is fulfilled
   */
  async take(bytes: Uint8Array): Promise<Outcome> {
    return this.#note(await this.#takeInTurn(bytes));
  }

  /** Notes a request that was not received completely. */
  refuse(kind: 'malformed' | 'busy', message: string): Failure {
    return this.#note({ kind, message });
  }

  /** Counts a request that was not received, and logs the first one with this reason. */
  giveUp(why: Exclude<Refusal, 'malformed'>, message: string): void {
    this.#telemetry.answered(why);
    this.#telemetry.refused(why, message);
  }

  /** Notes a request that was not received because of its user or password. @returns the reason */
  refuseAccess(access: NoAccess): string {
    const message = accessRefusals[access];
    if (access === 'busy') this.refuse('busy', message);
    else this.giveUp('denied', message);
    return message;
  }

  /** Counts an outcome, and logs an invalid request. */
  #note<Noted extends Outcome>(outcome: Noted): Noted {
    this.#telemetry.answered(outcome.kind);
    if (outcome.kind === 'malformed') this.#telemetry.refused('malformed', outcome.message);
    if (outcome.kind === 'busy') this.#refusedMs = performance.now();
    return outcome;
  }

  async #takeInTurn(bytes: Uint8Array): Promise<Outcome> {
    const reason = this.#findBusyReason(bytes.length);
    if (reason !== undefined) return { kind: 'busy', message: reason };
    this.#waitingBytes += bytes.length;
    try {
      return await this.#inTurn(() => this.#read(bytes).finally(() => this.#points.rows.clear()));
    } catch (error) {
      const message = describeError(error);
      if (error instanceof RangeError) return { kind: 'malformed', message };
      this.#context.log.error(`Cannot process a request: ${message}`);
      return { kind: 'failed', message };
    } finally {
      this.#waitingBytes -= bytes.length;
    }
  }

  #findBusyReason(bytes: number): string | undefined {
    if (this.#isClosed)
      return 'Cannot take the request: expected a running receiver, found one that shuts down';
    const backlog = this.#context.readBacklog?.() ?? 0;
    if (backlog > maxBacklog)
      return `Cannot accept the request now: expected queues that are at most 90 % full, found ${Math.round(backlog * 100)} %`;
    if (this.#waitingBytes === 0 || this.#waitingBytes + bytes <= maxWaitingBytes) return undefined;
    return `Cannot accept the request now: expected at most ${maxWaitingBytes} bytes of requests at a time, found more`;
  }

  /** Requests are read one after another, because each yields to other work. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #read(bytes: Uint8Array): Promise<Outcome> {
    const rejections = new Rejections();
    const pending = new PendingHistograms();
    // V8 stores an integer in each series without a heap object.
    this.#registry.beginRequest(Math.floor(performance.now()));
    this.#histograms.pending = pending;
    try {
      await runInSlices(this.#reader.read(bytes, rejections));
    } finally {
      this.#registry.forgetUnused();
    }
    // If a table of numbers was refused, the histograms are not forwarded, because the sender repeats the whole
    // request.
    const isTaken =
      (await runInSlices(this.#writer.write(this.#points.rows, rejections))) &&
      (await runInSlices(this.#histogramWriter.write(pending, rejections)));
    if (!isTaken)
      return {
        kind: 'busy',
        message: 'Cannot accept the request now: expected room in every queue, found a full one',
      };
    this.#telemetry.rejected(rejections);
    const { points } = rejections;
    return { kind: 'taken', rejected: points, message: points === 0 ? '' : rejections.describe() };
  }

  /** Ends the series that no longer receive points. Never rejects. */
  async #endSilent(): Promise<void> {
    try {
      await this.#sweepSeries();
    } catch (error) {
      this.#context.log.error(`Cannot end series without points: ${describeError(error)}`);
    }
  }

  async #sweepSeries(): Promise<void> {
    // The content of refused requests is unknown: they may have points of these series.
    if (performance.now() - this.#refusedMs < this.#options.expiryMs) return;
    const before = performance.now() - this.#options.expiryMs;
    const ended: Series[] = [];
    const endedHistograms: HistogramSeries[] = [];
    let [high, low] = [0, 0];
    await runInSlices(
      this.#eachSilent(before, (one) => {
        for (let each: LiveSeries | undefined = one; each !== undefined; each = each.replaces) {
          if (!each.isBegun || each.isOver) continue;
          if (isHistogram(each.series)) endedHistograms.push(each.series);
          else if (isNumeric(each.series)) ended.push(each.series);
        }
        if (one.high > high || (one.high === high && one.low > low)) [high, low] = [one.high, one.low];
      }),
    );
    const at = joinHalves(high, low);
    if (ended.length > 0) this.#next.consume(createEnding(ended, at));
    if (endedHistograms.length > 0) passHistograms(this.#next, createHistogramEnding(endedHistograms, at));
  }

  *#eachSilent(beforeMs: number, found: (one: LiveSeries) => void): Generator<void> {
    let checked = 0;
    for (const one of this.#registry.live) {
      checked += 1;
      if (checked % 1000 === 0) yield;
      if (one.seenMs > beforeMs) continue;
      found(one);
      this.#registry.end(one);
    }
  }
}
