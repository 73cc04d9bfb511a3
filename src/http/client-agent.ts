import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as requestTls, type AgentOptions } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type SecureContext } from 'node:tls';
import { Agent as PlainAgent, request as requestPlain } from './node-http.js';
import { proxyAuthorization, type HttpProxy } from './proxy.js';

/** How requests reach the server. */
export interface Route {
  /** With TLS: the context for the next connection. */
  readonly context: (() => SecureContext) | undefined;
  readonly proxy: HttpProxy | undefined;
  /** Maximum time for the answer to a request. */
  readonly timeoutMs: number;
}

/** What an agent knows about a connection that it requests. */
type Target = ConnectionOptions & RequestOptions & { readonly host: string; readonly port: number };

type Done = (error: Error | null, socket?: Socket) => void;

/** Parts of an agent that Node's types omit or type loosely: every request and connection passes here. */
interface OpenAgent {
  addRequest(request: ClientRequest, target: Target): void;
  createConnection(target: Target, done: Done): Socket | undefined;
}

/** An agent with certificates that may change, and a proxy. */
export function createClientAgent(options: AgentOptions, { context, proxy, timeoutMs }: Route): Agent {
  // A resumed session would not be verified against changed authorities.
  const agent = context ? new TlsAgent({ ...options, maxCachedSessions: 0 }) : new PlainAgent(options);
  const open = agent as unknown as OpenAgent; // As documented and implemented by Node.
  const connect = open.createConnection.bind(agent);
  if (context && proxy) {
    open.createConnection = (target, done) => {
      const secure = (socket: Socket) => connectTls({ ...target, secureContext: context(), socket });
      openTunnel(proxy, target, {
        timeoutMs,
        done: (error, socket) => done(error, socket && secure(socket)),
      });
      return undefined;
    };
  } else if (context) {
    open.createConnection = (target, done) => connect({ ...target, secureContext: context() }, done);
  } else if (proxy) {
    const { host, port, isTls } = proxy;
    open.createConnection = (target, done) =>
      isTls ? connectTls({ host, port, servername: host }) : connect({ ...target, host, port }, done);
    sendThroughProxy(agent, proxy);
  }
  return agent;
}

/** Calls `prepare` for every request before it gets its connection. */
export function prepareRequests(
  agent: Agent,
  prepare: (request: ClientRequest, target: Target) => void,
): void {
  const open = agent as unknown as OpenAgent;
  const addRequest = open.addRequest.bind(agent);
  open.addRequest = (request, target) => {
    prepare(request, target);
    addRequest(request, target);
  };
}

/** For requests without TLS, the proxy finds the target in their path. */
function sendThroughProxy(agent: Agent, proxy: HttpProxy): void {
  prepareRequests(agent, (request, target) => {
    request.path = `http://${joinHostPort(target)}${request.path}`;
    for (const [name, value] of Object.entries(proxyAuthorization(proxy))) request.setHeader(name, value);
  });
}

interface Tunnel {
  readonly timeoutMs: number;
  /** Called once: with a connection tunnelled to the target, or with the error. */
  readonly done: Done;
}

function openTunnel(proxy: HttpProxy, target: Target, { timeoutMs, done }: Tunnel): void {
  const path = joinHostPort(target);
  const { host, port, isTls } = proxy;
  const headers = { Host: path, ...proxyAuthorization(proxy) };
  const options = { host, port, method: 'CONNECT', path, headers, agent: false };
  const request = (isTls ? requestTls : requestPlain)(options);
  const timer = setTimeout(() => {
    request.destroy(new Error(`expected an answer from the proxy within ${timeoutMs} ms, found none`));
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
  request.once('error', done);
  request.once('connect', (response, socket, head) => {
    clearTimeout(timer);
    request.off('error', done);
    if (response.statusCode === 200) {
      if (head.length > 0) socket.unshift(head);
      done(null, socket);
      return;
    }
    socket.destroy();
    done(describeRefusal(response));
  });
  request.end();
}

function describeRefusal({ statusCode, statusMessage }: IncomingMessage): Error {
  return new Error(`expected the proxy to connect, found HTTP ${statusCode} ${statusMessage}`);
}

function joinHostPort({ host, port }: Target): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
