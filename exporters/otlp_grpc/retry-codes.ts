import { status, type ServiceError } from '@grpc/grpc-js';
import { describeError, ExportError } from '../../src/errors.js';
import { describeConnectionError, describeRetryAfter } from '../../src/http/connection-error.js';
import { parseRetryDelayMs } from '../../src/otlp/delegate-client.js';

/** The codes that the Collector retries, and those of wrong credentials, which an operator can fix. */
const retryableCodes: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/**
 * Converts a failed call to an export error, by the Collector's rules.
 * @param isPlain whether connections are without TLS
 */
export function toExportError(error: unknown, isPlain = false): ExportError {
  if (!isServiceError(error))
    return new ExportError(describeError(error), { retryable: false, cause: error });
  const message = `${status[error.code] ?? `gRPC status ${error.code}`}: ${describeConnectionError(error.details, isPlain)}`;
  if (isTooLarge(error))
    return new ExportError(message, { retryable: false, isTooLarge: true, cause: error });
  const retryAfterMs = findRetryDelayMs(error);
  // A server that says when to retry is out of resources only temporarily.
  const isExhaustedForNow = error.code === status.RESOURCE_EXHAUSTED && retryAfterMs !== undefined;
  return new ExportError(message + describeRetryAfter(retryAfterMs), {
    retryable: retryableCodes.has(error.code) || isExhaustedForNow,
    retryAfterMs,
    cause: error,
  });
}

/**
 * gRPC has no status code for a message that is too large. These are the messages of grpc-go, grpc-js and the C
 * core ("received message larger than max", "decompresses to a size larger than"), of .NET and Java ("exceeds
 * (the configured) maximum ... size") and, with OUT_OF_RANGE, of tonic ("message length too large"); a proxy in
 * front of them answers with HTTP 413.
 */
const tooLarge = /larger than|exceeds .*maximum|too large|HTTP status code 413/iu;
const tooLargeCodes: ReadonlySet<number> = new Set([
  status.RESOURCE_EXHAUSTED,
  status.OUT_OF_RANGE,
  status.UNKNOWN,
]);

function isTooLarge({ code, details }: ServiceError): boolean {
  return tooLargeCodes.has(code) && tooLarge.test(details);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

function findRetryDelayMs({ metadata }: ServiceError): number | undefined {
  const [details] = metadata.get('grpc-status-details-bin');
  if (!(details instanceof Uint8Array)) return undefined;
  try {
    return parseRetryDelayMs(details);
  } catch {
    // Details that are not a google.rpc.Status are ignored; the status code is used.
    return undefined;
  }
}
