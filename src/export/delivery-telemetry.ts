import type { Attributes, Counter, Meter, ObservableResult } from '@opentelemetry/api';
import type { Context } from '../component/component.js';

/**
 * Why points were dropped. queue_full: no room. rejected: the server refused them permanently. partial_success:
 * it accepted the rest of the request. retries_exhausted: `max_elapsed_time` passed. shutdown: no time was
 * left. expired: the request was older than the maximum age of its storage. storage_failed: it could not be
 * stored or read back.
 */
export type DropReason =
  | 'queue_full'
  | 'rejected'
  | 'partial_success'
  | 'retries_exhausted'
  | 'shutdown'
  | 'expired'
  | 'storage_failed';

/** State of a queue that is read when its telemetry is collected. */
export interface QueueReadings {
  readonly capacityBytes: number;
  readBytes(): number;
  readInFlight(): number;
}

/** Points of an exporter by result, with the Collector's names. */
export function createOutcomeCounters(meter: Meter): {
  readonly sent: Counter;
  readonly sendFailed: Counter;
} {
  const counter = (name: string, description: string) =>
    meter.createCounter(name, { unit: '{datapoint}', description });
  return {
    sent: counter('otelcol_exporter_sent_metric_points', 'Points that were delivered'),
    sendFailed: counter('otelcol_exporter_send_failed_metric_points', 'Points that could not be sent'),
  };
}

/** The metrics of a sending queue, with the Collector's names where they exist. */
export class SendingQueueTelemetry {
  readonly #attributes: Attributes;
  readonly #sent: Counter;
  readonly #sendFailed: Counter;
  readonly #enqueueFailed: Counter;
  readonly #dropped: Counter;
  readonly #close: () => void;

  constructor({ id, meter }: Pick<Context, 'id' | 'meter'>, readings: QueueReadings) {
    const counter = (name: string, description: string) =>
      meter.createCounter(name, { unit: '{datapoint}', description });
    this.#attributes = { exporter: id };
    const { sent, sendFailed } = createOutcomeCounters(meter);
    this.#sent = sent;
    this.#sendFailed = sendFailed;
    this.#enqueueFailed = counter(
      'otelcol_exporter_enqueue_failed_metric_points',
      'Points that were lost because the sending queue was full',
    );
    this.#dropped = counter('joulemetry.exporter.dropped', 'Points that were lost, by reason');
    this.#close = observeQueue(meter, readings, id);
    for (const one of [this.#sent, this.#sendFailed, this.#enqueueFailed]) one.add(0, this.#attributes);
  }

  /** This many points were delivered. */
  sent(points: number): void {
    this.#sent.add(points, this.#attributes);
  }

  /** This many points are lost. */
  dropped(reason: DropReason, points: number): void {
    const counter = reason === 'queue_full' ? this.#enqueueFailed : this.#sendFailed;
    counter.add(points, this.#attributes);
    this.#dropped.add(points, { ...this.#attributes, reason });
  }

  /** Stops observing the queue. */
  close(): void {
    this.#close();
  }
}

/** @returns a function that stops it */
function observeQueue(meter: Meter, readings: QueueReadings, id: string): () => void {
  const attributes = { exporter: id, data_type: 'metrics' };
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });
  const observed = [
    {
      instrument: gauge(
        'otelcol_exporter_queue_size',
        'By',
        'Bytes of all requests that wait or are being sent',
      ),
      read: () => readings.readBytes(),
    },
    {
      instrument: gauge(
        'otelcol_exporter_queue_capacity',
        'By',
        'Maximum bytes of all requests in the queue',
      ),
      read: () => readings.capacityBytes,
    },
    {
      instrument: meter.createObservableUpDownCounter('otelcol_exporter_in_flight_requests', {
        unit: '{request}',
        description: 'Requests that are being sent, including those that wait for their next attempt',
      }),
      read: () => readings.readInFlight(),
    },
  ].map(({ instrument, read }) => ({
    instrument,
    callback: (result: ObservableResult) => result.observe(read(), attributes),
  }));
  for (const { instrument, callback } of observed) instrument.addCallback(callback);
  return () => {
    for (const { instrument, callback } of observed) instrument.removeCallback(callback);
  };
}
