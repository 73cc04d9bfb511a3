import type { Delivery } from '../export/request-delivery.js';
import { findMessage, findNumber, findText } from '../protobuf.js';

const unreadable = 'the answer is not one of an OTLP receiver, is the address right?';

/**
 * Reads the response of a backend to a request. A success with an unreadable body, such as a web page, is only
 * logged, as in the Collector.
 */
export function readExportResponse(bytes: Uint8Array): Delivery {
  try {
    return parseExportResponse(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { rejectedPoints: 0, message: unreadable };
  }
}

/** A backend cannot reject more points than it received. */
export function limitRejected({ rejectedPoints, message }: Delivery, points: number): Delivery {
  return { rejectedPoints: Math.min(rejectedPoints, points), message };
}

/**
 * Reads an ExportMetricsServiceResponse, whose `partial_success` states how many points were rejected.
 * @throws RangeError when it is not one
 */
export function parseExportResponse(bytes: Uint8Array): Delivery {
  const partialSuccess = findMessage(bytes, 1) ?? new Uint8Array();
  const rejectedPoints = findNumber(partialSuccess, 1);
  return {
    // A negative count, an error of the backend, appears as a huge one: no points are known to be lost.
    rejectedPoints: rejectedPoints >= 2 ** 63 ? 0 : rejectedPoints,
    message: findText(partialSuccess, 2),
  };
}
