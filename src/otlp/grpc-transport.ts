import type { SecureContext } from 'node:tls';
import {
  ChannelCredentials,
  Client,
  Metadata,
  status,
  type ServiceError,
  type VerifyOptions,
} from '@grpc/grpc-js';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';
import { gzip } from '../http/compression.js';
import { findProxy, type HttpProxy } from '../http/proxy.js';
import { readVersion } from '../version.js';
import { markCompressed, sendCompressed, type TakenEncodings } from './grpc-compression.js';

/** The service of opentelemetry/proto/collector/metrics/v1/metrics_service.proto. */
const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/** As in the official transport: a connection that accepts calls and answers none is abandoned. */
const maxUnanswered = 5;

/** As `retry_on_failure.max_interval`. By default, grpc-js does not connect for two minutes after a long outage. */
const maxReconnectMs = 30_000;

export interface GrpcTransportOptions {
  /** In the form that grpc-js expects. */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** Metadata of the next request. */
  metadata(): Metadata;
  /** Undefined: requests are not compressed. */
  readonly gzipLevel: number | undefined;
  readonly proxy: HttpProxy | undefined;
}

/**
 * The proxy of a gRPC address. As in gRPC for Go, HTTPS_PROXY and NO_PROXY apply with and without TLS; the
 * variables that grpc-js reads by default (grpc_proxy, and otherwise http_proxy) do not.
 * @param address `host:port`, or one with a scheme of grpc-js, of which only dns can have a proxy
 * @throws Error naming the variable that is not a valid proxy address
 */
export function findGrpcProxy(address: string, env: NodeJS.ProcessEnv): HttpProxy | undefined {
  const name = address.replace(/^dns:(?:\/\/[^/]*\/)?/u, '');
  if (!URL.canParse(`https://${name}`)) return undefined;
  const proxy = findProxy(new URL(`https://${name}`), env);
  if (proxy?.isTls)
    throw new Error(`Cannot use a proxy for gRPC: expected one with http://, found ${proxy.address}`);
  return proxy;
}

/**
 * Sends to a backend over gRPC. The official transport accepts no proxy, and cannot be kept from reading
 * environment variables itself.
 */
export class GrpcTransport implements IExporterTransport {
  readonly #options: GrpcTransportOptions;
  readonly #server: TakenEncodings = { takesGzip: true };
  #client: Client | undefined;
  #unanswered = 0;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  async send(data: Uint8Array, timeoutMs: number): Promise<ExportResponse> {
    const deadline = Date.now() + timeoutMs;
    const { gzipLevel } = this.#options;
    if (gzipLevel !== undefined && this.#server.takesGzip) {
      const bytes = await gzip(data, gzipLevel);
      return this.#request(bytes, { metadata: markCompressed(this.#options.metadata()), deadline });
    }
    // The official code may still write to a request after its timeout.
    return this.#request(Buffer.from(data), { metadata: this.#options.metadata(), deadline });
  }

  #request(
    bytes: Buffer,
    { metadata, deadline }: { readonly metadata: Metadata; readonly deadline: number },
  ): Promise<ExportResponse> {
    const client = (this.#client ??= openClient(this.#options, this.#server));
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, response?: Buffer) => {
        this.#count(error?.code);
        resolve(
          error ? { status: 'failure', error } : { status: 'success', data: response ?? Buffer.alloc(0) },
        );
      };
      client.makeUnaryRequest<Buffer, Buffer>(path, same, same, bytes, metadata, { deadline }, done);
    });
  }

  shutdown(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  #count(code: status | undefined): void {
    this.#unanswered = code === status.DEADLINE_EXCEEDED ? this.#unanswered + 1 : 0;
    if (this.#unanswered <= maxUnanswered) return;
    this.#unanswered = 0;
    this.shutdown();
  }
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

function openClient({ address, credentials, proxy }: GrpcTransportOptions, server: TakenEncodings): Client {
  const client = new Client(proxy ? `dns:${joinHostPort(proxy)}` : address, credentials, {
    'grpc.primary_user_agent': `joulemetry/${readVersion()}`,
    // grpc-js would choose a proxy by different rules.
    'grpc.enable_http_proxy': 0,
    'grpc.max_reconnect_backoff_ms': maxReconnectMs,
    // With a shared pool, a client that replaces an unanswered one would wait for the connection that the other
    // was opening.
    'grpc.use_local_subchannel_pool': 1,
    ...(proxy ? proxyOptions(address, proxy) : {}),
  });
  sendCompressed(client, server);
  return client;
}

function proxyOptions(address: string, { credentials }: HttpProxy): Readonly<Record<string, string>> {
  const name = address.replace(/^dns:(?:\/\/[^/]*\/)?/u, '');
  return {
    'grpc.http_connect_target': `dns:${name}`,
    'grpc.default_authority': name,
    ...(credentials === undefined ? {} : { 'grpc.http_connect_creds': credentials }),
  };
}

function joinHostPort({ host, port }: HttpProxy): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Headers as gRPC metadata.
 * @throws Error naming the header that gRPC cannot send, but not its value, which the library's message
 * includes
 */
export function createGrpcMetadata(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    const expected = findExpected(name, value);
    if (expected !== undefined) throw new Error(`Cannot use header "${name}": expected ${expected}`);
    metadata.set(name, value);
  }
  return metadata;
}

function findExpected(name: string, value: string): string | undefined {
  if (!/^[0-9a-z_.-]+$/iu.test(name)) return 'a name of letters, digits, "_", "-" and "."';
  if (/-bin$/iu.test(name)) return 'a name that does not end with "-bin"';
  return /^[ -~]*$/u.test(value) ? undefined : 'a value of printable ASCII';
}

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type ConnectorParameters = Parameters<ChannelCredentials['_createSecureConnector']>;

/**
 * TLS credentials whose files may change: every connection requests its context. Those of grpc-js are created
 * once for all connections.
 */
export class ChangingCredentials extends ChannelCredentials {
  readonly #context: () => SecureContext;
  readonly #options: VerifyOptions;

  /** @param context called whenever a connection is opened */
  constructor(context: () => SecureContext, options: VerifyOptions = {}) {
    super();
    this.#context = context;
    this.#options = options;
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  _createSecureConnector(...parameters: ConnectorParameters): Connector {
    const create = () => {
      const current = ChannelCredentials.createFromSecureContext(this.#context(), this.#options);
      // eslint-disable-next-line no-underscore-dangle -- the name that grpc-js defines for custom credentials
      return current._createSecureConnector(...parameters);
    };
    const first = create();
    return {
      connect: (socket) => create().connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => undefined,
    };
  }
}
