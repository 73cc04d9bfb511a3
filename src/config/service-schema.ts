import type { ConfigOf, Schema } from '../component/schema.js';
import { hideCredentials, parseEndpoint, webConfigSettings, withoutScheme } from './endpoint.js';
import type { Problem } from './problem.js';

/** Engine settings of every receiver. */
export const receiverKeys = {
  start: {
    doc: 'What happens if the source is missing. `required`: it is an error. `auto`: the receiver is left out, and the reason is logged.',
    format: ['required', 'auto'],
    default: 'required',
  },
  fallback_for: {
    doc: 'Ids of receivers for which this one is a fallback: it runs only if none of them runs completely.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;

export type ReceiverKeys = ConfigOf<typeof receiverKeys>;

/** Settings of `service.pipelines.<id>`. */
export const pipelineSchema = {
  receivers: {
    doc: 'Ids of the receivers whose tables enter this pipeline.',
    format: 'string_list',
    default: [],
  },
  processors: {
    doc: 'Ids of the processors, in the order in which they run.',
    format: 'string_list',
    default: [],
  },
  exporters: { doc: 'Ids of the exporters that get every table.', format: 'string_list', default: [] },
} as const satisfies Schema;

/** The collector's own telemetry for Prometheus. */
const pullSchema = {
  exporter: {
    prometheus: {
      host: { doc: 'Host name or address to listen on.', format: 'string', default: 'localhost' },
      port: { doc: 'Port to listen on.', format: 'port', default: 8888 },
      ...webConfigSettings,
    },
  },
} as const satisfies Schema;

/** The collector's own telemetry by OTLP, with the names of OpenTelemetry's declarative configuration. */
const periodicSchema = {
  interval: { doc: 'Time from one push to the next.', format: 'milliseconds', default: '60s', min: 100 },
  timeout: {
    doc: 'Maximum duration of a push including retries. Unset: 30s, or `interval` if that is shorter.',
    format: 'milliseconds',
    default: null,
    min: 1,
  },
  exporter: {
    otlp: {
      protocol: {
        doc: "Protocol. The collector's own telemetry is sent over gRPC only. OTLP over HTTP is available for measurements, with the exporter `otlp_http`.",
        format: ['grpc'],
        default: 'grpc',
      },
      endpoint: {
        doc: 'Address of the backend, `host:port`. The prefix `http://` means without TLS; `https://` means with TLS, whatever `insecure` is.',
        format: 'target',
        default: 'localhost:4317',
      },
      insecure: { doc: 'Whether to connect without TLS.', format: 'boolean', default: false },
      certificate: {
        doc: "Certificates of the authorities that are trusted to sign the server's certificate, PEM. Unset: the public authorities that Node trusts.",
        format: 'path',
        reads: 'certificates',
        default: null,
      },
      client_certificate: {
        doc: 'Certificate with which this collector identifies itself to the server, PEM.',
        format: 'path',
        reads: 'certificates',
        default: null,
      },
      client_key: {
        doc: 'Key of that certificate, PEM.',
        format: 'path',
        reads: 'private_key',
        default: null,
      },
      headers: {
        doc: 'Headers of every push, in addition to those in the variables `OTEL_EXPORTER_OTLP_METRICS_HEADERS` and `OTEL_EXPORTER_OTLP_HEADERS`.',
        format: 'string_map',
        default: {},
        sensitive: true,
      },
      compression: { doc: 'How pushes are compressed.', format: ['gzip', 'none'], default: 'none' },
    },
  },
} as const satisfies Schema;

export type PeriodicConfig = ConfigOf<typeof periodicSchema>;

/** Settings of `service.telemetry`, with the Collector's structure. */
export const telemetrySchema = {
  logs: {
    level: {
      doc: 'Minimum severity of the messages that are written.',
      format: ['debug', 'info', 'warn', 'error'],
      default: 'info',
    },
    encoding: {
      doc: 'How messages are written to stderr. `console`: as text. `json`: one JSON object per line.',
      format: ['console', 'json'],
      default: 'console',
    },
  },
  metrics: {
    level: {
      doc: "Level of the collector's own telemetry. `none`: nothing, and no SDK is loaded. `basic`: metrics with the Collector's names, losses, and the energy of the collector itself. `normal`: all metrics. `detailed`: also metrics of the SDK about itself.",
      format: ['none', 'basic', 'normal', 'detailed'],
      default: 'normal',
    },
    readers: {
      doc: "Where the collector's own telemetry is available. Empty: for Prometheus at `localhost:8888`.",
      format: 'list',
      default: [],
      items: {
        pull: {
          doc: 'Serves the telemetry to Prometheus.',
          format: 'group',
          settings: pullSchema,
          default: null,
        },
        periodic: {
          doc: 'Sends the telemetry to an OTLP backend, periodically and at shutdown.',
          format: 'group',
          settings: periodicSchema,
          default: null,
        },
      },
    },
  },
  resource: {
    doc: "Resource attributes of the collector's own telemetry. They override those in the variables `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, and the defaults of `service.name` (`joulemetry`), `service.version` and `service.instance.id`. An empty text removes an attribute.",
    format: 'string_map',
    default: {},
  },
} as const satisfies Schema;

export type TelemetryConfig = ConfigOf<typeof telemetrySchema>;

/** `service` without its pipelines, which are a map by id. */
export const serviceSchema = {
  extensions: { doc: 'Ids of the extensions to run.', format: 'string_list', default: [] },
  telemetry: telemetrySchema,
} as const satisfies Schema;

type Readers = TelemetryConfig['metrics']['readers'];

const listPath = 'service.telemetry.metrics.readers';

/** Validates readers of the collector's own telemetry that depend on each other. */
export function findReaderProblems(readers: Readers): readonly Problem[] {
  const problems = readers.flatMap((reader, i) => findProblems(reader, `${listPath}[${i}]`));
  // There is only one server; further readers would be ignored silently.
  const pulls = readers.filter(({ pull }) => pull !== null).length;
  if (pulls <= 1) return problems;
  return [...problems, { path: listPath, message: `expected one pull reader at most, found ${pulls}` }];
}

function findProblems({ pull, periodic }: Readers[number], path: string): readonly Problem[] {
  if ((pull === null) === (periodic === null)) {
    const found = pull === null ? 'neither' : 'both';
    return [{ path, message: `expected either pull or periodic, found ${found}` }];
  }
  return periodic === null ? [] : findPushProblems(periodic, `${path}.periodic`);
}

function findPushProblems({ interval, timeout, exporter }: PeriodicConfig, path: string): readonly Problem[] {
  const { endpoint, client_certificate: certificate, client_key: key } = exporter.otlp;
  const problems: Problem[] = [];
  if (timeout !== null && timeout > interval) {
    const message = `expected at most the interval, ${interval}ms, found ${timeout}ms`;
    problems.push({ path: `${path}.timeout`, message });
  }
  if (!isEndpoint(endpoint)) {
    const message = `expected host:port such as "localhost:4317", found "${hideCredentials(endpoint)}"`;
    problems.push({ path: `${path}.exporter.otlp.endpoint`, message });
  }
  if ((certificate === null) !== (key === null)) {
    const message = 'expected client_certificate and client_key together, found only one of them';
    problems.push({ path: `${path}.exporter.otlp`, message });
  }
  return problems;
}

function isEndpoint(text: string): boolean {
  try {
    return parseEndpoint(withoutScheme(text)).host !== '';
  } catch {
    return false;
  }
}
