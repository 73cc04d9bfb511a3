import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server as TlsServer, TlsOptions, TLSSocket } from 'node:tls';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { BasicAuth, type NoAccess } from './basic-auth.js';
import { isExpectedHost } from './headers.js';
import { limitConnections, listenOrWarn, type Listener, type ListenOptions } from './listen.js';
import { createServer } from './node-http.js';
import type { ServerTls, ServerTlsConfig } from './server-tls.js';
import { listenLocally, type LocalSocket } from './unix-socket.js';
import { openServerTls, WebConfigFile, type WebConfig } from './web-config.js';

/** The answer to a request. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** In one or several pieces. Without a Content-Type header, the body is plain text. */
  readonly body: string | readonly Buffer[];
}

/** Handles the requests for a path. */
export type Page = (request: IncomingMessage) => Answer | Promise<Answer>;

/** The pages of a server by path, `/metrics`. A page answers GET and HEAD, or POST. */
export type Pages = Readonly<Record<string, Page | { readonly post: Page }>>;

/** Where and how pages are served. */
export interface ServeOptions extends ListenOptions {
  /** A file in Prometheus' format with TLS and users; null or absent: plain HTTP for everyone. */
  readonly webConfigFile?: string | null;
  /** TLS without such a file. */
  readonly tls?: ServerTlsConfig | null;
  /** Connections at a time; without it, what scrapers need. */
  readonly maxConnections?: number;
  /** Refuses requests for other reasons, after the check of the Host header; undefined: not refused. */
  refuse?(request: IncomingMessage): Answer | undefined;
  /** Called for each request that is refused because of its user or password. */
  onNoAccess?(access: NoAccess): void;
  /** Called for each request whose headers were not received in time. */
  onUnfinished?(message: string): void;
}

/** Pages on a Unix socket: every user with access to it may request all of them. */
export interface ServeLocallyOptions {
  readonly socket: LocalSocket;
  readonly log: Log;
  readonly maxConnections?: number;
}

/** A listening server of pages. */
export interface PageServer extends Listener {
  /** `http://127.0.0.1:9464`, or `https://` with TLS. */
  readonly origin: string;
}

/** Time within which a request must have arrived completely. */
const requestTimeoutMs = 10_000;

/**
 * Serves pages: other paths are answered with 404, other methods with 405, and Host headers that a web page
 * could have sent with 403. The number of connections, and of requests per connection, is limited.
 * @returns undefined where the default endpoint is unavailable, after a warning
 * @throws Error when the endpoint that the user chose, or the web configuration, is not available
 */
export async function servePages(pages: Pages, options: ServeOptions): Promise<PageServer | undefined> {
  const web = openWebConfig(options);
  const server = createPageServer(pages, options, web);
  const listener = await listenOrWarn(server, options);
  const scheme = web?.current().tls ? 'https' : 'http';
  return listener && { ...listener, origin: `${scheme}://${listener.address}` };
}

/**
 * Serves pages on a Unix socket, within the same limits.
 * @throws Error when the socket is in use, or cannot be created
 */
export function servePagesLocally(pages: Pages, options: ServeLocallyOptions): Promise<Listener> {
  const { log, maxConnections, socket } = options;
  // Browsers cannot reach it: every Host header is accepted.
  const server = createPageServer(pages, { chosen: null, fallback: ':0', log, maxConnections }, undefined);
  return listenLocally(server, socket, log);
}

/** TLS and users of a server; undefined: neither. */
export function openWebConfig({
  webConfigFile,
  tls,
  setting,
  log,
}: Pick<ServeOptions, 'webConfigFile' | 'tls' | 'setting' | 'log'>): WebConfigFile | undefined {
  if (tls) return openServerTls(tls, setting.replace(/[^.]+$/u, 'tls'), log);
  if (webConfigFile === undefined || webConfigFile === null) return undefined;
  return new WebConfigFile(webConfigFile, setting.replace(/[^.]+$/u, 'web_config_file'), log);
}

type PageOptions = Pick<
  ServeOptions,
  'chosen' | 'fallback' | 'log' | 'refuse' | 'onNoAccess' | 'onUnfinished'
> & {
  readonly maxConnections?: number | undefined;
};

function createPageServer(pages: Pages, options: PageOptions, web: WebConfigFile | undefined): Server {
  const { chosen, fallback, log, refuse, onNoAccess } = options;
  const site = {
    pages: new Map(Object.entries(pages)),
    endpoint: chosen ?? fallback,
    log,
    web,
    auth: new BasicAuth(),
    refuse: refuse ?? (() => undefined),
    onNoAccess: onNoAccess ?? (() => {}),
  };
  const limits = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: requestTimeoutMs / 2,
  };
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void answer(site, request, response);
  const server = web?.current().tls ? createTlsServer(web, limits, listener) : createServer(limits, listener);
  limitConnections(server, log, options.maxConnections);
  if (options.onUnfinished) watchUnfinished(server, options.onUnfinished);
  return server;
}

const unfinished = `Cannot take the request: expected its headers within ${requestTimeoutMs / 1000} s, found them unfinished`;

/** Reports requests whose headers never end. Their connections are closed as without listeners: with 408 or 400. */
function watchUnfinished(server: Server, report: (message: string) => void): void {
  const begun = new WeakMap<Duplex, ServerResponse>();
  const finishedBytes = new WeakMap<Duplex, number>();
  // The body of a request that has begun is watched by its page.
  const isUnfinished = (socket: Socket) =>
    !begun.has(socket) && socket.bytesRead > (finishedBytes.get(socket) ?? 0);
  server.prependListener('request', ({ socket }, response) => {
    begun.set(socket, response);
    response.once('close', () => (begun.delete(socket), finishedBytes.set(socket, socket.bytesRead)));
  });
  server.on('timeout', (socket) => {
    if (isUnfinished(socket)) report(unfinished);
    socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUnfinished(socket)) report(unfinished);
    if (socket.writable && !begun.get(socket)?.headersSent) socket.write(refusalOf(error.code));
    socket.destroy(error);
  });
}

