import type { IncomingMessage } from 'node:http';
import type { ReceiverContext } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { BodyReader } from '../../src/http/request-body.js';
import { servePages, type Answer, type Page, type PageServer } from '../../src/http/server.js';
import type { HttpConfig } from './config.js';
import type { Intake, Outcome } from './intake.js';
import { convertJsonRequest } from './json-request.js';
import {
  codes,
  encodeResponse,
  encodeStatus,
  formatResponse,
  formatStatus,
  type Status,
} from './messages.js';

/** Maximum total size of all requests being received over one protocol. */
export const maxReceivedBytes = 64 * 1024 * 1024;
/** Agents keep their connections open. */
const maxConnections = 1024;

/** Serves OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
export async function serveHttp(
  config: HttpConfig,
  { id, log }: Pick<ReceiverContext, 'id' | 'log'>,
  intake: Intake,
): Promise<PageServer | undefined> {
  const bodies = new BodyReader(config.max_request_body_size, maxReceivedBytes);
  const pages = {
    '/v1/traces': { post: refuseSignal('traces') },
    '/v1/logs': { post: refuseSignal('logs') },
    [config.metrics_url_path]: { post: (request: IncomingMessage) => take(request, bodies, intake) },
  };
  return servePages(pages, {
    chosen: config.endpoint,
    fallback: config.endpoint,
    setting: `receivers.${id}.protocols.http.endpoint`,
    webConfigFile: config.web_config_file,
    tls: config.tls,
    maxConnections,
    onNoAccess: (access) => void intake.refuseAccess(access),
    onUnfinished: (message) => intake.giveUp('unfinished', message),
    log,
  });
}

type Format = 'application/x-protobuf' | 'application/json';

function formatOf({ headers }: IncomingMessage): Format | undefined {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  const name = type.trim().toLowerCase();
  return name === 'application/x-protobuf' || name === 'application/json' ? name : undefined;
}

async function take(request: IncomingMessage, bodies: BodyReader, intake: Intake): Promise<Answer> {
  const format = formatOf(request);
  if (format === undefined) return refuseFormat(request, intake);
  const body = await bodies.read(request);
  if (!('bytes' in body)) {
    intake.refuse(body.status === 503 ? 'busy' : 'malformed', body.problem);
    return fail(format, body.status, body.problem);
  }
  const outcome = await takeBody(body.bytes, format, intake);
  switch (outcome.kind) {
    case 'taken':
      return succeed(format, outcome);
    case 'malformed':
      return fail(format, 400, outcome.message);
    case 'busy':
      return fail(format, 503, outcome.message);
    case 'failed':
      return fail(format, 500, outcome.message);
  }
}

async function takeBody(bytes: Buffer, format: Format, intake: Intake): Promise<Outcome> {
  if (format === 'application/x-protobuf') return intake.take(bytes);
  try {
    return await intake.take(convertJsonRequest(bytes.toString('utf8')));
  } catch (error) {
    return intake.refuse('malformed', describeError(error));
  }
}

function succeed(
  format: Format,
  { rejected, message }: { readonly rejected: number; readonly message: string },
): Answer {
  const body =
    format === 'application/json' ? formatResponse(rejected, message) : [encodeResponse(rejected, message)];
  return { status: 200, headers: { 'Content-Type': format }, body };
}

const statusCodes: Readonly<Record<number, number>> = {
  400: codes.invalidArgument,
  404: codes.unimplemented,
  413: codes.invalidArgument,
  415: codes.invalidArgument,
  503: codes.unavailable,
};

const retryAfterSeconds = 1;

function fail(format: Format, httpStatus: number, message: string): Answer {
  const isBusy = httpStatus === 503;
  const status: Status = {
    code: statusCodes[httpStatus] ?? codes.internal,
    message,
    ...(isBusy && { retryAfterSeconds }),
  };
  return {
    status: httpStatus,
    headers: {
      'Content-Type': format,
      ...(isBusy && { 'Retry-After': String(retryAfterSeconds) }),
      // The rest of the request is not read.
      ...(httpStatus !== 404 && { Connection: 'close' }),
    },
    body: format === 'application/json' ? formatStatus(status) : [encodeStatus(status)],
  };
}

function refuseFormat({ headers }: IncomingMessage, intake: Intake): Answer {
  const expected = 'application/x-protobuf or application/json';
  const message = `Cannot read the request: expected Content-Type ${expected}, found "${headers['content-type'] ?? ''}"`;
  intake.refuse('malformed', message);
  return { status: 415, headers: { Connection: 'close' }, body: `${message}\n` };
}

/** Reports to senders of several signals which one is not supported. */
function refuseSignal(signal: 'traces' | 'logs'): Page {
  return (request) => fail(formatOf(request) ?? 'application/json', 404, describeRefusal(signal));
}

/** The response to senders of another signal. */
export function describeRefusal(signal: 'traces' | 'logs' | 'profiles'): string {
  return `Cannot take ${signal}: expected metrics, found another signal; send ${signal} to an OpenTelemetry Collector`;
}
