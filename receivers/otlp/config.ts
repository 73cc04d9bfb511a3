import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { serverTlsSettings } from '../../src/http/web-config.js';

const tls = {
  doc: 'Serves by TLS only.',
  format: 'group',
  settings: serverTlsSettings,
  default: null,
} as const;

const webConfigFile = {
  doc: "File with TLS and users, in the format of Prometheus' exporters; read again when it changes.",
  format: 'path',
  default: null,
} as const;

export const schema = {
  protocols: {
    grpc: {
      doc: 'OTLP/gRPC.',
      format: 'group',
      default: null,
      settings: {
        endpoint: {
          doc: 'Where to listen, `host:port`; `:4317` is every interface.',
          format: 'endpoint',
          default: 'localhost:4317',
        },
        tls,
        web_config_file: webConfigFile,
        max_recv_msg_size_mib: {
          doc: 'Largest request in MiB, before and after decompression.',
          format: 'int',
          default: 4,
          min: 1,
          max: 64,
        },
        max_concurrent_streams: {
          doc: 'Requests under way at a time on one connection.',
          format: 'int',
          default: 100,
          min: 1,
          max: 10_000,
        },
      },
    },
    http: {
      doc: 'OTLP/HTTP, with protobuf and with JSON.',
      format: 'group',
      default: null,
      settings: {
        endpoint: {
          doc: 'Where to listen, `host:port`; `:4318` is every interface.',
          format: 'endpoint',
          default: 'localhost:4318',
        },
        tls,
        web_config_file: webConfigFile,
        metrics_url_path: { doc: 'Path of the metrics.', format: 'string', default: '/v1/metrics' },
        max_request_body_size: {
          doc: 'Largest request, before and after decompression.',
          format: 'byte_size',
          default: '20MiB',
          min: 1,
          max: 256 * 1024 * 1024,
        },
      },
    },
  },
  series_expiry: {
    doc: 'How long a series may have no point before it has ended.',
    format: 'duration',
    default: '5m',
    min: 100,
  },
  max_series: {
    doc: 'Maximum series at a time; points of further ones are refused.',
    format: 'int',
    default: 500_000,
    min: 1,
    max: 10_000_000,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type GrpcConfig = NonNullable<Config['protocols']['grpc']>;
export type HttpConfig = NonNullable<Config['protocols']['http']>;

/** What is wrong with the settings when they are taken together. */
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
