import { status, type ServiceError } from '@grpc/grpc-js';
import { describeError, ExportError } from '../../src/component/errors.js';
import { describeConnectionError } from '../../src/otlp/connection-error.js';
import { parseRetryDelayMs } from '../../src/otlp/responses.js';

/** The codes after which the Collector sends again. */
const retryableCodes: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** What a failed call means for its request, by the Collector's rules. */
export function toExportError(error: unknown): ExportError {
  if (!isServiceError(error))
    return new ExportError(describeError(error), { retryable: false, cause: error });
  const retryAfterMs = findRetryDelayMs(error);
  // A server that says when to come back is out of resources for the moment only.
  const isExhaustedForNow = error.code === status.RESOURCE_EXHAUSTED && retryAfterMs !== undefined;
  return new ExportError(`${status[error.code] ?? `gRPC status ${error.code}`}: ${describe(error)}`, {
    retryable: retryableCodes.has(error.code) || isExhaustedForNow,
    retryAfterMs,
    cause: error,
  });
}

function describe({ details }: ServiceError): string {
  return describeConnectionError(details);
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
    // Details that nobody can read say nothing; the status does.
    return undefined;
  }
}
