import type { Delivery } from '../export/sending-queue.js';
import { findMessage, findNumber, findText, readFields } from '../protobuf.js';

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
