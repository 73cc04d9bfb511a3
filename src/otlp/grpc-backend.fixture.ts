import type { TestContext } from 'node:test';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';

/** How a backend answers a call. */
export interface Answer {
  /** A gRPC status code; OK by default. */
  readonly code?: status;
  readonly details?: string;
  /** google.rpc.Status, sent as grpc-status-details-bin. */
  readonly statusDetails?: Buffer;
  /** ExportMetricsServiceResponse. */
  readonly body?: Buffer;
  /** The backend never answers. */
  readonly isSilent?: boolean;
}

/** A call as received. */
export interface ReceivedCall {
  readonly metadata: Metadata;
  readonly bytes: Buffer;
  readonly code: status;
  readonly atMs: number;
}

/** For tests: a real gRPC server that keeps the calls it receives. */
export interface GrpcBackend {
  readonly endpoint: string;
  readonly port: number;
  readonly received: ReceivedCall[];
  close(): void;
}

export interface BackendOptions {
  /** `localhost` by default. */
  readonly address?: string;
  readonly port?: number;
  readonly credentials?: ServerCredentials;
  /** 4 MiB by default. */
  readonly maxMessageBytes?: number;
  /** Calls are counted from 1. */
  answer?(count: number): Answer;
}

const identity = (bytes: Buffer) => bytes;

/** Of opentelemetry/proto/collector/metrics/v1/metrics_service.proto; messages remain bytes. */
const service: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

export async function openGrpcBackend(t: TestContext, options: BackendOptions = {}): Promise<GrpcBackend> {
  const { address = 'localhost', port = 0, answer = (): Answer => ({}) } = options;
  const { credentials = ServerCredentials.createInsecure(), maxMessageBytes = 2 ** 22 } = options;
  const received: ReceivedCall[] = [];
  const take: handleUnaryCall<Buffer, Buffer> = ({ metadata, request: bytes }, respond) => {
    const { code = status.OK, details = '', statusDetails, body, isSilent } = answer(received.length + 1);
    received.push({ metadata, bytes, code, atMs: performance.now() });
    if (isSilent) return;
    const trailers = new Metadata();
    if (statusDetails) trailers.set('grpc-status-details-bin', statusDetails);
    if (code === status.OK) respond(null, body ?? Buffer.alloc(0));
    else respond({ code, details, metadata: trailers });
  };
  const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes });
  server.addService(service, { Export: take });
  const bound = await bind(server, `${address}:${port}`, credentials);
  const close = () => server.forceShutdown();
  t.after(close);
  return { endpoint: `${address}:${bound}`, port: bound, received, close };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}
