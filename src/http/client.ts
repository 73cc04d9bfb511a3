import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Log } from '../component/log.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { hideCredentials } from '../config/endpoint.js';
import { createClientAgent, prepareRequests } from './client-agent.js';
import { basicAuthorization } from './headers.js';
import { describeRoute, findProxy, parseProxy, type HttpProxy } from './proxy.js';
import { openSecretFile } from './secret-file.js';
import { checkTlsConfig, openTlsContext, tlsSettings } from './tls-files.js';

/** Client credentials, for any protocol. */
export const credentialsSettings = {
  bearer_token_file: {
    doc: 'File with the token for the header `Authorization: Bearer TOKEN`; read again when it changes.',
    format: 'path',
    reads: 'secret',
    default: null,
  },
  scheme: {
    doc: 'Word before the token in that header; some servers expect `ApiKey` or `Token`.',
    format: 'string',
    default: 'Bearer',
  },
  username: { doc: 'User for HTTP basic authentication.', format: 'string', default: null },
  password_file: {
    doc: 'File with the password of that user; read again when it changes.',
    format: 'path',
    reads: 'secret',
    default: null,
  },
} as const satisfies Schema;

/** Settings of HTTP clients. */
export const clientSettings = {
  timeout: {
    doc: 'Maximum time to wait for the answer to a request.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  proxy_url: {
    doc: 'Proxy for all requests, `http://` or `https://`, with user and password if it requires them. Unset: the proxy in HTTPS_PROXY or HTTP_PROXY, with the exceptions in NO_PROXY.',
    format: 'url',
    default: null,
  },
  credentials: credentialsSettings,
  tls: tlsSettings,
} as const satisfies Schema;

/** What to write instead of the Collector's settings of HTTP clients, by their path. */
export const replacedClientSettings = {
  'tls.insecure': 'an endpoint that begins with http:// is used without TLS, and one with https:// with it',
} as const;

export type ClientConfig = ConfigOf<typeof clientSettings>;
type CredentialsConfig = ConfigOf<typeof credentialsSettings>;

/** Validates settings that depend on each other. */
export function checkClientConfig({ credentials, tls }: ClientConfig): string[] {
  return [...checkTlsConfig(tls), ...checkCredentials(credentials)];
}

/** Validates credentials that depend on each other. */
export function checkCredentials(credentials: CredentialsConfig): string[] {
  const { bearer_token_file: token, username, password_file: password } = credentials;
  const problems: string[] = [];
  if ((username === null) !== (password === null)) {
    problems.push('credentials: expected username and password_file together, found only one of them');
  }
  if (token !== null && username !== null) {
    problems.push('credentials: expected bearer_token_file or username, found both');
  }
  if (username?.includes(':')) problems.push('credentials.username: expected a name without ":", found one');
  return problems;
}

/** A client for one address. */
export interface HttpClient {
  /** For messages: the address without passwords, and the proxy. */
  readonly target: string;
  /** For requests to this address: reloads TLS files, and uses the proxy. */
  readonly agent: Agent;
  /** The Authorization header of the next request; undefined if none is configured. */
  authorization(): string | undefined;
}

/**
 * Opens a client for an address, configured only by the settings and, for proxies, HTTPS_PROXY, HTTP_PROXY and
 * NO_PROXY.
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
  return { target: describeRoute(hideCredentials(url.href), proxy), agent, authorization };
}

function limitTime(request: ClientRequest, timeoutMs: number): void {
  let response: IncomingMessage | undefined;
  request.once('response', (found) => (response = found));
  const timer = setTimeout(() => {
    const error = new Error(`expected an answer within ${timeoutMs} ms, found none`);
    // Destroying only the request, Node ends an answer that has begun with "aborted".
    response?.destroy(error);
    request.destroy(error);
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
}

/** As in the Collector, a configured proxy is used for every address, and the environment is ignored. */
function chooseProxy(url: URL, { proxy_url: text }: ClientConfig): HttpProxy | undefined {
  return text === null ? findProxy(url, process.env) : parseProxy(text, 'proxy_url');
}

/**
 * The Authorization header of the next request, in printable ASCII; files are read again when they change.
 * @returns a function that returns undefined where no credentials are configured
 * @throws Error naming the file that cannot be used
 */
export function createAuthorization(credentials: CredentialsConfig, log: Log): () => string | undefined {
  const { bearer_token_file: tokenFile, scheme, username, password_file: passwordFile } = credentials;
  if (tokenFile !== null) {
    const name = `credentials.bearer_token_file "${tokenFile}"`;
    return openSecretFile(tokenFile, { name, log, use: (token) => headerOf(name, `${scheme} ${token}`) });
  }
  if (username === null || passwordFile === null) return () => undefined;
  const name = `credentials.password_file "${passwordFile}"`;
  const use = (password: string) => headerOf(name, basicAuthorization(`${username}:${password}`));
  return openSecretFile(passwordFile, { name, log, use });
}

/** @throws Error naming the file, without its content */
function headerOf(name: string, header: string): string {
  if (/^[ -~]*$/u.test(header)) return header;
  throw new Error(`Cannot use ${name}: expected printable ASCII, found other characters`);
}
