import { describeError, ExportError } from '../../src/errors.js';
import { cleanText, describeConnectionError } from '../../src/http/connection-error.js';

/**
 * Errors with which a broker rejects messages for their size
 * (https://kafka.apache.org/protocol#protocol_error_codes).
 */
const tooLarge: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/**
 * Errors that the same messages would cause again. All others are retried, including those that an operator has
 * to fix: a missing topic, a user without write permission, a password that is being replaced.
 */
const permanent: ReadonlySet<string> = new Set([
  ...tooLarge,
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'INVALID_REQUEST',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'POLICY_VIOLATION',
]);

/** Converts an error of the client to an export error. */
export function toExportError(error: unknown, isPlain: boolean): ExportError {
  const causes = listCauses(error);
  const codes = causes.map(findBrokerError);
  const texts = new Set(causes.map((cause) => describeCause(cause, isPlain)));
  return new ExportError([...texts].join('; '), {
    retryable: !codes.some((code) => permanent.has(code)),
    isTooLarge: codes.some((code) => tooLarge.has(code)),
    cause: error,
  });
}

/** The client wraps the errors of brokers and partitions in its own errors, several levels deep. */
function listCauses(error: unknown): readonly unknown[] {
  // `errors` of an AggregateError may contain any type.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(listCauses);
  return error instanceof Error && error.cause !== undefined ? listCauses(error.cause) : [error];
}

/** The name of an error returned by a broker; empty for all others. */
function findBrokerError(cause: unknown): string {
  return cause instanceof Error && 'apiId' in cause ? String(cause.apiId) : '';
}

function describeCause(cause: unknown, isPlain: boolean): string {
  const name = findBrokerError(cause);
  const text = cleanText(describeError(cause)).replace(/\.$/u, '');
  if (name !== '') return `${name}: ${text}`;
  return isPlain && text === 'Connection closed'
    ? `${text}, as a broker does that wants TLS at this port`
    : describeConnectionError(text, isPlain);
}
