import type { ConfigOf, Schema } from './schema.js';

/** What the engine itself understands below every receiver's id. */
export const receiverKeys = {
  start: {
    doc: 'What happens where the source is missing: `required` makes that an error, `auto` leaves the receiver out with one line that says why.',
    format: ['required', 'auto'],
    default: 'required',
  },
  fallback_for: {
    doc: 'Ids of receivers that this one stands in for: it runs only where none of them does.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;

export type ReceiverKeys = ConfigOf<typeof receiverKeys>;

/** What stands below `service.pipelines.<id>`. */
export const pipelineSchema = {
  receivers: {
    doc: 'Ids of the receivers whose tables enter this pipeline.',
    format: 'string_list',
    default: [],
  },
  processors: { doc: 'Ids of the processors, in the order of work.', format: 'string_list', default: [] },
  exporters: { doc: 'Ids of the exporters that get every table.', format: 'string_list', default: [] },
} as const satisfies Schema;

/** What stands below `service.telemetry`, laid out as in the Collector. */
export const telemetrySchema = {
  logs: {
    level: {
      doc: 'The least severe messages that are written.',
      format: ['debug', 'info', 'warn', 'error'],
      default: 'info',
    },
    encoding: {
      doc: 'How messages are written to stderr: for people or one JSON object a line.',
      format: ['console', 'json'],
      default: 'console',
    },
  },
  metrics: {
    level: {
      doc: "How much of the collector's own telemetry is kept; none loads no SDK at all.",
      format: ['none', 'basic', 'normal', 'detailed'],
      default: 'normal',
    },
    readers: {
      doc: "Where the collector's own telemetry can be had. None given: Prometheus at localhost:8888.",
      format: 'list',
      default: [],
      items: {
        pull: {
          exporter: {
            prometheus: {
              host: { doc: 'The address to listen on.', format: 'string', default: 'localhost' },
              port: { doc: 'The port to listen on.', format: 'port', default: 8888 },
            },
          },
        },
      },
    },
  },
  resource: {
    doc: "Attributes of the collector's own telemetry, over service.name, service.version and service.instance.id.",
    format: 'string_map',
    default: {},
  },
} as const satisfies Schema;

export type TelemetryConfig = ConfigOf<typeof telemetrySchema>;
