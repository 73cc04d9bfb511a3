import { ExportError } from '../../src/errors.js';

/**
 * Transient exceptions: time-outs (159, 209), too many queries or connections (202, 203), network and DNS (198,
 * 210), no coordination service (225, 999), aborted (236), not enough memory (241) or space (243), a table that
 * is read-only (242) or has too many parts (252), too few replicas (285), an insert with unknown status (319),
 * a locked session (373), a system error (425), no thread (439). Also users who cannot log in (192, 193, 194,
 * 516) or write (291, 497), which an operator has to fix. The names are in system.errors of every server.
 */
const passing: ReadonlySet<number> = new Set([
  159, 192, 193, 194, 198, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 285, 291, 319, 373, 425, 439,
  497, 516, 999,
]);

/** The server answers 500 to most errors, with the exception code in the text. */
export function toClickhouseError(error: unknown): unknown {
  if (!(error instanceof ExportError) || error.retryable) return error;
  const [, code] = /\bCode: (\d+)/u.exec(error.message) ?? [];
  if (code === undefined || !passing.has(Number(code))) return error;
  return new ExportError(error.message, { retryable: true, cause: error });
}
