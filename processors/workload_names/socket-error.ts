import { findErrorCode } from '../../src/errors.js';

const remedies = new Map<string, (socket: string) => string>([
  ['ENOENT', () => 'the socket does not exist; start the runtime, or set the path of its socket'],
  ['ECONNREFUSED', () => 'no process listens at the socket; start the runtime'],
  ['EACCES', (socket) => `this user may not use the socket; add the user to its group: stat -c %G ${socket}`],
]);

/** The error of a local socket with its code and a remedy; others are returned unchanged. */
export function describeSocketError(error: unknown, socket: string): unknown {
  // grpc-js has the code only in the message.
  const code = findErrorCode(error)?.startsWith('E')
    ? findErrorCode(error)
    : /connect (E[A-Z]+)/u.exec(String(error))?.[1];
  const remedy = remedies.get(code ?? '');
  if (remedy === undefined) return error;
  return Object.assign(new Error(`${code}, ${remedy(socket)}`, { cause: error }), { code });
}
