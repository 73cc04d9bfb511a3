import { describeError, ExportError } from '../../src/errors.js';
import { cleanText, describeConnectionError } from '../../src/http/connection-error.js';

/** Documented fields of the driver's errors; errors of other libraries have none of them. */
interface DriverError {
  readonly code?: unknown;
  readonly errorLabels?: readonly string[];
}

/** Labels of errors after which the server asks for a retry (MongoDB, "Error labels"). */
const retryLabels: ReadonlySet<string> = new Set([
  'RetryableWriteError',
  'TransientTransactionError',
  'RetryableError',
  'SystemOverloadedError',
]);

/**
 * Codes of errors that an operator can fix: Unauthorized, AuthenticationFailed; and of a server that
 * temporarily lacks space or time: MaxTimeMSExpired, OutOfDiskSpace, ExceededMemoryLimit, WriteConcernFailed.
 */
const temporaryCodes: ReadonlySet<unknown> = new Set([13, 18, 50, 14_031, 146, 64]);

/** Errors of the driver about the connection, not from the server. */
const connectionErrors =
  /^Mongo(?:Network|ServerSelection|ServerClosed|TopologyClosed|NotConnected|PoolCleared|WaitQueueTimeout|OperationTimeout)/u;

/** Converts an error of the driver to an export error. */
export function toExportError(error: unknown, isPlain: boolean): ExportError {
  return new ExportError(describe(error, isPlain), { retryable: isTemporary(error), cause: error });
}

function isTemporary(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Any error may have these fields, with any type.
  const { code, errorLabels } = error as DriverError;
  const isLabelled =
    Array.isArray(errorLabels) && errorLabels.some((label) => retryLabels.has(String(label)));
  // The driver wraps a connection error in one of bulk writes, which then has no code of the server.
  const isOfConnection =
    connectionErrors.test(error.name) || (error.name === 'MongoBulkWriteError' && code === undefined);
  // Codes of servers are numbers; those of Node and the system, such as EPIPE, concern the connection.
  return isLabelled || isOfConnection || typeof code === 'string' || temporaryCodes.has(code);
}

function describe(error: unknown, isPlain: boolean): string {
  const text = cleanText(describeError(error));
  if (isPlain && /^connection \d* ?to .* closed$/u.test(text))
    return `${text}, as a server does that wants TLS at this port`;
  return describeConnectionError(text, isPlain);
}
