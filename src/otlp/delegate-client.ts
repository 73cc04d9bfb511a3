import type { QueuedRequest } from '../component/queue-storage.js';
import { wholeDelivery, type Delivery } from '../export/request-delivery.js';
import { findMessage, findNumber, findText, readFields } from '../protobuf.js';
import { limitRejected, readExportResponse } from './export-response.js';

/** The used part of the official exporters' delegates: they serialise, send and deserialise. */
export interface ExportDelegate {
  export(request: QueuedRequest, done: (result: { readonly error?: Error }) => void): void;
  /** Waits for pending requests and closes the connection. */
  shutdown(): Promise<void>;
}

/** What the official delegates require. */
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
 * An official delegate that sends requests of our encoder, and returns what the official one only logs: how
 * many points the backend rejected.
 */
export class DelegateClient {
  readonly #delegate: ExportDelegate;
  readonly #toExportError: (error: unknown) => Error;
  #response = wholeDelivery;

  /** @param toExportError converts an error of the delegate */
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

  /** Sends a request once, as specified by `Sender`. */
  send(request: QueuedRequest): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      this.#delegate.export(request, ({ error }) => {
        // The delegate reads the response of a request immediately before it calls back: no other response
        // comes in between.
        const delivery = this.#response;
        this.#response = wholeDelivery;
        if (error) reject(this.#toExportError(error));
        else resolve(limitRejected(delivery, request.points));
      });
    });
  }

  /** Waits for pending requests and closes the connection. */
  close(): Promise<void> {
    return this.#delegate.shutdown();
  }
}

/** 10,000 years: the maximum in google/protobuf/duration.proto. Negative values appear larger. */
const maxSeconds = 315_576_000_000;

/**
 * Reads the delay that a google.rpc.Status requests: the `retry_delay` of the google.rpc.RetryInfo among its
 * details. Undefined when there is none, or it is not a valid delay.
 * @throws RangeError when it is not one of these messages
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
