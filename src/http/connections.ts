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
  // By their ports: with TLS, requests come by other sockets than connections.
  const open = new Map<string, Socket>();
  const idle = new Set<string>();
  let isReported = false;
  server.maxRequestsPerSocket = maxRequests;
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    open.set(peer, socket);
    idle.add(peer);
    socket.once('close', () => (open.delete(peer), idle.delete(peer)));
    if (open.size <= limit) return;
    const [longest = peer] = idle;
    open.get(longest)?.destroy();
    if (!isReported) log.warn(`Closing idle connections: expected at most ${limit}, found ${open.size}`);
    isReported = true;
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const peer = peerOf(socket);
    idle.delete(peer);
    response.once('close', () => open.has(peer) && idle.add(peer));
  });
  server.on('dropRequest', (_: IncomingMessage, socket: Socket) => socket.destroy());
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Node has raised the soft limit to the hard one. */
function findLimit(): number {
  const share = Math.floor(readDescriptorLimit() / descriptorShare);
  return Math.max(minConnections, Math.min(maxConnections, share));
}
