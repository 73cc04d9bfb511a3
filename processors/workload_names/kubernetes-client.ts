import type { Log } from '../../src/component/log.js';
import { describeError, findErrorCode } from '../../src/errors.js';
import { openHttpClient, type ClientConfig, type HttpClient } from '../../src/http/client.js';
import { get, StatusError } from '../../src/http/get.js';

/** Settings and address of a client. */
export interface KubernetesOptions {
  readonly url: URL;
  readonly client: Omit<ClientConfig, 'timeout'>;
  /** For messages: the rights that a role must grant. */
  readonly rights: string;
  readonly log: Log;
}

/** Longer than any answer may take; each answer has a separate limit. */
const maxAnswerMs = 3_600_000;

/**
 * Sends requests to the API server or a kubelet. The files of the token and the certificates are reloaded when
 * they change.
 */
export class KubernetesClient {
  readonly #options: KubernetesOptions;
  #http: HttpClient | undefined;

  constructor(options: KubernetesOptions) {
    this.#options = options;
  }

  /**
   * Sends a GET request.
   * @param path with its query
   * @param timeoutMs time limit for the whole answer
   * @param onOpen called when the answer starts
   * @returns the body, chunk by chunk
   * @throws Error with the remedy, a StatusError if the server answered with one
   */
  async *get(path: string, timeoutMs: number, onOpen?: () => void): AsyncGenerator<Buffer> {
    try {
      const { url } = this.#options;
      const http = (this.#http ??= this.#open());
      // The address may have a path, such as that of a proxy for several clusters.
      const whole = new URL(`${url.href.replace(/\/$/u, '')}${path}`);
      const target = { agent: http.agent, url: whole, authorization: http.authorization() };
      yield* get({ ...target, ...(onOpen && { onOpen }) }, timeoutMs);
    } catch (error) {
      throw this.#describe(error);
    }
  }

  close(): void {
    this.#http?.agent.destroy();
  }

  /** @throws Error naming the file that cannot be read */
  #open(): HttpClient {
    const { url, client, log } = this.#options;
    return openHttpClient(url, { ...client, timeout: maxAnswerMs }, log);
  }

  #describe(error: unknown): unknown {
    const remedy = this.#findRemedy(error);
    if (remedy === undefined) return error;
    const message = `${describeError(error)}; ${remedy}`;
    if (error instanceof StatusError) return new StatusError(error.status, message, { cause: error });
    return new Error(message, { cause: error });
  }

  #findRemedy(error: unknown): string | undefined {
    if (error instanceof StatusError && error.status === 401) {
      return 'expected a token that is valid, see credentials.bearer_token_file';
    }
    if (error instanceof StatusError && error.status === 403) {
      return `the role of this service account must allow ${this.#options.rights}`;
    }
    return certificateRemedies.get(findErrorCode(error) ?? '');
  }
}

const otherAuthority = 'set tls.ca_file to the certificate of the authority that signed that of the server';

const certificateRemedies: ReadonlyMap<string, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', otherAuthority],
  ['SELF_SIGNED_CERT_IN_CHAIN', otherAuthority],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', otherAuthority],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', otherAuthority],
  ['CERT_SIGNATURE_FAILURE', otherAuthority],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'set tls.server_name_override to a name in the certificate of the server'],
]);
