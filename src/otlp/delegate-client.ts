import type { QueuedRequest } from '../component/queue-storage.js';
import { wholeDelivery, type Delivery } from '../export/courier.js';
import { findMessage, findNumber, findText, readFields } from '../protobuf.js';
import { limitRejected, readExportResponse } from './export-response.js';

/** What is used of the official exporters' delegates: they serialise, send and deserialise. */
export interface ExportDelegate {
  export(request: QueuedRequest, done: (result: { readonly error?: Error }) => void): void;
  /** Waits for what is under way and closes the connection. */
  shutdown(): Promise<void>;
}

/** What the official delegates want to be given. */
export interface DelegateParts {
  readonly serializer: {
    serializeRequest(request: QueuedRequest): Uint8Array;
    deserializeResponse(bytes: Uint8Array): object;
  };
  readonly metricsHelper: {
    readonly name: 'metric_data_point';
    countItems(request: QueuedRequest): number;
  };
}

/**
 * An official delegate that sends what our encoder made, and says what the official one only logs: which points
 * the other side threw away.
 */
export class DelegateClient {
  readonly #delegate: ExportDelegate;
  readonly #toExportError: (error: unknown) => Error;
  #response = wholeDelivery;

  /** @param toExportError what an error of the delegate means for the request */
  constructor(
    createDelegate: (parts: DelegateParts) => ExportDelegate,
    toExportError: (error: unknown) => Error,
  ) {
    this.#toExportError = toExportError;
    this.#delegate = createDelegate({
      serializer: {
        serializeRequest: ({ bytes }) => bytes,
        deserializeResponse: (bytes) => {
          this.#response = readExportResponse(bytes);
          // Without a partial success the delegate has nothing to log.
          return {};
        },
      },
      metricsHelper: { name: 'metric_data_point', countItems: ({ points }) => points },
    });
  }

  /** Sends a request once, as `Sender` promises it. */
  send(request: QueuedRequest): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      this.#delegate.export(request, ({ error }) => {
        // The delegate reads the response of a request directly before it calls back: no other comes between.
        const delivery = this.#response;
        this.#response = wholeDelivery;
        if (error) reject(this.#toExportError(error));
        else resolve(limitRejected(delivery, request.points));
      });
    });
  }

  /** Waits for what is under way and closes the connection. */
  close(): Promise<void> {
    return this.#delegate.shutdown();
  }
}

/** 10,000 years: the maximum in google/protobuf/duration.proto. What is below 0 looks like more. */
const maxSeconds = 315_576_000_000;

/**
 * Reads how long a google.rpc.Status asks to wait: the `retry_delay` of the google.rpc.RetryInfo among its
 * details. Undefined when there is none, or what it says is no time to wait.
 * @throws RangeError when it is none of these messages
 */
export function parseRetryDelayMs(status: Uint8Array): number | undefined {
  const details = readFields(status).flatMap(({ number, value }) =>
    number === 3 && typeof value !== 'number' ? [value] : [],
  );
  const any = details.find((detail) => findText(detail, 1).endsWith('/google.rpc.RetryInfo'));
  if (any === undefined) return undefined;
  const duration = findMessage(findMessage(any, 2) ?? new Uint8Array(), 1) ?? new Uint8Array();
  const [seconds, nanoseconds] = [findNumber(duration, 1), findNumber(duration, 2)];
  if (seconds > maxSeconds || nanoseconds >= 1e9) return undefined;
  return seconds * 1000 + nanoseconds / 1e6;
}
