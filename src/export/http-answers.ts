import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { hideCredentials } from '../config/endpoint.js';
import { describeError, ExportError } from '../errors.js';
import { cleanText, describeConnectionError, describeRetryAfter } from '../http/connection-error.js';

/** The status codes after which the Collector sends again. */
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/**
 * Those by which a backend, or a proxy, refuses who sends: the credentials, not the data. An operator mends that, and the
 * Collector's exporters would have lost everything until then.
 */
const credentialStatuses: ReadonlySet<number> = new Set([401, 403, 407]);
/** Those whose Retry-After it honours. */
const throttlingStatuses: ReadonlySet<number> = new Set([429, 503]);

/** What a backend answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning where it is longer than 4 MiB, or the connection broke. */
  readonly body: Buffer;
  readonly isComplete: boolean;
}

/** How the answers of a backend are understood where it differs from others. */
export interface AnswerRules {
  /** For messages: the settings that hold the address. `endpoint` unless it says otherwise. */
  readonly addressSettings?: string;
  /** Whether the answer means that the backend is busy or down; by default 429, 502, 503 and 504, as in the Collector. */
  isRetryable?(status: number): boolean;
  /** Whether the request was refused for its size alone, although the status is not 413. */
  isTooLarge?(status: number, reason: string): boolean;
}

/** As in the Collector, every request that got no answer is sent again. */
export function toConnectionError(error: Error, isFirstOfPlain: boolean): ExportError {
  // An address with several IPs fails with the errors of each and no words of its own.
  const causes = error instanceof AggregateError ? error.errors : [error];
  const message = describeConnectionError([...new Set(causes.map(describeError))].join(', '), isFirstOfPlain);
  return new ExportError(message, { retryable: true, cause: error });
}

/** What the headers of a response mean where its text adds nothing; undefined for every other response. */
export function findStatusError(
  { statusCode = 0, statusMessage, headers }: IncomingMessage,
  { addressSettings = 'endpoint', isRetryable = (status) => retryableStatuses.has(status) }: AnswerRules,
): ExportError | undefined {
  const message = `HTTP ${statusCode} ${statusMessage}`;
  if (isRetryable(statusCode)) return toRetryableError(message, statusCode, headers);
  // Its server may close the connection while it is still sent to: its text may never come.
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

/** What is left is permanent, unless it is the credentials that were refused. */
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

/** Whether a status refuses who sends, and not what is sent. */
export function isOfCredentials(status: number): boolean {
  return credentialStatuses.has(status);
}

/** Seconds or a date; undefined when it is neither or lies in the past. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return ms > 0 ? ms : undefined;
}
