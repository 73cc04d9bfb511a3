import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Log } from '../component/log.js';
import type { QueuedRequest } from '../component/queue-storage.js';
import { openHttpClient, type ClientConfig, type HttpClient } from '../http/client.js';
import type { Compression } from '../http/compression.js';
import { request as requestPlain } from '../http/node-http.js';
import { readVersion } from '../version.js';
import { wholeDelivery, type Delivery, type Sender } from './courier.js';
import {
  findStatusError,
  toConnectionError,
  toRefusal,
  type AnswerRules,
  type HttpAnswer,
} from './http-answers.js';

/** What a sender needs of the settings of an exporter. */
export interface HttpSenderConfig extends ClientConfig {
  readonly headers: Readonly<Record<string, string>>;
}

/** What an exporter adds to the settings. */
export interface HttpSenderOptions extends AnswerRules {
  readonly url: URL;
  /** POST unless it says otherwise. */
  readonly method?: string;
  readonly contentType: string;
  /** Headers of the protocol. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The scheme under which a token is sent; `Bearer` unless it says otherwise. */
  readonly tokenScheme?: string;
  /** Undefined: requests are sent as they are. */
  readonly compression: Compression | undefined;
  /** Makes the body of the bytes in the queue, before it is compressed. */
  frame?(bytes: Uint8Array): Uint8Array;
  /**
   * Reads the answer to a request that was taken. By default all of it was.
   * @throws ExportError where the answer says that it was not taken after all
   */
  checkAnswer?(answer: HttpAnswer, request: QueuedRequest): Delivery;
  /** What was taken of a request that was refused for good; undefined: nothing. */
  checkRefusal?(answer: HttpAnswer, request: QueuedRequest): Delivery | undefined;
}

/** Longer answers are not read to their end. */
const maxAnswerBytes = 4 * 1024 * 1024;

/**
 * Opens the way to a backend: each request of the queue becomes one HTTP request, with the certificates, the proxy, the
 * credentials and the headers of the settings.
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

  /** @returns the answer when it begins, unless its status says that sending again or in parts can help */
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

/** Reads the rest of an answer that is not needed, unless its server does not read the rest of the request either. */
function leave(request: ClientRequest, response: IncomingMessage): void {
  response.on('error', () => {});
  if (request.writableFinished) response.resume();
  else request.destroy();
}

/** Where the connection breaks in the middle of an answer, its status has come: a success stays one. */
async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isComplete = true;
  try {
    // No encoding is set.
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
