import type { QueuedRequest } from '../export/queue-storage.js';
import type { Delivery } from '../export/sending-queue.js';
import { parseExportResponse } from './responses.js';

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

const nothingRejected: Delivery = { rejectedPoints: 0, message: '' };

const unreadable = 'the answer is not one of an OTLP receiver, is the address right?';

/** What came with a success but cannot be read, say a web page, is logged and nothing more, as in the Collector. */
function readResponse(bytes: Uint8Array): Delivery {
  try {
    return parseExportResponse(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { rejectedPoints: 0, message: unreadable };
  }
}

/**
 * An official delegate that sends what our encoder made, and says what the official one only logs: which points
 * the other side threw away.
 */
export class DelegateClient {
  readonly #delegate: ExportDelegate;
  readonly #toExportError: (error: unknown) => Error;
  #response = nothingRejected;

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
          this.#response = readResponse(bytes);
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
        const { rejectedPoints, message } = this.#response;
        this.#response = nothingRejected;
        if (error) reject(this.#toExportError(error));
        else resolve({ rejectedPoints: Math.min(rejectedPoints, request.points), message });
      });
    });
  }

  /** Waits for what is under way and closes the connection. */
  close(): Promise<void> {
    return this.#delegate.shutdown();
  }
}
