import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Log } from '../../src/component/log.js';
import { openHttpClient, type ClientConfig, type HttpClient } from '../../src/http/client.js';
import { cleanText } from '../../src/http/connection-error.js';
import { openResponse } from '../../src/http/get.js';
import { basicAuthorization } from '../../src/http/headers.js';
import { readVersion } from '../../src/version.js';
import type { JobConfig } from './config.js';
import type { PageFormat } from './page-parser.js';

/** A response whose page has started to arrive. */
export interface OpenPage {
  readonly format: PageFormat;
  /** Whether the end of the connection is the only end of the page, which may then be cut off. */
  readonly endsWithConnection: boolean;
  /** Decompressed. */
  readonly chunks: AsyncIterable<Buffer>;
}

const maxRedirects = 10;
const protobuf = 'application/vnd.google.protobuf';
const defaultMaxBytes = 256 * 1024 * 1024;

/** As Prometheus 3: OpenMetrics, which contains the starts of counters, and UTF-8 names if the target has them. */
const accept = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6',
  'application/openmetrics-text;version=1.0.0;q=0.5',
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4',
  'text/plain;version=0.0.4;q=0.3',
  '*/*;q=0.1',
].join(',');

/** Requests the pages of a target, over persistent connections. */
export class PageClient {
  readonly #url: URL;
  readonly #job: JobConfig;
  readonly #timeoutMs: number;
  readonly #log: Log;
  /** By origin: redirects may lead to others. */
  readonly #clients = new Map<string, HttpClient>();

  constructor(url: URL, job: JobConfig, timeoutMs: number, log: Log) {
    this.#url = url;
    this.#job = job;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
  }

  /** @throws Error if there is no page, or one in another format */
  async open(signal: AbortSignal): Promise<OpenPage> {
    let url = this.#url;
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      const response = await this.#ask(url, signal);
      const target = this.#findRedirect(response, url);
      if (target === undefined) return this.#openPage(response);
      response.resume();
      url = target;
    }
    throw new Error(`expected at most ${maxRedirects} redirects, found more`);
  }

  close(): void {
    for (const { agent } of this.#clients.values()) agent.destroy();
    this.#clients.clear();
  }

  #ask(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const client = this.#findClient(url);
    // Credentials are only sent to the target, not to targets of redirects.
    const authorization = url.host === this.#url.host ? this.#authorize(client) : undefined;
    const headers = {
      Accept: accept,
      'Accept-Encoding': this.#job.enable_compression ? 'gzip' : 'identity',
      'User-Agent': `joulemetry/${readVersion()}`,
      'X-Prometheus-Scrape-Timeout-Seconds': String(this.#timeoutMs / 1000),
      ...(authorization !== undefined && { Authorization: authorization }),
    };
    return openResponse({ agent: client.agent, url, headers, signal });
  }

  #findClient(url: URL): HttpClient {
    const known = this.#clients.get(url.origin);
    if (known !== undefined) return known;
    if (this.#clients.size > maxRedirects) this.close();
    const client = openHttpClient(url, createClientConfig(this.#job, this.#timeoutMs), this.#log);
    this.#clients.set(url.origin, client);
    return client;
  }

  #authorize({ authorization }: HttpClient): string | undefined {
    const { basic_auth: basic, authorization: own } = this.#job;
    if (own.credentials !== null) return `${own.type} ${own.credentials}`;
    if (basic.username !== null && basic.password !== null)
      return basicAuthorization(`${basic.username}:${basic.password}`);
    const header = authorization();
    return own.credentials_file === null ? header : header?.replace(/^Bearer/u, () => own.type);
  }

  #findRedirect({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
    if (statusCode < 301 || statusCode > 308 || headers.location === undefined) return undefined;
    if (!this.#job.follow_redirects) return undefined;
    if (!URL.canParse(headers.location, from.href))
      throw new Error(
        `expected a redirect to an address, found ${JSON.stringify(cleanText(headers.location))}`,
      );
    return new URL(headers.location, from);
  }

  #openPage(response: IncomingMessage): OpenPage {
    try {
      checkStatus(response);
      const format = findFormat(response.headers['content-type'], this.#job.fallback_scrape_protocol);
      const maxBytes = this.#job.body_size_limit || defaultMaxBytes;
      const chunks = limit(decompress(response), maxBytes);
      return { format, chunks, endsWithConnection: endsWithConnection(response) };
    } catch (error) {
      response.destroy();
      throw error;
    }
  }
}

function createClientConfig(
  { proxy_url, tls_config: tls, ...job }: JobConfig,
  timeoutMs: number,
): ClientConfig {
  const { authorization, basic_auth: basic } = job;
  const { ca_file, cert_file, key_file, server_name: server_name_override, insecure_skip_verify } = tls;
  const hasFile = basic.password_file !== null;
  return {
    timeout: timeoutMs,
    proxy_url,
    credentials: {
      bearer_token_file: authorization.credentials_file,
      scheme: 'Bearer',
      username: hasFile ? basic.username : null,
      password_file: basic.password_file,
    },
    tls: { ca_file, cert_file, key_file, server_name_override, insecure_skip_verify, reload_interval: 0 },
  };
}

const remedies: ReadonlyMap<number, string> = new Map([
  [401, '; write basic_auth or authorization'],
  [403, '; this user may not read it'],
  [404, '; write the metrics_path that it has'],
]);

function checkStatus({ statusCode: status = 0, statusMessage = '' }: IncomingMessage): void {
  if (status === 200) return;
  const found = cleanText(`${status} ${statusMessage}`);
  throw new Error(`expected HTTP status 200, found ${found}${remedies.get(status) ?? ''}`);
}

function findFormat(contentType = '', fallback: string | null): PageFormat {
  const [type = ''] = contentType.toLowerCase().split(';');
  if (type.trim() === 'application/openmetrics-text') return 'openmetrics';
  if (type.trim() === 'text/plain') return 'classic';
  if (type.trim() === protobuf)
    throw new Error(`expected text, as requested, found the Content-Type ${protobuf}`);
  if (fallback !== null) return fallback.startsWith('OpenMetrics') ? 'openmetrics' : 'classic';
  const found = contentType === '' ? 'none' : JSON.stringify(cleanText(contentType));
  throw new Error(
    `expected the Content-Type text/plain or application/openmetrics-text, found ${found}; if the page has metrics, set fallback_scrape_protocol: PrometheusText0.0.4`,
  );
}

/** HTTP/1.0 servers often send no length; gzip has an end of its own. */
function endsWithConnection({ headers }: IncomingMessage): boolean {
  return ['content-length', 'transfer-encoding', 'content-encoding'].every(
    (name) => headers[name] === undefined,
  );
}

function decompress(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return response;
  if (encoding !== 'gzip')
    throw new Error(`expected a page compressed with gzip, found ${cleanText(encoding)}`);
  // An error of either stream is an error of the returned one.
  return pipeline(response, createGunzip(), () => undefined);
}

async function* limit(page: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  // Chunks are buffers, since no encoding is set.
  for await (const chunk of page as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new Error(`expected a page of at most ${maxBytes} bytes, found more; raise body_size_limit`);
    yield chunk;
  }
}