function refusalOf(code: string | undefined): string {
  const status = code === undefined ? undefined : clientErrors[code];
  return `HTTP/1.1 ${status ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`;
}

const clientErrors: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
};

function createTlsServer(web: WebConfigFile, limits: ServerOptions, listener: RequestListener): Server {
  const server = createHttpsServer({ ...limits, ...createTlsOptions(web) }, listener);
  keepTlsCurrent(server, web);
  return server;
}

/** TLS options for a server of any protocol. */
export function createTlsOptions(web: WebConfigFile): TlsOptions {
  const { tls } = web.current();
  return {
    ...tls,
    requestCert: tls?.clientAuth !== 'NoClientCert',
    rejectUnauthorized: false,
    handshakeTimeout: requestTimeoutMs,
  };
}

/** Replaces the certificates of a running server, and disconnects clients without the required certificate. */
export function keepTlsCurrent(server: TlsServer, web: WebConfigFile): void {
  let used = web.current().tls;
  server.prependListener('connection', () => {
    const { tls } = web.current();
    if (tls !== undefined && tls !== used) server.setSecureContext(tls);
    used = tls ?? used;
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (used && !isWelcome(socket, used.clientAuth)) socket.destroy();
  });
}

/** Whether a client has presented the required certificate. */
function isWelcome(socket: TLSSocket, clientAuth: ServerTls['clientAuth']): boolean {
  const hasCertificate = Object.keys(socket.getPeerCertificate()).length > 0;
  switch (clientAuth) {
    case 'NoClientCert':
    case 'RequestClientCert':
      return true;
    case 'RequireAnyClientCert':
      return hasCertificate;
    case 'VerifyClientCertIfGiven':
      return !hasCertificate || socket.authorized;
    case 'RequireAndVerifyClientCert':
      // Node reports a TLS 1.3 session that was resumed without a certificate as authorized.
      return hasCertificate && socket.authorized;
  }
}

interface Site {
  readonly pages: ReadonlyMap<string, Pages[string]>;
  readonly endpoint: string;
  readonly log: Log;
  readonly web: WebConfigFile | undefined;
  readonly auth: BasicAuth;
  readonly refuse: (request: IncomingMessage) => Answer | undefined;
  readonly onNoAccess: (access: NoAccess) => void;
}

/** Never rejects. */
async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const config = site.web?.current();
    const found = await findAnswer(site, config, request);
    send(response, { ...found, headers: { ...config?.headers, ...found.headers } });
  } catch (error) {
    site.log.error(`Cannot serve ${request.url}: ${describeError(error)}`);
    response.destroy();
  }
}

const refusals: Readonly<Record<NoAccess, Answer>> = {
  denied: { status: 401, headers: { 'WWW-Authenticate': 'Basic' }, body: 'Unauthorized\n' },
  busy: { status: 503, headers: { 'Retry-After': '1' }, body: 'Busy comparing passwords, try again\n' },
};

async function findAnswer(
  { pages, endpoint, auth, refuse, onNoAccess }: Site,
  config: WebConfig | undefined,
  request: IncomingMessage,
): Promise<Answer> {
  const { host, path } = readTarget(request);
  if (!isExpectedHost(host, { endpoint, isLocal: isLoopback(request.socket.localAddress) })) {
    return {
      status: 403,
      body: 'Cannot answer: expected the Host header to be localhost or an IP address, found another name\n',
    };
  }
  const access = config ? await auth.check(request.headers.authorization, config.users) : 'granted';
  if (access !== 'granted') {
    onNoAccess(access);
    return refusals[access];
  }
  const refusal = refuse(request);
  if (refusal !== undefined) return refusal;
  const page = pages.get(path);
  if (page === undefined) return { status: 404, body: `Not found, try ${[...pages.keys()].join(' or ')}\n` };
  const [methods, answerPage] =
    typeof page === 'function' ? ([['GET', 'HEAD'], page] as const) : ([['POST'], page.post] as const);
  if (methods.some((method) => method === request.method)) return answerPage(request);
  return {
    status: 405,
    headers: { Allow: methods.join(', ') },
    body: `Only ${methods.join(' and ')} ${methods.length > 1 ? 'are' : 'is'} allowed\n`,
  };
}

/**
 * The target of a request. A target with a scheme, as clients send to a proxy, overrides the Host header (RFC
 * 9112, section 3.2.2).
 */
function readTarget({ url = '', headers }: IncomingMessage): {
  readonly host: string | undefined;
  readonly path: string;
} {
  const [, authority, absolute] = /^https?:\/\/([^/?#]*)([^?#]*)/i.exec(url) ?? [];
  if (authority !== undefined) return { host: authority, path: absolute ?? '' };
  return { host: headers.host, path: url.replace(/[?#].*$/s, '') };
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

/** Node omits the body of an answer to HEAD. */
function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const pieces = typeof body === 'string' ? [Buffer.from(body)] : body;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': pieces.reduce((sum, { length }) => sum + length, 0),
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  // Pieces that a slow client has not read yet are queued without copying.
  for (const piece of pieces) response.write(piece);
  response.end();
}
