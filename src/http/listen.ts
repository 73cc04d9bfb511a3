import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import type { Log } from '../component/log.js';
import { parseEndpoint } from '../config/endpoint.js';
import { describeError, findErrorCode } from '../errors.js';
import { readDescriptorLimit } from '../linux/privileges.js';

/** A client that reads no byte of an answer for this long is gone; Node itself would keep the answer permanently. */
export const idleTimeoutMs = 10_000;

/** A server that listens. */
export interface Listener {
  /** Where it really listens, `127.0.0.1:9464` or `[::1]:9464`. */
  readonly address: string;
  /**
   * Stops listening, ends every connection, and waits until both are done. Safe to call twice.
   * @param answered connections end when it is fulfilled, which is not waited for
   */
  close(answered?: Promise<unknown>): Promise<void>;
}

/** What a server that listens needs besides its endpoint. */
export interface ListenContext {
  /** Receives what goes wrong later, when a connection cannot be accepted. */
  readonly log: Log;
  /** Where the user sets the endpoint, for messages: `exporters.prometheus.endpoint`. */
  readonly setting?: string;
}

/**
 * Makes a server listen. A host name that has several addresses, as `localhost` does, gets its IPv4 one, as in
 * Go programs. A connection of HTTP on which nothing moves for 10 s is ended.
 * @param endpoint `host:port`, `[::1]:port` or `:port`
 * @throws Error, in the words of a user, when the address is taken, unknown or forbidden
 */
export async function listen(
  server: NetServer | Server,
  endpoint: string,
  { log, setting }: ListenContext,
): Promise<Listener> {
  const { host, port } = parseEndpoint(endpoint);
  if ('timeout' in server) server.timeout = idleTimeoutMs;
  try {
    const address = host === '' ? undefined : (await lookup(host, { order: 'ipv4first' })).address;
    server.listen({ port, host: address });
    await once(server, 'listening');
  } catch (error) {
    const where = setting === undefined ? endpoint : `${endpoint} (${setting})`;
    throw new Error(`Cannot listen on ${where}: ${describeListenError(error)}`, { cause: error });
  }
  // Without a listener an error of accept(2), say EMFILE, would end the whole process.
  server.on('error', (error) =>
    log.warn(`Cannot accept a connection on ${endpoint}: ${describeError(error)}`),
  );
  const sockets = trackSockets(server);
  return { address: describeAddress(server), close: (answered) => closeServer(server, sockets, answered) };
}

/** Where to listen, and whether the user asked for exactly that. */
export interface ListenOptions extends Required<ListenContext> {
  /** What the user set; null: nothing. */
  readonly chosen: string | null;
  /** What is tried when the user set nothing. */
  readonly fallback: string;
}

/**
 * Makes a server listen where the user said, or else at the default endpoint, where failing is only worth a
 * warning: a second agent on the same machine still does the rest of its work.
 * @returns undefined after such a warning
 * @throws Error when the endpoint that the user set cannot be had
 */
export async function listenOrWarn(server: Server, options: ListenOptions): Promise<Listener | undefined> {
  if (options.chosen !== null) return listen(server, options.chosen, options);
  try {
    return await listen(server, options.fallback, options);
  } catch (error) {
    options.log.warn(`${describeError(error)}. Continuing without this endpoint`);
    return undefined;
  }
}

function describeListenError(error: unknown): string {
  switch (findErrorCode(error) ?? '') {
    case 'EADDRINUSE':
      return 'EADDRINUSE, another program uses the port; stop it or set another one';
    case 'EACCES':
      return 'EACCES, ports below 1024 need CAP_NET_BIND_SERVICE; grant it or set another one';
    case 'EADDRNOTAVAIL':
      return 'EADDRNOTAVAIL, no interface of this machine has this address';
    case 'ENOTFOUND':
      return 'ENOTFOUND, the host name is unknown';
    default:
      return describeError(error);
  }
}

function describeAddress(server: NetServer): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? '';
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Node itself does not close connections on which TLS has not begun. */
export function trackSockets(server: NetServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

export async function closeServer(
  server: NetServer,
  sockets: ReadonlySet<Socket>,
  answered?: Promise<unknown>,
): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  const endConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  if (answered) {
    void answered.then(endConnections);
    return;
  }
  endConnections();
  await closed;
}

/** More than any set of scrapers needs. */
const scraperConnections = 64;
const minConnections = 4;
/** Sensors and the files of processes need descriptors, too. */
const descriptorShare = 16;

/** Then the client has to connect again: what it has sent already is not answered. */
const maxRequests = 100;

/**
 * Limits the connections of a server, so that it never takes the descriptors that the agent needs. One too many closes
 * the one that has waited longest without a request: idle connections cannot lock a scraper out.
 */
export function limitConnections(server: Server, log: Log, maxConnections = scraperConnections): void {
  const limit = new ConnectionLimit(server, log, maxConnections);
  server.maxRequestsPerSocket = maxRequests;
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const peer = peerOf(socket);
    limit.markBusy(peer);
    response.once('close', () => limit.markIdle(peer));
  });
  server.on('dropRequest', (_: IncomingMessage, socket: Socket) => socket.destroy());
}

/** Closes the connection that has been idle longest when there is one too many. */
export class ConnectionLimit {
  readonly #limit: number;
  readonly #log: Log;
  // By their ports: with TLS, requests come by other sockets than connections.
  readonly #open = new Map<string, Socket>();
  readonly #idle = new Set<string>();
  #isReported = false;

  constructor(server: NetServer, log: Log, maxConnections: number) {
    this.#limit = findLimit(maxConnections);
    this.#log = log;
    server.on('connection', (socket: Socket) => this.#add(socket));
  }

  /** @param peer of a connection on which a request has come */
  markBusy(peer: string): void {
    this.#idle.delete(peer);
  }

  /** @param peer of a connection whose request has been answered */
  markIdle(peer: string): void {
    if (this.#open.has(peer)) this.#idle.add(peer);
  }

  #add(socket: Socket): void {
    const peer = peerOf(socket);
    this.#open.set(peer, socket);
    this.#idle.add(peer);
    socket.once('close', () => (this.#open.delete(peer), this.#idle.delete(peer)));
    if (this.#open.size <= this.#limit) return;
    const [longest = peer] = this.#idle;
    this.#open.get(longest)?.destroy();
    if (!this.#isReported)
      this.#log.warn(`Closing idle connections: expected at most ${this.#limit}, found ${this.#open.size}`);
    this.#isReported = true;
  }
}

/** Those of Unix sockets, which have no address. */
const localPeers = new WeakMap<Socket, string>();
let lastLocalPeer = 0;

/** A connection by its other end: with TLS, a request and its connection have sockets of their own. */
function peerOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined) return `${remoteAddress} ${remotePort}`;
  const known = localPeers.get(socket) ?? `local ${++lastLocalPeer}`;
  localPeers.set(socket, known);
  return known;
}

/** How many connections a server may have. Node has raised the soft limit of descriptors to the hard one. */
function findLimit(maxConnections: number): number {
  const share = Math.floor(readDescriptorLimit() / descriptorShare);
  return Math.max(minConnections, Math.min(maxConnections, share));
}
