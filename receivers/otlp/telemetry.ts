import type { Counter, ObservableResult } from '@opentelemetry/api';
import type { ReceiverContext } from '../../src/component/component.js';
import type { Log } from '../../src/component/log.js';
import type { Reason, Rejections } from './rejections.js';

/** Why a request was refused: it is invalid, did not arrive in time, or came without a valid password. */
export type Refusal = 'malformed' | 'unfinished' | 'denied';

/** The receiver's own metrics and logs. */
export class IntakeTelemetry {
  readonly #attributes: { readonly receiver: string };
  readonly #log: Log;
  readonly #requests: Counter;
  readonly #rejected: Counter;
  readonly #warned = new Set<Reason>();
  readonly #warnedRefusals = new Set<Refusal>();
  readonly #close: () => void;

  /** @param readSeries returns the number of live series */
  constructor({ id, log, meter }: Pick<ReceiverContext, 'id' | 'log' | 'meter'>, readSeries: () => number) {
    this.#attributes = { receiver: id };
    this.#log = log;
    this.#requests = meter.createCounter('joulemetry.otlp.requests', {
      description: 'Requests that were received, by outcome',
    });
    this.#rejected = meter.createCounter('joulemetry.otlp.rejected_points', {
      description: 'Points that were received but rejected, by reason',
    });
    const series = meter.createObservableGauge('joulemetry.otlp.series', {
      description: 'Number of series for which points arrive',
    });
    const observe = (result: ObservableResult) => result.observe(readSeries(), this.#attributes);
    series.addCallback(observe);
    this.#close = () => series.removeCallback(observe);
  }

  /** Counts an answered request. */
  answered(outcome: 'taken' | 'busy' | 'failed' | Refusal): void {
    this.#requests.add(1, { ...this.#attributes, outcome });
  }

  /** Warns of the first request that was refused for a reason, since senders repeat their mistakes. */
  refused(why: Refusal, message: string): void {
    if (this.#warnedRefusals.has(why)) return;
    this.#warnedRefusals.add(why);
    this.#log.warn(`Refused a request: ${message}. Further ones are counted in joulemetry.otlp.requests`);
  }

  /** Counts rejected points, and warns once of each reason. */
  rejected(rejections: Rejections): void {
    for (const [reason, { points }] of rejections.counts) {
      this.#rejected.add(points, { ...this.#attributes, reason });
    }
    const unknown = [...rejections.counts].filter(([reason]) => !this.#warned.has(reason));
    if (unknown.length === 0) return;
    for (const [reason] of unknown) this.#warned.add(reason);
    this.#log.warn(`${rejections.describe()}. Further points are counted in joulemetry.otlp.rejected_points`);
  }

  /** Stops observing the number of series. */
  close(): void {
    this.#close();
  }
}
