import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { openHttpClient, type ClientConfig, type HttpClient } from './client.js';
import { DigestAuth, type User } from './digest-auth.js';
import { getText, StatusError } from './get.js';

/** Limits of a request. */
export interface RequestLimits {
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

/** A client for one device that answers its authentication challenges. */
export class ChallengedClient {
  readonly #base: string;
  readonly #timeoutMs: number;
  readonly #http: HttpClient;
  /** Authorizes the next request for a path; undefined: the device has not asked for authentication. */
  #authorize: ((path: string) => string | undefined) | undefined;

  /** @throws Error naming the file or variable that cannot be used */
  constructor(url: URL, config: ClientConfig, log: Log) {
    this.#base = url.href.replace(/\/$/u, '');
    this.#timeoutMs = config.timeout;
    this.#http = openHttpClient(url, config, log);
  }

  /** For messages: the address without passwords. */
  get target(): string {
    return this.#http.target;
  }

  /**
   * Sends a GET request. The password is sent only after the device has asked for it, as a digest (RFC 7616) if
   * it asks for that.
   * @param path with its query
   * @returns the answer
   * @throws StatusError, or the error of the connection
   */
  async getText(path: string, limits: RequestLimits): Promise<string> {
    const authorized = this.#authorize !== undefined;
    try {
      return await this.#send(path, limits);
    } catch (error) {
      const challenge = error instanceof StatusError && error.status === 401 ? error.challenge : undefined;
      if (challenge === undefined) throw error;
      this.#authorize = this.#answer(challenge);
      // A digest may have become stale; otherwise the user was refused.
      if (this.#authorize === undefined || (authorized && !/^digest/iu.test(challenge))) throw error;
      return await this.#send(path, limits);
    }
  }

  /** The configured user, for devices that want it in the query. */
  user(): User | undefined {
    return parseBasic(this.#http.authorization());
  }

  close(): void {
    this.#http.agent.destroy();
  }

  #send(path: string, { signal, maxBytes }: RequestLimits): Promise<string> {
    const url = new URL(this.#base + path);
    const authorization = this.#authorize?.(url.pathname + url.search);
    const target = { agent: this.#http.agent, url, authorization, signal };
    return getText(target, this.#timeoutMs, maxBytes);
  }

  #answer(challenge: string): ((path: string) => string | undefined) | undefined {
    const configured = this.#http.authorization();
    if (configured === undefined) return undefined;
    const digest = DigestAuth.parse(challenge);
    const user = this.user();
    if (digest === undefined || user === undefined) return () => this.#http.authorization();
    return (path) =>
      digest.authorize(parseBasic(this.#http.authorization()) ?? user, { method: 'GET', path });
  }
}

/** The error of a request, with a remedy if the server refused the user. */
export function addLoginRemedy(error: unknown, remedy: string): unknown {
  if (!(error instanceof StatusError) || error.status !== 401) return error;
  return new Error(`${describeError(error)}; ${remedy}`, { cause: error });
}

/** The user in a header `Authorization: Basic`, the form in which the client has name and password. */
export function parseBasic(header: string | undefined): User | undefined {
  const [, encoded] = /^Basic (.*)$/u.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [, name = '', password = ''] =
    /^([^:]*):(.*)$/su.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return { name, password };
}
