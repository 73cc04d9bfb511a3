import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../component/log.js';
import { readDescriptorLimit } from '../linux/open-files-limit.js';

/** More than any set of scrapers needs. */
const maxConnections = 64;
const minConnections = 4;
/** Sensors and the files of processes need descriptors, too. */
const descriptorShare = 16;

/** Then the client has to connect again: what it has sent already is not answered. */
const maxRequests = 100;

/**
 * Limits the connections of a server, so that it never takes the descriptors that the agent needs. One too many closes
 * the one that has waited longest without a request: idle connections cannot lock a scraper out.
 */
export function limitConnections(server: Server, log: Log): void {
  const limit = findLimit();
  const idle = new Set<Socket>();
  const open = new Set<Socket>();
  let isReported = false;
  server.maxRequestsPerSocket = maxRequests;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    idle.add(socket);
    socket.once('close', () => (open.delete(socket), idle.delete(socket)));
    if (open.size <= limit) return;
    const [longest = socket] = idle;
    longest.destroy();
    if (!isReported) log.warn(`Closing idle connections: expected at most ${limit}, found ${open.size}`);
    isReported = true;
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => !socket.destroyed && idle.add(socket));
  });
  server.on('dropRequest', (_: IncomingMessage, socket: Socket) => socket.destroy());
}

/** Node has raised the soft limit to the hard one. */
function findLimit(): number {
  const share = Math.floor(readDescriptorLimit() / descriptorShare);
  return Math.max(minConnections, Math.min(maxConnections, share));
}
