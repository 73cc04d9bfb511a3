import type { Delivery } from '../export/courier.js';
import { findMessage, findNumber, findText } from '../protobuf.js';

const unreadable = 'the answer is not one of an OTLP receiver, is the address right?';

/** What a backend answered to a request. What came with a success but cannot be read, say a web page, is logged and nothing more, as in the Collector. */
export function readExportResponse(bytes: Uint8Array): Delivery {
  try {
    return parseExportResponse(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { rejectedPoints: 0, message: unreadable };
  }
}

/** A backend cannot throw away more points than it got. */
export function limitRejected({ rejectedPoints, message }: Delivery, points: number): Delivery {
  return { rejectedPoints: Math.min(rejectedPoints, points), message };
}

/**
 * Reads an ExportMetricsServiceResponse, whose `partial_success` says which points were thrown away.
 * @throws RangeError when it is none
 */
export function parseExportResponse(bytes: Uint8Array): Delivery {
  const partialSuccess = findMessage(bytes, 1) ?? new Uint8Array();
  const rejectedPoints = findNumber(partialSuccess, 1);
  return {
    // A negative count, an error of the backend, looks like a huge one: nothing is known to be lost.
    rejectedPoints: rejectedPoints >= 2 ** 63 ? 0 : rejectedPoints,
    message: findText(partialSuccess, 2),
  };
}
