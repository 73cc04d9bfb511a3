import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { hideCredentials } from '../../src/config/endpoint.js';
import { describeError, ExportError } from '../../src/errors.js';
import { cleanText, describeConnectionError, describeRetryAfter } from '../../src/http/connection-error.js';

/** The status codes after which the Collector sends again. */
const retryableStatuses: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);
/** Those whose Retry-After it honours. */
const throttlingStatuses: ReadonlySet<number | undefined> = new Set([429, 503]);

/** As in the Collector, every request that got no answer is sent again. */
export function toConnectionError(error: Error, isFirstOfPlain: boolean): ExportError {
  // An address with several IPs fails with the errors of each and no words of its own.
  const causes = error instanceof AggregateError ? error.errors : [error];
  const message = describeConnectionError([...new Set(causes.map(describeError))].join(', '), isFirstOfPlain);
  return new ExportError(message, { retryable: true, cause: error });
}

/** What the headers of a response mean where its text adds nothing; undefined for every other response. */
export function findStatusError({
  statusCode = 0,
  statusMessage,
  headers,
}: IncomingMessage): ExportError | undefined {
  const message = `HTTP ${statusCode} ${statusMessage}`;
  if (retryableStatuses.has(statusCode)) return toRetryableError(message, statusCode, headers);
  // Its server may close the connection while it is still sent to: its text may never come.
  if (statusCode === 413) return new ExportError(message, { retryable: false, isTooLarge: true });
  if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return undefined;
  const location = cleanText(hideCredentials(headers.location));
  return new ExportError(
    `${message}, to "${location}"; set endpoint or metrics_endpoint to where the backend is`,
    {
      retryable: false,
    },
  );
}

function toRetryableError(message: string, status: number, headers: IncomingHttpHeaders): ExportError {
  const throttles = throttlingStatuses.has(status);
  const retryAfterMs = throttles ? parseRetryAfterMs(headers['retry-after'], Date.now()) : undefined;
  return new ExportError(message + describeRetryAfter(retryAfterMs), { retryable: true, retryAfterMs });
}

/** Seconds or a date; undefined when it is neither or lies in the past. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return ms > 0 ? ms : undefined;
}
