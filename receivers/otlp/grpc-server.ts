import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type handleUnaryCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { ReceiverContext } from '../../src/component/component.js';
import { BasicAuth } from '../../src/http/basic-auth.js';
import { ConnectionLimit, listen, type Listener } from '../../src/http/listen.js';
import { createTlsOptions, keepTlsCurrent, openWebConfig } from '../../src/http/server.js';
import type { WebConfigFile } from '../../src/http/web-config.js';
import type { GrpcConfig } from './config.js';
import { describeRefusal, maxReceivedBytes } from './http-server.js';
import type { Failure, Intake } from './intake.js';
import { MessageBuffers } from './message-buffers.js';
import { encodeResponse, encodeStatus } from './messages.js';
import { readInOnePiece } from './read-messages.js';

const maxConnections = 1024;
/** Time within which a request must have arrived completely. */
const requestTimeoutMs = 10_000;
/** Interval of the pings that detect connections whose peer has disappeared. */
const pingIntervalMs = 60_000;
const pingTimeoutMs = 20_000;
/** The size of a typical request: with a smaller window, senders have to wait for acknowledgements. */
const windowBytes = 4 * 1024 * 1024;
const mebibyte = 1024 * 1024;

/** What all calls share. */
interface Parts {
  readonly intake: Intake;
  readonly limit: ConnectionLimit;
  readonly buffers: MessageBuffers;
}

/** Serves OTLP/gRPC (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc). */
export async function serveGrpc(
  config: GrpcConfig,
  { id, log }: Pick<ReceiverContext, 'id' | 'log'>,
  intake: Intake,
): Promise<Listener & { readonly origin: string }> {
  const setting = `receivers.${id}.protocols.grpc.endpoint`;
  const web = openWebConfig({ webConfigFile: config.web_config_file, tls: config.tls, setting, log });
  const sockets = web?.current().tls ? createSecureServer(web) : createServer();
  const limit = new ConnectionLimit(sockets, log, maxConnections);
  const parts = { intake, limit, buffers: new MessageBuffers(maxReceivedBytes) };
  const grpc = createGrpcServer(config, web, parts);
  addServices(grpc, parts);
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  sockets.on(web?.current().tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (!socket.destroyed) injector.injectConnection(socket);
  });
  try {
    const listener = await listen(sockets, config.endpoint, { log, setting });
    const close = async () => {
      grpc.forceShutdown();
      await listener.close();
    };
    return { ...listener, origin: `${web?.current().tls ? 'https' : 'http'}://${listener.address}`, close };
  } catch (error) {
    grpc.forceShutdown();
    throw error;
  }
}

function createSecureServer(web: WebConfigFile): NetServer {
  const server = createTlsServer({ ...createTlsOptions(web), ALPNProtocols: ['h2'] });
  keepTlsCurrent(server, web);
  // Failed TLS handshakes are errors of the client.
  server.on('tlsClientError', (_: Error, socket: Socket) => socket.destroy());
  return server;
}

function createGrpcServer(config: GrpcConfig, web: WebConfigFile | undefined, parts: Parts): Server {
  return new Server({
    interceptors: [createGuard(config, web, parts)],
    'grpc.max_receive_message_length': config.max_recv_msg_size_mib * mebibyte,
    'grpc.max_concurrent_streams': config.max_concurrent_streams,
    'grpc.keepalive_time_ms': pingIntervalMs,
    'grpc.keepalive_timeout_ms': pingTimeoutMs,
    'grpc-node.flow_control_window': windowBytes,
    'grpc.enable_channelz': 0,
  });
}

/** Checks the password before the request is received, and aborts requests that do not arrive in time. */
function createGuard(config: GrpcConfig, web: WebConfigFile | undefined, parts: Parts): ServerInterceptor {
  const auth = new BasicAuth();
  const maxBytes = config.max_recv_msg_size_mib * mebibyte;
  return (_, call) => {
    const release = readMessages(call, maxBytes, parts);
    const giveUp = () => {
      parts.intake.giveUp('unfinished', unfinished.details);
      call.sendStatus(unfinished);
    };
    const timer = setTimeout(giveUp, requestTimeoutMs);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const header = String(metadata.get('authorization')[0] ?? '');
        const admit = async () => {
          const access = await auth.check(header, web?.current().users ?? noUsers);
          if (access === 'granted') return next(metadata);
          clearTimeout(timer);
          call.sendStatus({ code: accessCodes[access], details: parts.intake.refuseAccess(access) });
        };
        void admit();
      })
      .withOnReceiveHalfClose((next) => {
        clearTimeout(timer);
        next();
      })
      .withOnCancel(() => {
        clearTimeout(timer);
        release();
      })
      .build();
    return new ServerInterceptingCall(call, { start: (next) => next(listener) });
  };
}

/** @returns a function that must be called at the end of the call */
function readMessages(
  call: ServerInterceptingCallInterface,
  maxBytes: number,
  { intake, buffers }: Parts,
): () => void {
  return readInOnePiece(call, {
    maxBytes,
    buffers,
    refuse(kind, message) {
      const failure = intake.refuse(kind, message);
      // Otherwise, the library sends RESOURCE_EXHAUSTED without RetryInfo, and senders discard the request.
      if (kind === 'busy') call.sendStatus(describeFailure(failure));
    },
  });
}

const noUsers: ReadonlyMap<string, string> = new Map();

const unfinished = {
  code: status.DEADLINE_EXCEEDED,
  details: `Cannot take the request: expected it within ${requestTimeoutMs / 1000} s, found it unfinished`,
} as const;

const accessCodes = { denied: status.UNAUTHENTICATED, busy: status.UNAVAILABLE } as const;

function same(bytes: Buffer): Buffer {
  return bytes;
}

function serviceOf(signal: string, service: string): ServiceDefinition {
  return {
    Export: {
      path: `/opentelemetry.proto.collector.${signal}.v1.${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}

type Take = handleUnaryCall<Buffer, Buffer>;

function refuse(signal: 'traces' | 'logs'): Take {
  return (_, respond) => respond({ code: status.UNIMPLEMENTED, details: describeRefusal(signal) });
}

function addServices(grpc: Server, { intake, limit, buffers }: Parts): void {
  const answer = async (...[call, respond]: Parameters<Take>) => {
    const peer = call.getPeer().replace(/:(\d+)$/u, ' $1');
    limit.markBusy(peer);
    const outcome = await intake.take(call.request);
    limit.markIdle(peer);
    buffers.giveBack(call.request);
    if (outcome.kind === 'taken') respond(null, encodeResponse(outcome.rejected, outcome.message));
    else respond(describeFailure(outcome));
  };
  const take: Take = (call, respond) => void answer(call, respond);
  grpc.addService(serviceOf('metrics', 'MetricsService'), { Export: take });
  grpc.addService(serviceOf('trace', 'TraceService'), { Export: refuse('traces') });
  grpc.addService(serviceOf('logs', 'LogsService'), { Export: refuse('logs') });
}

const failureCodes = {
  malformed: status.INVALID_ARGUMENT,
  busy: status.UNAVAILABLE,
  failed: status.INTERNAL,
} as const;

const retryAfterSeconds = 1;

function describeFailure({ kind, message: details }: Failure) {
  const code = failureCodes[kind];
  const metadata = new Metadata();
  if (kind === 'busy') {
    const bytes = encodeStatus({ code, message: details, retryAfterSeconds });
    metadata.set('grpc-status-details-bin', bytes);
  }
  return { code, details, metadata };
}
