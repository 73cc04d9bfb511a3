import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createGunzip } from 'node:zlib';

/** How a backend answers a request. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Never answers. */
  readonly isSilent?: boolean;
}

/** A received request. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Uncompressed. */
  readonly bytes: Buffer;
  /** As sent. */
  readonly sent: Buffer;
  readonly atMs: number;
  readonly status: number;
}

/** For tests: a backend that keeps what it receives. */
export interface HttpBackend {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedRequest[];
  close(): Promise<void>;
}

export interface BackendOptions {
  /** `localhost` by default. */
  readonly address?: string;
  /** 0: any free port. */
  readonly port?: number;
  readonly tls?: ServerOptions;
  /** Answers 413 to longer requests as soon as this many bytes were read, and closes the connection. */
  readonly refuseAbove?: number;
  /** Requests are counted from 1; their bytes are uncompressed. */
  answer?(count: number, bytes: Buffer): Answer;
}

export async function openHttpBackend(t: TestContext, options: BackendOptions = {}): Promise<HttpBackend> {
  const {
    address = 'localhost',
    port = 0,
    tls,
    answer = (): Answer => ({}),
    refuseAbove = Infinity,
  } = options;
  const received: ReceivedRequest[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const bytes = await read(request, refuseAbove);
    if (bytes === undefined) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const { status = 200, headers = {}, body = '', isSilent } = answer(received.length + 1, bytes);
    const { url: path = '', method = '' } = request;
    const sent = Buffer.concat(chunks);
    received.push({ method, path, headers: request.headers, bytes, sent, atMs: performance.now(), status });
    if (!isSilent) response.writeHead(status, headers).end(body);
  };
  const listener: RequestListener = (request, response) => void take(request, response);
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  t.after(close);
  server.listen(port, address);
  await once(server, 'listening');
  // A listening server has such an address.
  const { port: boundPort } = server.address() as AddressInfo;
  const url = `${tls ? 'https' : 'http'}://${address}:${boundPort}`;
  return { url, port: boundPort, received, close };
}

/** @returns undefined if there are more bytes */
async function read(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const isCompressed = request.headers['content-encoding'] === 'gzip';
  const chunks: Buffer[] = [];
  let length = 0;
  // A server's request body is bytes.
  for await (const chunk of (isCompressed
    ? request.pipe(createGunzip())
    : request) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
