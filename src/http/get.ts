import { once } from 'node:events';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { slices } from '../linux/slices.js';
import { cleanText } from './connection-error.js';
import { request as requestPlain } from './node-http.js';

/** A request and its target. */
export interface HttpRequest {
  readonly agent: Agent;
  /** Undefined: that of the URL. */
  readonly socketPath?: string;
  readonly url: URL;
  /** Undefined: GET. */
  readonly method?: 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Aborts the request; the abort reason becomes the error. */
  readonly signal?: AbortSignal;
}

/** Target of a GET request, which asks for JSON unless its headers say otherwise. */
export interface GetTarget extends Omit<HttpRequest, 'method' | 'body'> {
  readonly authorization?: string | undefined;
  /** Called when an answer with status 200 begins. */
  onOpen?(): void;
}

/** An answer other than 200. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: number;
  /** The authentication challenge of a server (status 401). */
  readonly challenge: string | undefined;

  constructor(status: number, message: string, options?: ErrorOptions & { readonly challenge?: string }) {
    super(message, options);
    this.status = status;
    this.challenge = options?.challenge;
  }
}

/** Maximum bytes of an error answer that are read. */
const maxErrorBytes = 4096;

/**
 * Sends a request.
 * @returns the answer when it begins, whatever its status; later failures are errors of its body
 * @throws the error of the connection
 */
export function openResponse(request: HttpRequest): Promise<IncomingMessage> {
  return receive(send(request));
}

/**
 * Sends a GET request.
 * @param timeoutMs how long the whole answer may take
 * @returns the body, chunk by chunk
 * @throws StatusError, or the error of the connection
 */
export async function* get(target: GetTarget, timeoutMs: number): AsyncGenerator<Buffer> {
  const { authorization, headers, ...others } = target;
  const request = send({
    ...others,
    headers: {
      Accept: 'application/json',
      ...headers,
      ...(authorization && { Authorization: authorization }),
    },
  });
  let response: IncomingMessage | undefined;
  const timer = setTimeout(() => {
    const error = new Error(`expected an answer within ${timeoutMs} ms, found none`);
    response?.destroy(error);
    request.destroy(error);
  }, timeoutMs);
  try {
    response = await receive(request);
    if (response.statusCode !== 200) throw await createStatusError(response);
    target.onOpen?.();
    // Chunks are buffers, since no encoding is set. A local server sends megabytes faster than they are parsed.
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (slices.isOver) await slices.letOthersRun();
      yield chunk;
    }
  } catch (error) {
    // Node reports a body that is aborted only as "aborted", without the reason.
    target.signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    if (response?.complete !== true) request.destroy();
  }
}

/**
 * Sends a GET request and reads the whole answer.
 * @param maxBytes of the answer
 * @throws StatusError, or the error of the connection
 */
export async function getText(target: GetTarget, timeoutMs: number, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of get(target, timeoutMs)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`expected an answer of at most ${maxBytes} bytes, found more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send({ url, body, ...options }: HttpRequest): ClientRequest {
  const request = (url.protocol === 'https:' ? requestTls : requestPlain)(url, options);
  // Later errors are also errors of the response.
  request.on('error', () => undefined);
  return request.end(body);
}

async function receive(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage]; // As Node documents the event.
  return response;
}

async function createStatusError(response: IncomingMessage): Promise<StatusError> {
  const { statusCode: status = 0, headers } = response;
  const challenge = headers['www-authenticate'];
  const message = `HTTP ${status} ${await readError(response)}`.trim();
  return new StatusError(status, message, challenge === undefined ? {} : { challenge });
}

async function readError(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.length > maxErrorBytes) break;
  }
  // APIs answer with JSON that contains the reason.
  const [, message = text] = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/u.exec(text) ?? [];
  return cleanText(message);
}
