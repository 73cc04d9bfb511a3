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

/** A listening server. */
export interface Listener {
  /** The actual address, `127.0.0.1:9464` or `[::1]:9464`. */
  readonly address: string;
  /**
   * Stops listening, ends every connection, and waits until both are done. Safe to call twice.
   * @param answered connections end when it is fulfilled; `close` does not wait for that
   */
  close(answered?: Promise<unknown>): Promise<void>;
}

/** What a listening server needs besides its endpoint. */
export interface ListenContext {
  /** Receives later errors, when a connection cannot be accepted. */
  readonly log: Log;
  /** Where the user sets the endpoint, for messages: `exporters.prometheus.endpoint`. */
  readonly setting?: string;
}

/**
 * Makes a server listen. If a host name has several addresses, like `localhost`, its IPv4 address is used, as
 * in Go programs. An idle HTTP connection is closed after 10 s.
 * @param endpoint `host:port`, `[::1]:port` or `:port`
 * @throws Error, with a message for users, when the address is in use, unknown or not permitted
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
  // Without a listener, an accept(2) error such as EMFILE would end the whole process.
  server.on('error', (error) =>
    log.warn(`Cannot accept a connection on ${endpoint}: ${describeError(error)}`),
  );
  const sockets = trackSockets(server);
  return { address: describeAddress(server), close: (answered) => closeServer(server, sockets, answered) };
}

/** The endpoint, and whether the user set it. */
export interface ListenOptions extends Required<ListenContext> {
  /** The user's setting; null: unset. */
  readonly chosen: string | null;
  /** The default endpoint. */
  readonly fallback: string;
}

/**
 * Makes a server listen on the user's endpoint, or else on the default one, where a failure is only a warning:
 * a second agent on the same machine can then run without it.
 * @returns undefined after such a warning
 * @throws Error when the user's endpoint is not available
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

/** Node does not close connections on which the TLS handshake has not started. */
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
/** Sensors and process files need descriptors, too. */
const descriptorShare = 16;

/** The client then has to reconnect: pipelined requests are not answered. */
const maxRequests = 100;

/**
 * Limits the connections of a server, so that it never takes the descriptors that the agent needs. An excess
 * connection closes the one that has been idle longest: idle connections cannot lock a scraper out.
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

/** Closes the connection that has been idle longest when there are too many. */
export class ConnectionLimit {
  readonly #limit: number;
  readonly #log: Log;
  // By peer: with TLS, requests and connections have different sockets.
  readonly #open = new Map<string, Socket>();
  readonly #idle = new Set<string>();
  #isReported = false;

  constructor(server: NetServer, log: Log, maxConnections: number) {
    this.#limit = findLimit(maxConnections);
    this.#log = log;
    server.on('connection', (socket: Socket) => this.#add(socket));
  }

  /** @param peer of a connection with a request */
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

/** Peers of Unix sockets, which have no address. */
const localPeers = new WeakMap<Socket, string>();
let lastLocalPeer = 0;

/** Identifies a connection by its remote end: with TLS, a request and its connection have different sockets. */
function peerOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined) return `${remoteAddress} ${remotePort}`;
  const known = localPeers.get(socket) ?? `local ${++lastLocalPeer}`;
  localPeers.set(socket, known);
  return known;
}

/** Maximum number of connections. Node has raised the soft limit of descriptors to the hard one. */
function findLimit(maxConnections: number): number {
  const share = Math.floor(readDescriptorLimit() / descriptorShare);
  return Math.max(minConnections, Math.min(maxConnections, share));
}
