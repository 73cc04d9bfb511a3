import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError } from '../../src/component/errors.js';
import type { Log } from '../../src/component/log.js';
import type { Format } from './exposition.js';
import { acceptsGzip, chooseFormat } from './negotiate.js';
import type { PageSource } from './page.js';

const contentTypes: Readonly<Record<Format, string>> = {
  classic: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What a server needs to answer. */
export interface Site {
  /** Where the page is. */
  readonly path: string;
  readonly pages: PageSource;
  readonly log: Log;
}

/** A server of one page, with a small one at `/` that leads to it. */
export function createPageServer(site: Site): Server {
  return createServer((request, response) => void answer(site, request, response));
}

/** Never rejects. */
async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const path = request.url?.replace(/[?#].*$/s, '');
    if (path !== site.path && path !== '/') return respond(response, 404, 'Not found\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return respond(response, 405, 'Only GET and HEAD are allowed\n');
    }
    if (path === site.path) return await sendPage(site.pages, request, response);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    respond(response, 200, renderLanding(site.path));
  } catch (error) {
    site.log.error(`Cannot serve ${request.url}: ${describeError(error)}`);
    response.destroy();
  }
}

async function sendPage(
  pages: PageSource,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const format = chooseFormat(request.headers.accept);
  const isCompressed = acceptsGzip(request.headers['accept-encoding']);
  const page = await pages.read(format, isCompressed);
  response.setHeader('Content-Type', contentTypes[format]);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  if (isCompressed) response.setHeader('Content-Encoding', 'gzip');
  respond(response, 200, page);
}

/** Node leaves the body out of the answer to a HEAD. */
function respond(response: ServerResponse, status: number, body: string | Buffer): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.writeHead(status).end(body);
}

function renderLanding(path: string): string {
  return `<!doctype html>\n<title>Joulemetry</title>\n<h1>Joulemetry</h1>\n<p><a href="${encodeURI(path)}">Metrics</a></p>\n`;
}
