import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { serverTlsSettings } from '../../src/http/server-tls.js';

const tls = {
  doc: 'Serves over TLS only. Unset: without TLS.',
  format: 'group',
  settings: serverTlsSettings,
  default: null,
} as const;

const webConfigFile = {
  doc: "File with TLS settings and users, in the format of Prometheus' web configuration, instead of `tls`; read again when it changes.",
  format: 'path',
  reads: 'web_config',
  default: null,
} as const;

export const schema = {
  protocols: {
    grpc: {
      doc: 'Receives OTLP over gRPC. Unset: it does not.',
      format: 'group',
      default: null,
      settings: {
        endpoint: {
          doc: 'Address to listen on, `host:port`; `:4317` means every interface.',
          format: 'endpoint',
          default: 'localhost:4317',
        },
        tls,
        web_config_file: webConfigFile,
        max_recv_msg_size_mib: {
          doc: 'Maximum size of a request in MiB, compressed as well as decompressed.',
          format: 'int',
          default: 4,
          min: 1,
          max: 64,
        },
        max_concurrent_streams: {
          doc: 'Maximum number of concurrent requests on one connection.',
          format: 'int',
          default: 100,
          min: 1,
          max: 10_000,
        },
      },
    },
    http: {
      doc: 'Receives OTLP over HTTP, as protobuf or JSON. Unset: it does not.',
      format: 'group',
      default: null,
      settings: {
        endpoint: {
          doc: 'Address to listen on, `host:port`; `:4318` means every interface.',
          format: 'endpoint',
          default: 'localhost:4318',
        },
        tls,
        web_config_file: webConfigFile,
        metrics_url_path: { doc: 'URL path of the metrics.', format: 'string', default: '/v1/metrics' },
        max_request_body_size: {
          doc: 'Maximum size of a request, compressed as well as decompressed.',
          format: 'byte_size',
          default: '20MiB',
          min: 1,
          max: 256 * 1024 * 1024,
        },
      },
    },
  },
  series_expiry: {
    doc: 'A series that gets no point for this time is treated as ended.',
    format: 'duration',
    default: '5m',
    min: 100,
  },
  max_series: {
    doc: 'Maximum number of series at a time. Points of further series are refused.',
    format: 'int',
    default: 200_000,
    min: 1,
    max: 10_000_000,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type GrpcConfig = NonNullable<Config['protocols']['grpc']>;
export type HttpConfig = NonNullable<Config['protocols']['http']>;

const ofTls = {
  'tls.cert_pem': 'write the certificate to a file and name it in "cert_file"',
  'tls.key_pem': 'write the key to a file and name it in "key_file"',
  'tls.ca_file': 'use "client_ca_file" for the certificates of clients',
  'tls.cipher_suites': 'remove it: those of OpenSSL are used',
  'tls.curve_preferences': 'remove it: those of OpenSSL are used',
  'tls.reload_interval': 'remove it: changed files are used from the next connection on',
  'tls.client_ca_file_reload': 'remove it: changed files are used from the next connection on',
};

const ofBoth = {
  ...ofTls,
  auth: 'use "web_config_file", whose "basic_auth_users" are the users',
  include_metadata: 'remove it: no component reads the headers of requests',
  middlewares: 'remove it: there are none',
};

const ofGrpc = {
  ...ofBoth,
  transport: 'remove it: it is always TCP',
  keepalive: 'remove it: a connection is pinged once a minute, and closed when no answer comes in 20 s',
  read_buffer_size: 'remove it: Node sizes its buffers itself',
  write_buffer_size: 'remove it: Node sizes its buffers itself',
};

const ofHttp = {
  ...ofBoth,
  cors: 'let a reverse proxy answer the preflight requests of browsers',
  response_headers: 'use "web_config_file", whose "http_server_config" has "headers"',
  compression_algorithms: 'remove it: gzip, deflate and, where Node has it, zstd are taken',
  traces_url_path: 'remove it: metrics are the only signal',
  logs_url_path: 'remove it: metrics are the only signal',
  profiles_url_path: 'remove it: metrics are the only signal',
  read_timeout: 'remove it: a request must arrive within 10 s',
  read_header_timeout: 'remove it: a request must arrive within 10 s',
  write_timeout: 'remove it: a client that reads nothing for 10 s is disconnected',
  idle_timeout: 'remove it: the connections that are idle longest are closed when there are too many',
  keep_alives_enabled: 'remove it: connections are kept',
};

/** Replacements for settings of the receiver of the OpenTelemetry Collector. */
export const replacedSettings = { ...below('protocols.grpc', ofGrpc), ...below('protocols.http', ofHttp) };

function below(path: string, settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).map(([key, text]) => [`${path}.${key}`, text]));
}

/** Problems with the combination of settings. */
export function checkConfig({ protocols: { grpc, http } }: Config): readonly string[] {
  const problems = [];
  if (grpc === null && http === null) problems.push('protocols: expected "grpc", "http" or both, found none');
  for (const [name, protocol] of Object.entries({ grpc, http })) {
    if (protocol && protocol.tls !== null && protocol.web_config_file !== null)
      problems.push(`protocols.${name}: expected "tls" or "web_config_file", found both`);
  }
  if (http !== null && !http.metrics_url_path.startsWith('/')) {
    problems.push(
      `protocols.http.metrics_url_path: expected a path that begins with "/", found "${http.metrics_url_path}"`,
    );
  }
  return problems;
}
