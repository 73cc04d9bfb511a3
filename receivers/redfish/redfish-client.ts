import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import { parseBasic } from '../../src/http/challenged-client.js';
import { openHttpClient, type HttpClient } from '../../src/http/client.js';
import { getText, openResponse, StatusError } from '../../src/http/get.js';
import { objectOf, parseObject, type JsonObject } from '../../src/recording/otlp-json.js';
import type { Config } from './config.js';

/** All sensors of a large machine in one answer have about 300 kB. */
const maxBytes = 4 * 1024 * 1024;
const rootPath = '/redfish/v1/';
const defaultSessions = '/redfish/v1/SessionService/Sessions';
/** BMCs lock users out after a few wrong passwords: a refused one is not sent again for this long. */
const refusalMs = 600_000;
/** How long a shutdown waits for closing a session. */
const logoutMs = 1000;

interface Session {
  readonly token: string;
  /** Its resource, for closing it; undefined: the BMC has not reported it. */
  readonly path: string | undefined;
}

/** The content of a request. */
interface Content {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly body?: string;
}

/** A refused login. */
interface Refusal {
  readonly authorization: string;
  readonly atMs: number;
  readonly error: Error;
}

/** A client of one BMC: opens a session on demand, and again when it has expired. */
export class RedfishClient {
  readonly #base: URL;
  readonly #config: Config;
  readonly #log: Log;
  readonly #http: HttpClient;
  #session: Session | undefined;
  #sessionsPath = defaultSessions;
  /** Whether user and password are sent with every request: as configured, or because the BMC has no sessions. */
  #isBasic: boolean;
  #refusal: Refusal | undefined;

  /** @throws Error naming the file or variable if it is unusable */
  constructor(base: URL, config: Config, log: Log) {
    this.#base = base;
    this.#config = config;
    this.#log = log;
    this.#http = openHttpClient(base, config, log);
    // A configured token is sent with every request, too.
    this.#isBasic = config.auth === 'basic' || config.credentials.username === null;
  }

  /** For messages: the address without passwords. */
  get target(): string {
    return this.#http.target;
  }

  /** The service root, which requires no login. */
  async readRoot(signal: AbortSignal): Promise<JsonObject> {
    const root = parseObject(await this.#get(rootPath, {}, signal));
    const { '@odata.id': sessions } = objectOf(objectOf(root['Links'])['Sessions']);
    if (typeof sessions === 'string') this.#sessionsPath = sessions;
    return root;
  }

  /**
   * Reads a resource.
   * @param path from `@odata.id`, optionally with a query
   * @throws StatusError, or the error of the connection
   */
  async read(path: string, signal: AbortSignal): Promise<JsonObject> {
    const headers = await this.#authorize(signal);
    try {
      return parseObject(await this.#get(path, headers, signal));
    } catch (error) {
      if (!isUnauthorized(error) || this.#session === undefined) throw error;
      // It has expired, or the BMC was restarted.
      this.#session = undefined;
      return parseObject(await this.#get(path, await this.#authorize(signal), signal));
    }
  }

  /** Closes the session, since BMCs allow only few, and the connections. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    try {
      if (session?.path !== undefined) {
        const signal = AbortSignal.timeout(logoutMs);
        await this.#send('DELETE', session.path, { headers: { 'X-Auth-Token': session.token }, signal });
      }
    } catch (error) {
      this.#log.debug(`Cannot close the session at ${this.target}: ${describeError(error)}`);
    } finally {
      this.#http.agent.destroy();
    }
  }

  #get(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    const target = { agent: this.#http.agent, url: this.#resolve(path), headers, signal };
    return getText(target, this.#config.timeout, maxBytes);
  }

  /** Links are followed within this BMC only: the token is for no other server. */
  #resolve(path: string): URL {
    const url = new URL(path, this.#base);
    if (url.origin === this.#base.origin) return url;
    throw new Error(`expected a link to ${this.#base.origin}, found one to ${url.origin}`);
  }

  async #authorize(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const authorization = this.#http.authorization();
    if (authorization === undefined) return {};
    if (!this.#isBasic) this.#session ??= await this.#login(authorization, signal);
    return this.#session ? { 'X-Auth-Token': this.#session.token } : { Authorization: authorization };
  }

  /** @returns undefined if the BMC has no sessions */
  async #login(authorization: string, signal: AbortSignal): Promise<Session | undefined> {
    const refusal = this.#refusal;
    const isRecent = refusal !== undefined && performance.now() - refusal.atMs < refusalMs;
    if (isRecent && refusal.authorization === authorization) throw refusal.error;
    const { name = '', password = '' } = parseBasic(authorization) ?? {};
    const body = JSON.stringify({ UserName: name, Password: password });
    const response = await this.#send('POST', this.#sessionsPath, { signal, body });
    const { statusCode: status = 0, headers } = response;
    if ([404, 405, 501].includes(status)) {
      this.#log.info(`Sending user and password with every request: ${this.target} has no sessions`);
      this.#isBasic = true;
      return undefined;
    }
    const token = headers['x-auth-token'];
    if (typeof token === 'string' && (status === 201 || status === 200)) {
      this.#refusal = undefined;
      return { token, path: headers.location };
    }
    const error = this.#createLoginError(status);
    if (status === 401 || status === 400 || status === 403)
      this.#refusal = { authorization, atMs: performance.now(), error };
    throw error;
  }

  #createLoginError(status: number): Error {
    if (status === 200 || status === 201) return new Error('expected a token for a session, found none');
    if (status !== 401) return new Error(`expected a session, found HTTP ${status}`);
    return new Error(
      'expected a session, found HTTP 401; set credentials.username and credentials.password_file to those of the BMC',
    );
  }

  /** Sends a request that changes something. @returns the answer, whose body was read and discarded */
  async #send(
    method: 'POST' | 'DELETE',
    path: string,
    { headers = {}, signal, body }: Content,
  ): Promise<IncomingMessage> {
    const url = this.#resolve(path);
    const content = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await openResponse({
      agent: this.#http.agent,
      url,
      method,
      headers: { ...headers, ...content },
      body,
      signal,
    });
    response.resume();
    await once(response, 'close', { signal });
    return response;
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof StatusError && error.status === 401;
}
