import type { Delivery, QueuedRequest } from '../pipeline/sending-queue.js';
import { parseExportResponse } from './responses.js';

/** What is used of the official exporters' delegates: they serialise, send and deserialise. */
export interface ExportDelegate {
  export(request: QueuedRequest, done: (result: { readonly error?: Error }) => void): void;
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

/**
 * Makes an official delegate send what our encoder made, and say what the official one only logs: which points
 * the other side threw away.
 * @param toExportError what an error of the delegate means for the request
 */
export function createDelegateSend(
  createDelegate: (parts: DelegateParts) => ExportDelegate,
  toExportError: (error: unknown) => Error,
): (request: QueuedRequest) => Promise<Delivery> {
  let response = nothingRejected;
  const delegate = createDelegate({
    serializer: {
      serializeRequest: ({ bytes }) => bytes,
      deserializeResponse(bytes) {
        response = parseExportResponse(bytes);
        // Without a partial success the delegate has nothing to log.
        return {};
      },
    },
    metricsHelper: { name: 'metric_data_point', countItems: ({ points }) => points },
  });
  return (request) =>
    new Promise((resolve, reject) => {
      delegate.export(request, ({ error }) => {
        // The delegate reads the response of a request directly before it calls back: no other comes between.
        const { rejectedPoints, message } = response;
        response = nothingRejected;
        if (error) reject(toExportError(error));
        else resolve({ rejectedPoints: Math.min(rejectedPoints, request.points), message });
      });
    });
}
