import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as requestTls } from 'node:https';
import { describeCode, findErrorCode } from '../../errors.js';
import { request as requestPlain } from '../../http/node-http.js';
import { findControlSockets } from '../../linux/control-socket.js';

/** Address of an agent. */
export interface AgentAddress {
  /** Path of its socket. If `url` is undefined, too: the default sockets. */
  readonly socket: string | undefined;
  /** `http://localhost:13134`, instead of a socket. */
  readonly url: string | undefined;
  readonly tokenFile: string | undefined;
  /** Certificate authorities for an `https://` address, PEM. */
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
}

/** Answer of an agent. */
export interface Reply {
  readonly status: number;
  /** The parsed JSON body, or the text if it is not JSON. */
  readonly body: unknown;
}

/** No agent could be reached: none is running, or this user is not permitted. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/**
 * Sends a request to an agent.
 * @param order the body of a POST; undefined: a GET
 * @throws UnreachableError with a message for users
 */
export async function askAgent(address: AgentAddress, path: string, order?: object): Promise<Reply> {
  const tried: string[] = [];
  for (const target of findTargets(address)) {
    try {
      return checkAccess(await send(target, { address, path, order }));
    } catch (error) {
      if (error instanceof UnreachableError) throw error;
      tried.push(describeFailure(target, error));
      if (!isAbsent(error)) break;
    }
  }
  throw new UnreachableError(`Cannot reach an agent: ${tried.join('; ')}`);
}

interface Target {
  readonly name: string;
  readonly options: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
  readonly isSecure: boolean;
}

function findTargets({ socket, url, tokenFile, caFile }: AgentAddress): readonly Target[] {
  if (url === undefined) {
    const paths = socket === undefined ? findControlSockets() : [socket];
    return paths.map((path) => ({ name: path, options: { socketPath: path }, headers: {}, isSecure: false }));
  }
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === 'https:';
  const host = hostname.replaceAll(/^\[|\]$/gu, '');
  const headers: Target['headers'] =
    tokenFile === undefined ? {} : { authorization: `Bearer ${read(tokenFile).trim()}` };
  const ca = caFile === undefined ? {} : { ca: read(caFile) };
  const options = { host, port: port === '' ? (isSecure ? 443 : 80) : port, ...ca };
  return [{ name: url, options, headers, isSecure }];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UnreachableError(`Cannot read ${path}: ${describeCode(error)}`, { cause: error });
  }
}

interface Question {
  readonly address: AgentAddress;
  readonly path: string;
  readonly order: object | undefined;
}

function send({ options, headers, isSecure }: Target, { address, path, order }: Question): Promise<Reply> {
  const body = order === undefined ? undefined : JSON.stringify(order);
  const request = (isSecure ? requestTls : requestPlain)({
    ...options,
    path,
    method: body === undefined ? 'GET' : 'POST',
    timeout: address.timeoutMs,
    headers: { ...headers, ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }) },
  });
  return new Promise((resolve, reject) => {
    request.once('timeout', () =>
      request.destroy(new Error(`expected an answer within ${address.timeoutMs} ms, found none`)),
    );
    request.once('error', reject);
    request.once('response', (response: IncomingMessage) => void readReply(response).then(resolve, reject));
    request.end(body);
  });
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  return { status: response.statusCode ?? 0, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/** @throws UnreachableError when this user is not permitted, or the server is not an agent */
function checkAccess(reply: Reply): Reply {
  if (reply.status === 401)
    throw new UnreachableError(
      'Cannot control the agent: expected the token of its http.token_file, found another one or none; name the file with --token-file',
    );
  if (typeof reply.body === 'string')
    throw new UnreachableError(
      `Cannot control the agent: expected the extension "control", found a server that answers ${reply.status} ${reply.body.slice(0, 100)}`,
    );
  return reply;
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(findErrorCode(error) ?? '');
}

function describeFailure({ name }: Target, error: unknown): string {
  switch (findErrorCode(error) ?? '') {
    case 'ENOENT':
      return `no socket at ${name}; is the agent running, with the extension "control" in service.extensions?`;
    case 'ECONNREFUSED':
      return `nothing listens at ${name}; is the agent running, with the extension "control"?`;
    case 'EACCES':
      return `no permission for ${name}; run this as the user of the agent, as root, or in the group of extensions.control.socket.group`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `${name} has a certificate of an unknown authority; name the file with the authority by --ca-file`;
    case 'EPROTO':
      return `${name} does not answer by TLS; use http://, or set web_config_file of extensions.control.http`;
    case 'ECONNRESET':
    case 'HPE_INVALID_CONSTANT':
      return `${name} does not answer by HTTP; use https:// if it has TLS`;
    default:
      return `${name}: ${describeCode(error)}`;
  }
}
