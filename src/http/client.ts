import { validateHeaderValue, type Agent, type ClientRequest } from 'node:http';
import { describeError } from '../errors.js';
import type { Log } from '../component/log.js';
import { hideCredentials } from '../config/hide-credentials.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeReadError, readFileStamp, readRegularText } from '../linux/regular-file.js';
import { createClientAgent, prepareRequests } from './client-agent.js';
import { describeRoute, findProxy, parseProxy, type HttpProxy } from './proxy.js';
import { checkTlsConfig, openTlsContext, tlsSettings } from './tls-files.js';

/** Settings of whatever asks or sends by HTTP. */
export const clientSettings = {
  timeout: {
    doc: 'How long the answer to a request may take.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  proxy_url: {
    doc: 'Proxy for all requests, `http://` or `https://`, user and password where it wants them; unset: that of HTTPS_PROXY or HTTP_PROXY, by the rules of NO_PROXY.',
    format: 'url',
    default: null,
  },
  credentials: {
    bearer_token_file: {
      doc: 'File with a token for the header `Authorization: Bearer`; read again when it changes.',
      format: 'path',
      default: null,
    },
    username: { doc: 'User for HTTP basic authentication.', format: 'string', default: null },
    password_file: {
      doc: 'File with the password of that user; read again when it changes.',
      format: 'path',
      default: null,
    },
  },
  tls: tlsSettings,
} as const satisfies Schema;

export type ClientConfig = ConfigOf<typeof clientSettings>;
type CredentialsConfig = ClientConfig['credentials'];

/** What is wrong with these settings when they are taken together. */
export function checkClientConfig({ credentials, tls }: ClientConfig): string[] {
  const { bearer_token_file: token, username, password_file: password } = credentials;
  const problems = [...checkTlsConfig(tls)];
  if ((username === null) !== (password === null)) {
    problems.push('credentials: expected username and password_file together, found only one of them');
  }
  if (token !== null && username !== null) {
    problems.push('credentials: expected bearer_token_file or username, found both');
  }
  if (username?.includes(':')) problems.push('credentials.username: expected a name without ":", found one');
  return problems;
}

/** The way to one address. */
export interface HttpClient {
  /** For messages: the address without passwords, and the proxy. */
  readonly target: string;
  /** For requests to this address, with TLS files that are read again, and through the proxy. */
  readonly agent: Agent;
  /** Whether requests go by TLS. */
  readonly isTls: boolean;
  /** The Authorization header of the next request; undefined: none is configured. */
  authorization(): string | undefined;
}

/**
 * Opens the way to an address: the settings and, for proxies, HTTPS_PROXY, HTTP_PROXY and NO_PROXY alone.
 * @param prepare called with every request before it gets its connection
 * @throws Error naming the file or variable that cannot be used
 */
export function openHttpClient(
  url: URL,
  config: ClientConfig,
  log: Log,
  prepare?: (request: ClientRequest) => void,
): HttpClient {
  const { tls, timeout: timeoutMs, credentials } = config;
  const proxy = chooseProxy(url, config);
  const tlsContext = openTlsContext(tls, url.host, log);
  const isTls = url.protocol === 'https:';
  const options = {
    keepAlive: true,
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === null ? {} : { servername: tls.server_name_override }),
  };
  const context = isTls ? () => tlsContext.current() : undefined;
  const agent = createClientAgent(options, { context, proxy, timeoutMs });
  prepareRequests(agent, (request) => {
    limitTime(request, timeoutMs);
    prepare?.(request);
  });
  const authorization = createAuthorization(credentials, log);
  return { target: describeRoute(hideCredentials(url.href), proxy), agent, isTls, authorization };
}

function limitTime(request: ClientRequest, timeoutMs: number): void {
  const timer = setTimeout(() => {
    request.destroy(new Error(`no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
}

/** As in the Collector, a proxy that is set is used for every address, and the environment is not asked. */
function chooseProxy(url: URL, { proxy_url: text }: ClientConfig): HttpProxy | undefined {
  return text === null ? findProxy(url, process.env) : parseProxy(text, 'proxy_url');
}

function createAuthorization(credentials: CredentialsConfig, log: Log): () => string | undefined {
  const { bearer_token_file: tokenFile, username, password_file: passwordFile } = credentials;
  if (tokenFile !== null) {
    const token = new SecretFile('credentials.bearer_token_file', tokenFile, log);
    return () => `Bearer ${token.current()}`;
  }
  if (username === null || passwordFile === null) return () => undefined;
  const password = new SecretFile('credentials.password_file', passwordFile, log);
  return () => `Basic ${Buffer.from(`${username}:${password.current()}`).toString('base64')}`;
}

const maxSecretBytes = 64 * 1024;

/** A secret that is read again when its file has changed. */
class SecretFile {
  readonly #name: string;
  readonly #path: string;
  readonly #log: Log;
  #stamp: string;
  #secret: string;

  /** @throws Error naming the setting and the file, and nothing of its content */
  constructor(setting: string, path: string, log: Log) {
    this.#name = `${setting} "${path}"`;
    this.#path = path;
    this.#log = log;
    this.#stamp = readFileStamp(path);
    this.#secret = this.#read();
  }

  /** What is to be used now: of a file that cannot be read any more, what was read last. */
  current(): string {
    const stamp = readFileStamp(this.#path);
    if (stamp === this.#stamp) return this.#secret;
    this.#stamp = stamp;
    try {
      this.#secret = this.#read();
    } catch (error) {
      this.#log.warn(`${describeError(error)}; using the previous one`);
    }
    return this.#secret;
  }

  #read(): string {
    const secret = this.#readText().replace(/\r?\n$/u, '');
    try {
      validateHeaderValue('Authorization', secret);
    } catch (error) {
      throw new Error(`Cannot use ${this.#name}: expected one line of text`, { cause: error });
    }
    if (secret === '') throw new Error(`Cannot use ${this.#name}: expected one line of text, found none`);
    return secret;
  }

  #readText(): string {
    try {
      return readRegularText(this.#path, maxSecretBytes);
    } catch (error) {
      throw new Error(`Cannot read ${this.#name}: ${describeReadError(error)}`, { cause: error });
    }
  }
}
