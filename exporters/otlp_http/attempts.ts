import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, type AgentOptions } from 'node:https';
import { describeError, ExportError } from '../../src/component/errors.js';
import { describeConnectionError } from '../../src/otlp/connection-error.js';

/** The status codes after which the Collector sends again. */
const retryableStatuses: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);
/** Those whose Retry-After it heeds. */
const throttlingStatuses: ReadonlySet<number | undefined> = new Set([429, 503]);

/** The part of an agent that Node's types leave out: every request comes by here on its way to a socket. */
interface RequestingAgent {
  addRequest(request: ClientRequest, options: unknown): void;
}

/**
 * An agent for the official HTTP transport that ends each request with what happened to it. By itself the
 * transport repeats requests on a schedule of its own and keeps status and Retry-After to itself; here the
 * sending queue repeats, and wants to know both.
 * @param timeoutMs how long the answer to a request may take
 */
export function createAttemptAgent(protocol: string, options: AgentOptions, timeoutMs: number): Agent {
  const agent = protocol === 'https:' ? new TlsAgent(options) : new Agent(options);
  const requesting = agent as Agent & RequestingAgent;
  const addRequest = requesting.addRequest.bind(agent);
  requesting.addRequest = (request, requestOptions) => {
    endWithExportError(request, timeoutMs);
    addRequest(request, requestOptions);
  };
  return agent;
}

/** Turns whatever goes wrong into an ExportError before the transport sees it, which it hands on as it is. */
function endWithExportError(request: ClientRequest, timeoutMs: number): void {
  const timer = setTimeout(() => {
    request.destroy(new ExportError(`no answer within ${timeoutMs} ms`, { retryable: true }));
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
  request.prependListener('error', (error) => {
    if (!(error instanceof ExportError)) request.emit('error', toConnectionError(error));
  });
  request.prependOnceListener('response', (response) => {
    if (retryableStatuses.has(response.statusCode)) request.emit('error', toStatusError(response));
  });
}

/** As in the Collector, every request that got no answer is sent again. */
function toConnectionError(error: Error): ExportError {
  // An address with several IPs fails with the errors of each and no words of its own.
  const causes = error instanceof AggregateError ? error.errors : [error];
  const message = describeConnectionError([...new Set(causes.map(describeError))].join(', '));
  return new ExportError(message, { retryable: true, cause: error });
}

function toStatusError({ statusCode, statusMessage, headers }: IncomingMessage): ExportError {
  const throttles = throttlingStatuses.has(statusCode);
  return new ExportError(`HTTP ${statusCode} ${statusMessage}`, {
    retryable: true,
    retryAfterMs: throttles ? parseRetryAfterMs(headers['retry-after'], Date.now()) : undefined,
  });
}

/** Seconds or a date; undefined when it is neither or lies in the past. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return ms > 0 ? ms : undefined;
}
