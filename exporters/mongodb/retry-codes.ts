import { describeError, ExportError } from '../../src/errors.js';
import { cleanText, describeConnectionError } from '../../src/http/connection-error.js';

/** What the driver says of an error, by its documentation; errors of other libraries have none of it. */
interface DriverError {
  readonly code?: unknown;
  readonly errorLabels?: readonly string[];
}

/** Labels of errors after which the server asks to try again (MongoDB, "Error labels"). */
const retryLabels: ReadonlySet<string> = new Set([
  'RetryableWriteError',
  'TransientTransactionError',
  'RetryableError',
  'SystemOverloadedError',
]);

/**
 * Codes that an operator has to mend: Unauthorized, AuthenticationFailed; and those of a server that has no room or time
 * just now: MaxTimeMSExpired, OutOfDiskSpace, ExceededMemoryLimit, WriteConcernFailed.
 */
const temporaryCodes: ReadonlySet<unknown> = new Set([13, 18, 50, 14_031, 146, 64]);

/** Errors of the driver that come from the way to the server, and not from the server. */
const connectionErrors =
  /^Mongo(?:Network|ServerSelection|ServerClosed|TopologyClosed|NotConnected|PoolCleared|WaitQueueTimeout|OperationTimeout)/u;

/** Whatever the driver has thrown, as what it means for the request. */
export function toExportError(error: unknown, isPlain: boolean): ExportError {
  return new ExportError(describe(error, isPlain), { retryable: isTemporary(error), cause: error });
}

function isTemporary(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Any error may have these fields, and of any type.
  const { code, errorLabels } = error as DriverError;
  const isLabelled =
    Array.isArray(errorLabels) && errorLabels.some((label) => retryLabels.has(String(label)));
  // The driver hides an error of the connection in one of bulk writes, which then has no code of the server.
  const isOfConnection =
    connectionErrors.test(error.name) || (error.name === 'MongoBulkWriteError' && code === undefined);
  // Codes of servers are numbers; those of Node and the system, such as EPIPE, are about the connection.
  return isLabelled || isOfConnection || typeof code === 'string' || temporaryCodes.has(code);
}

function describe(error: unknown, isPlain: boolean): string {
  const text = cleanText(describeError(error));
  if (isPlain && /^connection \d* ?to .* closed$/u.test(text))
    return `${text}, as a server does that wants TLS at this port`;
  return describeConnectionError(text, isPlain);
}
