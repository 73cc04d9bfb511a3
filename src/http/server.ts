import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError } from '../component/errors.js';
import type { Log } from '../component/log.js';
import { limitConnections } from './connections.js';
import { isExpectedHost } from './host-header.js';
import { listenAsWished, type Listener, type ListenWish } from './listen.js';

/** The answer to a request. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body without a Content-Type among the headers is plain text. */
  readonly body: string | Buffer;
}

/** The pages of a server by their path, `/metrics`. Each is asked for by GET or HEAD. */
export type Pages = Readonly<Record<string, (request: IncomingMessage) => Answer | Promise<Answer>>>;

/** Time within which a request must have arrived whole. */
const requestTimeoutMs = 10_000;

/**
 * Serves pages, and nothing else: another path is answered with 404, another method with 405, and a Host header that
 * a page of the web could have sent with 403. Connections and the requests of each are limited.
 * @returns undefined where the default endpoint is not available, after a warning
 * @throws Error when the endpoint that the user chose is not available
 */
export async function servePages(pages: Pages, wish: ListenWish): Promise<Listener | undefined> {
  return listenAsWished(createPageServer(pages, wish), wish);
}

function createPageServer(pages: Pages, { chosen, fallback, log }: ListenWish): Server {
  const site = { pages: new Map(Object.entries(pages)), endpoint: chosen ?? fallback, log };
  const options = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: requestTimeoutMs / 2,
  };
  const server = createServer(options, (request, response) => void answer(site, request, response));
  limitConnections(server, log);
  return server;
}

interface Site {
  readonly pages: ReadonlyMap<string, Pages[string]>;
  readonly endpoint: string;
  readonly log: Log;
}

/** Never rejects. */
async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(response, await findAnswer(site, request));
  } catch (error) {
    site.log.error(`Cannot serve ${request.url}: ${describeError(error)}`);
    response.destroy();
  }
}

function findAnswer({ pages, endpoint }: Site, request: IncomingMessage): Answer | Promise<Answer> {
  const { host, path } = readTarget(request);
  if (!isExpectedHost(host, { endpoint, isLocal: isLoopback(request.socket.localAddress) })) {
    return {
      status: 403,
      body: 'Cannot answer: expected the Host header to be localhost or an IP address\n',
    };
  }
  const page = pages.get(path);
  if (page === undefined) return { status: 404, body: `Not found, try ${[...pages.keys()].join(' or ')}\n` };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, headers: { Allow: 'GET, HEAD' }, body: 'Only GET and HEAD are allowed\n' };
  }
  return page(request);
}

/**
 * What a request asks for. A target with a scheme, as a client sends it that takes this server for a proxy, names the
 * host instead of the Host header (RFC 9112, section 3.2.2).
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

/** Node leaves the body out of the answer to a HEAD. */
function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(body);
}
