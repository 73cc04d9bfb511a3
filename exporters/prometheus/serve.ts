import type { IncomingMessage } from 'node:http';
import type { Answer, Pages } from '../../src/http/server.js';
import type { Format } from './exposition.js';
import { acceptsGzip, chooseFormat } from './negotiate.js';
import type { PageSource } from './page.js';

const contentTypes: Readonly<Record<Format, string>> = {
  classic: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The page of metrics at `path`, and a small one at `/` that leads to it. */
export function createPages(path: string, source: PageSource): Pages {
  const landing = renderLanding(path);
  return {
    '/': () => ({ status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: landing }),
    [path]: (request) => readPage(source, request),
  };
}

async function readPage(source: PageSource, { headers }: IncomingMessage): Promise<Answer> {
  const format = chooseFormat(headers.accept);
  const isCompressed = acceptsGzip(headers['accept-encoding']);
  return {
    status: 200,
    headers: {
      'Content-Type': contentTypes[format],
      Vary: 'Accept, Accept-Encoding',
      ...(isCompressed && { 'Content-Encoding': 'gzip' }),
    },
    body: await source.read(format, isCompressed),
  };
}

function renderLanding(path: string): string {
  return `<!doctype html>\n<title>Joulemetry</title>\n<h1>Joulemetry</h1>\n<p><a href="${encodeURI(path)}">Metrics</a></p>\n`;
}
