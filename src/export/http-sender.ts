import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Log } from '../component/log.js';
import type { QueuedRequest } from '../component/queue-storage.js';
import { openHttpClient, type ClientConfig, type HttpClient } from '../http/client.js';
import type { Compression } from '../http/compression.js';
import { request as requestPlain } from '../http/node-http.js';
import { readVersion } from '../version.js';
import {
  findStatusError,
  toConnectionError,
  toRefusal,
  type AnswerRules,
  type HttpAnswer,
} from './http-answers.js';
import { wholeDelivery, type Delivery, type Sender } from './request-delivery.js';

/** The exporter settings that a sender uses. */
export interface HttpSenderConfig extends ClientConfig {
  readonly headers: Readonly<Record<string, string>>;
}

/** What an exporter adds to the settings. */
export interface HttpSenderOptions extends AnswerRules {
  readonly url: URL;
  /** POST by default. */
  readonly method?: string;
  readonly contentType: string;
  /** Headers of the protocol. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The scheme of a token; `Bearer` by default. */
  readonly tokenScheme?: string;
  /** Undefined: no compression. */
  readonly compression: Compression | undefined;
  /** Builds the uncompressed body from the queued bytes. */
  frame?(bytes: Uint8Array): Uint8Array;
  /**
   * Interprets the answer to an accepted request. By default, all of it was accepted.
   * @throws ExportError if the answer reports that it was refused after all
   */
  checkAnswer?(answer: HttpAnswer, request: QueuedRequest): Delivery;
  /** What was accepted of a permanently refused request; undefined: nothing. */
  checkRefusal?(answer: HttpAnswer, request: QueuedRequest): Delivery | undefined;
}

/** Longer answers are not read completely. */
const maxAnswerBytes = 4 * 1024 * 1024;

/**
 * Opens a sender to a backend: each request of the queue becomes one HTTP request, with the certificates,
 * proxy, credentials and headers of the settings.
 * @throws Error naming the file or variable that cannot be used
 */
export function openHttpSender(config: HttpSenderConfig, options: HttpSenderOptions, log: Log): Sender {
  const client = openHttpClient(options.url, config, log);
  return new HttpSender(config, options, client);
}

class HttpSender implements Sender {
  readonly #options: HttpSenderOptions;
  readonly #client: HttpClient;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isPlain: boolean;

  constructor(config: HttpSenderConfig, options: HttpSenderOptions, client: HttpClient) {
    const { compression, contentType, headers, url } = options;
    this.#options = options;
    this.#client = client;
    this.#isPlain = url.protocol !== 'https:';
    this.#headers = {
      ...config.headers,
      ...headers,
      ...(compression && { 'Content-Encoding': compression.encoding }),
      'Content-Type': contentType,
      'User-Agent': `joulemetry/${readVersion()}`,
    };
  }

  get target(): string {
    return this.#client.target;
  }

  async send(request: QueuedRequest): Promise<Delivery> {
    const { frame, compression, checkAnswer, checkRefusal } = this.#options;
    const framed = frame?.(request.bytes) ?? request.bytes;
    const response = await this.#exchange((await compression?.compress(framed)) ?? framed);
    const answer = await readAnswer(response);
    if (answer.status >= 200 && answer.status <= 299) return checkAnswer?.(answer, request) ?? wholeDelivery;
    const delivery = checkRefusal?.(answer, request);
    if (delivery === undefined) throw toRefusal(response, answer.body, this.#options);
    return delivery;
  }

  close(): void {
    this.#client.agent.destroy();
  }

  /** @returns the answer when it begins, unless its status shows that retrying or splitting can help */
  #exchange(body: Uint8Array): Promise<IncomingMessage> {
    const request = this.#open();
    return new Promise((resolve, reject) => {
      request.on('error', (error) =>
        reject(toConnectionError(error, this.#isPlain && !request.reusedSocket)),
      );
      request.once('response', (response) => {
        const error = findStatusError(response, this.#options);
        if (error === undefined) resolve(response);
        else reject(error);
        if (error !== undefined) leave(request, response);
      });
      request.end(body);
    });
  }

  #open(): ClientRequest {
    const { url, method = 'POST', tokenScheme = 'Bearer' } = this.#options;
    const { agent, authorization } = this.#client;
    const value = authorization()?.replace(/^Bearer /u, `${tokenScheme} `);
    const headers = value === undefined ? this.#headers : { ...this.#headers, Authorization: value };
    return (this.#isPlain ? requestPlain : requestTls)(url, { agent, method, headers });
  }
}

/** Discards the rest of an answer, unless the server has stopped reading the request. */
function leave(request: ClientRequest, response: IncomingMessage): void {
  response.on('error', () => {});
  if (request.writableFinished) response.resume();
  else request.destroy();
}

/** If the connection breaks in the middle of an answer, its status is known: a success is still a success. */
async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isComplete = true;
  try {
    // Chunks are buffers, since no encoding is set.
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      isComplete = length <= maxAnswerBytes;
      if (!isComplete) break;
      chunks.push(chunk);
    }
  } catch {
    isComplete = false;
  }
  const { statusCode: status = 0, headers } = response;
  return { status, headers, body: Buffer.concat(chunks), isComplete };
}
