import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Log } from '../component/log.js';
import { describeCode, describeError, findErrorCode } from '../errors.js';
import { closeServer, idleTimeoutMs, trackSockets, type Listener } from './listen.js';

/** The path of a Unix socket, and its permissions. */
export interface LocalSocket {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Owner and group ids; undefined: those of this process. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Where the user sets the path, for messages: `extensions.control.socket.path`. */
  readonly setting: string;
}

/** Owner only, until its permissions are set. */
const narrowMask = 0o177;

/**
 * Makes a server listen on a Unix socket. A stale socket is replaced.
 * @throws Error, with a message for users, when another process listens there, or the socket cannot be created
 */
export async function listenLocally(server: Server, socket: LocalSocket, log: Log): Promise<Listener> {
  const { path, setting } = socket;
  server.timeout = idleTimeoutMs;
  const sockets = trackSockets(server);
  try {
    await removeStale(path);
    const mask = process.umask(narrowMask);
    try {
      // The socket exists when this returns.
      server.listen({ path });
    } finally {
      process.umask(mask);
    }
    await once(server, 'listening');
    setRights(socket);
  } catch (error) {
    await closeServer(server, sockets);
    throw new Error(`Cannot listen on ${path} (${setting}): ${describeListenError(error)}`, { cause: error });
  }
  server.on('error', (error) => log.warn(`Cannot accept a connection on ${path}: ${describeError(error)}`));
  return { address: path, close: (answered) => closeServer(server, sockets, answered) };
}

/** @throws Error when a process listens there, or it is something other than a socket */
async function removeStale(path: string): Promise<void> {
  // Node reports EACCES for that.
  if (!existsSync(dirname(path)))
    throw new Error(`expected a folder ${dirname(path)}, found none; create it or set another path`);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('expected nothing or a socket, found a file of another kind');
  if (await isAlive(path)) throw new Error('expected no other agent there, found one that answers');
  unlinkSync(path);
}

async function isAlive(path: string): Promise<boolean> {
  const client = connect({ path });
  try {
    await once(client, 'connect');
    return true;
  } catch (error) {
    if (findErrorCode(error) === 'ECONNREFUSED' || findErrorCode(error) === 'ENOENT') return false;
    throw error;
  } finally {
    client.destroy();
  }
}

function setRights({ path, mode, uid, gid }: LocalSocket): void {
  if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? -1, gid ?? -1);
  chmodSync(path, mode);
}

function describeListenError(error: unknown): string {
  switch (findErrorCode(error) ?? '') {
    case 'EACCES':
      return 'EACCES, this user may not write to its folder; set another path, or RuntimeDirectory= in a systemd unit';
    case 'EPERM':
      return 'EPERM, only root may give it this owner or group; remove them or start the agent in that group';
    case 'EINVAL':
      return 'EINVAL, the path is longer than 107 bytes; set a shorter one';
    default:
      return findErrorCode(error) === undefined ? describeError(error) : describeCode(error);
  }
}
