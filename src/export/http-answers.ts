import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { hideCredentials } from '../config/endpoint.js';
import { describeError, ExportError } from '../errors.js';
import { cleanText, describeConnectionError, describeRetryAfter } from '../http/connection-error.js';

/** The status codes that the Collector retries. */
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/**
 * Codes with which a backend or a proxy refuses the credentials, not the data. An operator can fix that, while
 * the Collector's exporters lose everything until then.
 */
const credentialStatuses: ReadonlySet<number> = new Set([401, 403, 407]);
/** Codes whose Retry-After is honoured. */
const throttlingStatuses: ReadonlySet<number> = new Set([429, 503]);

/** The answer of a backend. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Incomplete if it is longer than 4 MiB, or the connection broke. */
  readonly body: Buffer;
  readonly isComplete: boolean;
}

/** How the answers of a backend differ from the default. */
export interface AnswerRules {
  /** For messages: the settings that hold the address. `endpoint` by default. */
  readonly addressSettings?: string;
  /** Whether the answer means that the backend is busy or down; by default 429, 502, 503 and 504, as in the Collector. */
  isRetryable?(status: number): boolean;
  /** Whether the request was refused for its size alone, although the status is not 413. */
  isTooLarge?(status: number, reason: string): boolean;
}

/** As in the Collector, every request without an answer is sent again. */
export function toConnectionError(error: Error, isFirstOfPlain: boolean): ExportError {
  // For a name with several IPs, the error holds the errors of each and no message of its own.
  const causes = error instanceof AggregateError ? error.errors : [error];
  const message = describeConnectionError([...new Set(causes.map(describeError))].join(', '), isFirstOfPlain);
  return new ExportError(message, { retryable: true, cause: error });
}

/** The meaning of a response whose body adds nothing; undefined for every other response. */
export function findStatusError(
  { statusCode = 0, statusMessage, headers }: IncomingMessage,
  { addressSettings = 'endpoint', isRetryable = isRetryableStatus }: AnswerRules,
): ExportError | undefined {
  const message = `HTTP ${statusCode} ${statusMessage}`;
  if (isRetryable(statusCode)) return toRetryableError(message, statusCode, headers);
  // The server may close the connection while the request is being sent: the body may never arrive.
  if (statusCode === 413) return new ExportError(message, { retryable: false, isTooLarge: true });
  if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return undefined;
  const location = cleanText(hideCredentials(headers.location));
  return new ExportError(`${message}, to "${location}"; set ${addressSettings} to where the backend is`, {
    retryable: false,
  });
}

function toRetryableError(message: string, status: number, headers: IncomingHttpHeaders): ExportError {
  const throttles = throttlingStatuses.has(status);
  const retryAfterMs = throttles ? parseRetryAfterMs(headers['retry-after'], Date.now()) : undefined;
  return new ExportError(message + describeRetryAfter(retryAfterMs), { retryable: true, retryAfterMs });
}

/** All other refusals are permanent, unless they concern the credentials. */
export function toRefusal(
  { statusCode = 0, statusMessage }: IncomingMessage,
  body: Buffer,
  { isTooLarge }: AnswerRules,
): ExportError {
  const reason = cleanText(body.toString());
  const message = [`HTTP ${statusCode} ${statusMessage}`, reason].filter(Boolean).join(': ');
  return new ExportError(message, {
    retryable: isOfCredentials(statusCode),
    isTooLarge: isTooLarge?.(statusCode, reason) ?? false,
  });
}

/** Whether the Collector sends a request again after this status. */
export function isRetryableStatus(status: number): boolean {
  return retryableStatuses.has(status);
}

/** Whether a status refuses the sender, not the data. */
export function isOfCredentials(status: number): boolean {
  return credentialStatuses.has(status);
}

/** Seconds or a date; undefined if it is neither or in the past. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return ms > 0 ? ms : undefined;
}
