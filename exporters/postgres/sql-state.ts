import { describeErrors, ExportError } from '../../src/errors.js';

// https://www.postgresql.org/docs/current/errcodes-appendix.html

/**
 * Classes of transient conditions: connection exception, transaction rollback (serialization, deadlock),
 * insufficient resources (disk full, too many connections), operator intervention (shutdown, cancel), system
 * error. Also a role that cannot log in, for example because of its password, which an operator has to fix.
 */
const passingClasses: ReadonlySet<string> = new Set(['08', '28', '40', '53', '57', '58']);
/**
 * Single transient conditions: a lock that was not available, an object in use, a server that is read-only
 * until a failover, a role without write permission.
 */
const passingStates: ReadonlySet<string> = new Set(['55006', '55P03', '25006', '42501']);

/** Whether another attempt can succeed after a server error with this SQLSTATE. */
export function isPassing(state: string): boolean {
  return passingStates.has(state) || passingClasses.has(state.slice(0, 2));
}

/** The SQLSTATE of a server error; undefined for every other error. */
export function findState(error: unknown): string | undefined {
  const isServers = error instanceof Error && 'severity' in error && 'code' in error;
  return isServers && typeof error.code === 'string' ? error.code : undefined;
}

/** Converts an error to an export error. An error without SQLSTATE concerns the connection: there was no answer. */
export function toExportError(error: unknown): ExportError {
  if (error instanceof ExportError) return error;
  const state = findState(error);
  const text = describeErrors(error instanceof AggregateError ? error.errors : [error], ', ');
  const message = state === undefined ? text : `SQLSTATE ${state}, ${text}`;
  return new ExportError(message, { retryable: state === undefined || isPassing(state), cause: error });
}
